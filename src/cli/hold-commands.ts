/** `breakwater hold add | list | release` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, option, queryOf, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { entries, textOf, timeOf } from './layout.ts';

const scopeOptions = {
  tenant: option('NAME', 'records of this tenant'),
  user: option('NAME', 'records of this user'),
  incident: option('ID', 'records that this incident hit'),
  since: option('TIME', 'records from then on, such as 2026-06-07T00:00:00Z'),
  until: option('TIME', 'records before then'),
};

function scopeText(scope: Json): string {
  return Object.entries(scope)
    .flatMap(([name, value]) => (value === null ? [] : [`${name} ${textOf(value)}`]))
    .join(', ');
}

async function add(call: Call): Promise<ExitCode> {
  const scope = Object.fromEntries(
    Object.keys(scopeOptions).flatMap((name) => {
      const value = textOption(call, name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
  const reason = textOption(call, 'reason');
  if (reason === null || Object.keys(scope).length === 0)
    return usageError(call, 'Say what is held, and why: breakwater hold add --tenant NAME --reason "…"');
  return show(
    call,
    await callAdmin(call, 'POST', 'holds', { scope, reason }),
    (value) =>
      `${textOf(value['id'])} holds ${scopeText(value['scope'] as Json)}. Nothing of it is erased until: breakwater hold release ${textOf(value['id'])} --reason "…"`,
  );
}

function holdBody(hold: Json): string {
  const released = hold['released'] as Json | null;
  const over =
    released === null ? '' : `; released by ${textOf(released['by'])}: ${textOf(released['reason'])}`;
  return `${scopeText(hold['scope'] as Json)}: ${textOf(hold['reason'])}${over}`;
}

async function list(call: Call): Promise<ExitCode> {
  const path = `holds${queryOf(call, ['cursor', 'limit'])}`;
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const holds = items(value).map((hold) => ({
      head: [
        textOf(hold['id']),
        hold['in_force'] === true ? 'in force' : 'released',
        timeOf(hold['placed_at']),
        textOf(hold['placed_by']),
      ],
      body: holdBody(hold),
    }));
    const more = value['next_cursor'] === null ? '' : `\nMore: --cursor ${textOf(value['next_cursor'])}`;
    return holds.length === 0 ? 'Nothing is held.' : `${entries(holds)}${more}`;
  });
}

async function release(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  const reason = textOption(call, 'reason');
  if (id === undefined || reason === null)
    return usageError(call, 'Name the hold and say why: breakwater hold release hold_… --reason "…"');
  const path = `holds/${encodeURIComponent(id)}/release`;
  return show(
    call,
    await callAdmin(call, 'POST', path, { reason }),
    (value) => `${textOf(value['id'])} is released; retention and erasure go on as before.`,
  );
}

const reasonOption = option('TEXT', 'why; kept in the changes');

export const holdCommands: readonly Command[] = [
  {
    name: 'hold add',
    usage: '',
    wordsMax: 0,
    summary: 'Keep records and captured content from being erased',
    options: { ...scopeOptions, reason: reasonOption, as: asOption },
    run: add,
  },
  {
    name: 'hold list',
    usage: '',
    wordsMax: 0,
    summary: 'Legal holds, newest first',
    options: {
      cursor: option('ID', 'go on after this one'),
      limit: option('N', 'how many; 1 to 200, default 50'),
    },
    run: list,
  },
  {
    name: 'hold release',
    usage: 'hold_…',
    wordsMax: 1,
    summary: 'Let retention and erasure go on',
    options: { reason: reasonOption, as: asOption },
    run: release,
  },
];
