/** `breakwater switch …` */
import { scopeKeys } from '../core/switches.ts';
import { didYouMean } from '../core/nearest.ts';
import { callAdmin, items, show, table, textOf } from './client.ts';
import type { Json } from './client.ts';
import { textOption } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';

/** `provider:anthropic feature:notes` → a scope; text says what is wrong with it. */
function scopeFrom(words: readonly string[]): Json | string {
  if (words.length === 0)
    return 'Name what to switch, for example provider:anthropic or model:claude-opus-4-8.';
  const scope: Record<string, string> = {};
  for (const word of words) {
    const colon = word.indexOf(':');
    const key = word.slice(0, Math.max(colon, 0));
    if (!(scopeKeys as readonly string[]).includes(key))
      return `"${word}" is not a scope: ${didYouMean(key, scopeKeys) || `write one of ${scopeKeys.join(', ')}, a colon and a name`}`;
    scope[key] = word.slice(colon + 1);
  }
  return scope;
}

function usageError(call: Call, message: string): ExitCode {
  call.complain(message);
  return 2;
}

async function off(call: Call): Promise<ExitCode> {
  const scope = scopeFrom(call.words);
  if (typeof scope === 'string') return usageError(call, scope);
  const reason = textOption(call, 'reason');
  if (reason === null) return usageError(call, 'Say why with --reason "…": it is kept with the switch.');
  const forText = textOption(call, 'for');
  const inFlight = textOption(call, 'in-flight');
  const failureClass = textOption(call, 'failure-class');
  const expiry = textOption(call, 'expiry');
  const body: Json = {
    scope,
    effect: 'off',
    reason,
    ...(forText === null ? {} : { expires_in: forText === 'ever' ? null : forText }),
    ...(inFlight === null ? {} : { in_flight: inFlight }),
    ...(failureClass === null ? {} : { failure_class: failureClass }),
    ...(expiry === null ? {} : { at_expiry: expiry }),
  };
  return show(call, await callAdmin(call, 'POST', 'switches', body), (value) => {
    const targets = (value['expands_to'] ?? []) as readonly string[];
    const until =
      value['expires_at'] === null ? 'until it is released' : `until ${textOf(value['expires_at'])}`;
    const covered = targets.length === 0 ? 'Nothing matches it today.' : `Off now: ${targets.join(', ')}`;
    return `${textOf(value['id'])} in force ${until}\n${covered}`;
  });
}

function sameScope(a: unknown, b: Json): boolean {
  const left = Object.entries((a ?? {}) as Json);
  return left.length === Object.keys(b).length && left.every(([key, value]) => b[key] === value);
}

async function idsToRelease(call: Call): Promise<readonly string[] | ExitCode> {
  const [first = ''] = call.words;
  if (call.words.length === 1 && first.startsWith('sw_')) return [first];
  const scope = scopeFrom(call.words);
  if (typeof scope === 'string') return usageError(call, scope);
  const listed = await callAdmin(call, 'GET', 'switches');
  if (!listed.ok) return show(call, listed, () => '');
  const ids = items(listed.value)
    .filter((entry) => sameScope(entry['scope'], scope))
    .map((entry) => textOf(entry['id']));
  if (ids.length > 0) return ids;
  call.complain(
    `No switch in force has the scope ${call.words.join(' ')}. List them with: breakwater switch list`,
  );
  return 1;
}

async function on(call: Call): Promise<ExitCode> {
  const ids = await idsToRelease(call);
  if (typeof ids === 'number') return ids;
  const body: Json = {
    reason: textOption(call, 'reason') ?? 'switched on from the command line',
    ramp: call.options['at-once'] !== true,
  };
  for (const id of ids) {
    const exit = await show(
      call,
      await callAdmin(call, 'POST', `switches/${id}/release`, body),
      () => `${id} released${body['ramp'] === true ? '; what it covered comes back step by step' : ''}`,
    );
    if (exit !== 0) return exit;
  }
  return 0;
}

function scopeWords(scope: unknown): string {
  return Object.entries((scope ?? {}) as Json)
    .map(([key, value]) => `${key}:${textOf(value)}`)
    .join(' ');
}

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'switches'), (value) => {
    const rows = items(value).map((entry) => [
      textOf(entry['id']),
      scopeWords(entry['scope']),
      textOf(entry['effect']),
      textOf(entry['expires_at']),
      textOf(entry['created_by']),
      textOf(entry['reason']),
    ]);
    return rows.length === 0
      ? 'No switch is in force.'
      : table([['ID', 'SCOPE', 'EFFECT', 'UNTIL', 'BY', 'REASON'], ...rows]);
  });
}

export const switchCommands: readonly Command[] = [
  {
    name: 'switch off',
    usage: 'SCOPE:NAME… --reason "…"',
    summary: 'Take a provider, vendor, family, model, target or feature out, at once',
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why (required)' },
      for: { type: 'string', value: '2h', help: 'how long; default 2h, "ever" for until released' },
      'in-flight': { type: 'string', value: 'WORD', help: 'finish | cancel_uncommitted | cancel' },
      'failure-class': {
        type: 'string',
        value: 'WORD',
        help: 'availability | latency | capacity | quality | …',
      },
      expiry: { type: 'string', value: 'WORD', help: 'ramp | stay' },
    },
    run: off,
  },
  {
    name: 'switch on',
    usage: 'ID | SCOPE:NAME…',
    summary: 'Release a switch; what it covered comes back by a ramp',
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why' },
      'at-once': { type: 'boolean', help: 'without a ramp' },
    },
    run: on,
  },
  { name: 'switch list', usage: '', summary: 'Switches in force', options: {}, run: list },
];
