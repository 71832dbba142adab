/** `breakwater gates`, `breakwater gate …` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { paragraph, table, textOf, timeOf, whyText } from './layout.ts';

const columnText = (column: unknown): string => {
  if (column === null) return '–';
  const { ok, failed } = column as { readonly ok: number; readonly failed: number };
  return failed === 0 ? `${ok} ok` : `${ok} ok, ${failed} failed`;
};

function gateRow(entry: Json): readonly string[] {
  const gate = entry['gate'] as Json;
  const mode = gate['mode'] === 'enforce' ? '' : ` (${textOf(gate['mode'])})`;
  return [
    textOf(entry['target']),
    `${textOf(gate['state'])}${mode}`,
    columnText(entry['traffic']),
    columnText(entry['probes']),
    whyText(entry),
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

type Trip = {
  readonly shed_at: string;
  readonly ejected_at: string | null;
  readonly back_at: string | null;
  readonly delay_ms: number | null;
  readonly moved: number;
  readonly spared: number;
  readonly words: string;
};
type Replayed = {
  readonly target: string;
  readonly attempts: number;
  readonly failed: number;
  readonly met: number;
  readonly trips: readonly Trip[];
};

function tripText(trip: Trip): string {
  const delay =
    trip.delay_ms === null ? '' : `, ${(trip.delay_ms / 1_000).toFixed(1)} s after the first failure`;
  const declared = trip.ejected_at === null ? 'never declared' : `declared ${timeOf(trip.ejected_at)}`;
  const back = trip.back_at === null ? 'still out at the end' : `back ${timeOf(trip.back_at)}`;
  return [
    `  out ${timeOf(trip.shed_at)}${delay}; ${declared}; ${back}`,
    `    ${paragraph(trip.words, 6)}`,
    `    ${trip.moved} attempts would have gone elsewhere; ${trip.spared} of them failed where they went.`,
  ].join('\n');
}

function replayedText({ target, attempts, failed, met, trips }: Replayed): string {
  const head = `${target}: ${attempts} attempts, ${failed} failed; ${trips.length} ${trips.length === 1 ? 'trip' : 'trips'}; ${met} failures would have been met`;
  return [head, ...trips.map(tripText)].join('\n');
}

const listText = (list: unknown): string =>
  (list as readonly Replayed[]).map(replayedText).join('\n') || 'No attempt in that time.';

const numbers = ['budget', 'breach'] as const;

/** The proposed gate, from a file and from single numbers over it; null when none is proposed, text when it is wrong. */
async function proposedGate(call: Call): Promise<Json | string | null> {
  const path = textOption(call, 'gate');
  let gate: Record<string, unknown> | null = null;
  if (path !== null) {
    try {
      gate = { ...(Bun.YAML.parse(await Bun.file(path).text()) as Json) };
    } catch {
      return `${path} cannot be read as YAML. It holds one gate, written as under "gates:".`;
    }
  }
  for (const name of numbers) {
    const value = textOption(call, name);
    if (value !== null) gate = { ...gate, [name]: value };
  }
  const falseAlarm = textOption(call, 'false-alarm');
  if (falseAlarm !== null) gate = { ...gate, falseAlarm };
  const target = textOption(call, 'target');
  if (target !== null) gate = { ...gate, match: { target } };
  return gate;
}

async function testGate(call: Call): Promise<ExitCode> {
  const gate = await proposedGate(call);
  if (typeof gate === 'string') return usageError(call, gate);
  const body = { since: textOption(call, 'since') ?? '7d', ...(gate === null ? {} : { gate }) };
  return show(call, await callAdmin(call, 'POST', 'gates/test', body), (value) => {
    const cut = value['cut'] === true ? ' (the newest; there are more)' : '';
    const head = `${textOf(value['records'])} records since ${timeOf(value['since'])} UTC${cut}.`;
    const now = `As agreed now:\n${listText(value['current'])}`;
    return value['proposed'] === null
      ? `${head}\n\n${now}`
      : `${head}\n\n${now}\n\nAs proposed:\n${listText(value['proposed'])}`;
  });
}

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
  {
    name: 'gate test',
    usage: '[--since 7d] [--gate FILE]',
    wordsMax: 0,
    summary: 'Try a gate on the traffic that was: trips, delays, what is felt',
    options: {
      since: { type: 'string', value: '7d', help: 'how far back; default 7d' },
      gate: { type: 'string', value: 'FILE', help: 'a gate as YAML; default: as they are now' },
      budget: { type: 'string', value: '0.5%', help: 'with this budget' },
      breach: { type: 'string', value: '20%', help: 'with this breach' },
      'false-alarm': { type: 'string', value: 'OFTEN', help: 'such as "1 per 30d"' },
      target: { type: 'string', value: 'TARGET', help: 'for this target only' },
    },
    run: testGate,
  },
];
