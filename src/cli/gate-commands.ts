/** `breakwater gates`, `breakwater gate …` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { paragraph, table, textOf, timeOf } from './layout.ts';

const columnText = (column: unknown): string => {
  if (column === null) return '–';
  const { ok, failed } = column as { readonly ok: number; readonly failed: number };
  return failed === 0 ? `${ok} ok` : `${ok} ok, ${failed} failed`;
};

function gateRow(entry: Json): readonly string[] {
  const gate = entry['gate'] as Json;
  const words = gate['words'] === null ? '' : textOf(gate['words']);
  const mode = gate['mode'] === 'enforce' ? '' : ` (${textOf(gate['mode'])})`;
  return [
    textOf(entry['target']),
    `${textOf(gate['state'])}${mode}`,
    columnText(entry['traffic']),
    columnText(entry['probes']),
    words,
  ];
}

async function gates(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'gates'), (value) => {
    const rows = items(value).map(gateRow);
    return rows.length === 0
      ? 'No target is configured.'
      : table([['TARGET', 'GATE', 'TRAFFIC', 'PROBES', 'WHY'], ...rows]);
  });
}

/** What a gate is told; `verb` is the last step of its address. */
async function tell(call: Call, verb: 'hold' | 'return', words: (gate: Json) => string): Promise<ExitCode> {
  const [target] = call.words;
  if (target === undefined)
    return usageError(call, 'Name the target: provider/model. List them with: breakwater gates');
  const reason = textOption(call, 'reason');
  if (reason === null) return usageError(call, 'Say why with --reason "…": it is kept with the change.');
  const forText = textOption(call, 'for');
  const body = { reason, ...(forText === null ? {} : { expires_in: forText }) };
  const reply = await callAdmin(call, 'POST', `gates/${encodeURIComponent(target)}/${verb}`, body);
  return show(call, reply, (value) => paragraph(words(value['gate'] as Json)));
}

const hold = (call: Call): Promise<ExitCode> =>
  tell(call, 'hold', (gate) => `Out until ${timeOf(gate['until'])} UTC, whatever its probes say.`);

const giveBack = (call: Call): Promise<ExitCode> =>
  tell(call, 'return', (gate) => `Given back to its gate, which is ${textOf(gate['state'])} now.`);

const reasonOption = { type: 'string', value: 'TEXT', help: 'why (required)' } as const;

export const gateCommands: readonly Command[] = [
  {
    name: 'gates',
    usage: '',
    wordsMax: 0,
    summary: 'Gates of all targets: where they stand, and on what evidence',
    options: {},
    run: gates,
  },
  {
    name: 'gate hold',
    usage: 'TARGET --reason "…"',
    wordsMax: 1,
    summary: 'Keep a target out, whatever its probes say',
    options: {
      reason: reasonOption,
      for: { type: 'string', value: '2h', help: 'default 2h' },
      as: asOption,
    },
    run: hold,
  },
  {
    name: 'gate return',
    usage: 'TARGET --reason "…"',
    wordsMax: 1,
    summary: 'Give a target back to its gate: probes, then a ramp',
    options: { reason: reasonOption, as: asOption },
    run: giveBack,
  },
];
