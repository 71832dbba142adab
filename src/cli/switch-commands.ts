/** `breakwater switch …` */
import { didYouMean } from '../core/nearest.ts';
import { countedShare } from '../core/percent.ts';
import { countWords } from '../core/words.ts';
import { scopeKeys } from '../core/switches.ts';
import { callAdmin, complain, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, CommandOption, ExitCode } from './command.ts';
import { entries, paragraph, textOf, timeOf } from './layout.ts';

/** `provider:anthropic feature:notes` → a scope; text says what is wrong with it. */
function scopeFrom(words: readonly string[]): Json | string {
  if (words.length === 0)
    return 'Name what to switch, for example provider:anthropic or model:claude-opus-4-8.';
  const scope: Record<string, string> = {};
  for (const word of words) {
    const colon = word.indexOf(':');
    const key = word.slice(0, Math.max(colon, 0));
    const value = word.slice(colon + 1);
    if (!(scopeKeys as readonly string[]).includes(key))
      return `"${word}" is not a scope: ${didYouMean(key, scopeKeys) || `write one of ${scopeKeys.join(', ')}, a colon and a name`}`;
    if (value === '') return `"${word}" names nothing: write what follows the colon, * for anything.`;
    if (scope[key] !== undefined)
      return `${key} is named twice. Words of one switch are an AND: make one switch for ${scope[key]} and another for ${value}.`;
    scope[key] = value;
  }
  return scope;
}

function scopeWords(scope: unknown): string {
  return Object.entries((scope ?? {}) as Json)
    .map(([key, value]) => `${key}:${textOf(value)}`)
    .join(' ');
}

/** `off` unless a part or a last resort is asked for; text says what is wrong with it. */
function effectFrom(call: Call): { readonly effect: Json | 'off' | 'last_resort' } | string {
  const shed = textOption(call, 'shed');
  const isLast = call.options['last-resort'] === true;
  if (shed === null) return { effect: isLast ? 'last_resort' : 'off' };
  if (isLast) return 'Say either --shed or --last-resort: a switch has one effect.';
  const percent = Number(/^(\d{1,3}(?:\.\d+)?) ?%?$/.exec(shed)?.[1] ?? Number.NaN);
  return percent <= 100
    ? { effect: { shed: percent } }
    : `--shed takes a part of the requests such as 50%, not "${shed}".`;
}

/** `off`, `last resort`, `50 % shed`. */
function effectWords(effect: unknown): string {
  if (typeof effect === 'object' && effect !== null) return `${textOf((effect as Json)['shed'])} % shed`;
  return textOf(effect).replace('_', ' ');
}

function switchFrom(call: Call, scope: Json, effect: Json | string, reason: string): Json {
  const forText = textOption(call, 'for');
  const inFlight = textOption(call, 'in-flight');
  const failureClass = textOption(call, 'failure-class');
  const expiry = textOption(call, 'expiry');
  return {
    scope,
    effect,
    reason,
    ...(call.options['observe'] === true ? { mode: 'observe' } : {}),
    ...(forText === null ? {} : { expires_in: forText === 'ever' ? null : forText }),
    ...(inFlight === null ? {} : { in_flight: inFlight }),
    ...(failureClass === null ? {} : { failure_class: failureClass }),
    ...(expiry === null ? {} : { at_expiry: expiry }),
  };
}

function untilWords(entry: Json): string {
  if (entry['expires_at'] === null) return 'until it is released';
  const until = `until ${timeOf(entry['expires_at'])} UTC`;
  if (entry['at_expiry'] === 'stay' && Date.parse(textOf(entry['expires_at'])) <= Date.now())
    return `its time was over at ${timeOf(entry['expires_at'])} UTC; it stays until it is released`;
  return entry['at_expiry'] === 'stay' ? `${until}, and stays off after it` : until;
}

/** The parts of a scope that say whose requests are meant, rather than which targets. */
const whose = ['feature', 'data_class', 'tenant', 'key'] as const;

/** What has just been done, and for whom, where that is not everybody. */
function doneWords({ effect, mode, scope }: Json): string {
  const named = scope as Json;
  const only = whose.filter((key) => key in named).map((key) => `${key}:${textOf(named[key])}`);
  const forWhom = only.length === 0 ? '' : ` for ${only.join(' ')}`;
  if (mode === 'observe') return `Looked at${forWhom}, and nothing is moved`;
  if (effect === 'off') return `Off now${forWhom}`;
  return effect === 'last_resort'
    ? `A last resort now${forWhom}`
    : `Relieved of ${effectWords(effect).replace(' shed', '')} now${forWhom}`;
}

async function off(call: Call): Promise<ExitCode> {
  const scope = scopeFrom(call.words);
  if (typeof scope === 'string') return usageError(call, scope);
  const reason = textOption(call, 'reason');
  if (reason === null) return usageError(call, 'Say why with --reason "…": it is kept with the switch.');
  const wish = effectFrom(call);
  if (typeof wish === 'string') return usageError(call, wish);
  const reply = await callAdmin(call, 'POST', 'switches', switchFrom(call, scope, wish.effect, reason));
  return show(call, reply, (value) => {
    const targets = (value['expands_to'] ?? []) as readonly string[];
    const covered =
      targets.length === 0 ? 'Nothing matches it today.' : `${doneWords(value)}: ${targets.join(', ')}`;
    return `${textOf(value['id'])}\n${paragraph(`In force ${untilWords(value)}.`)}\n${paragraph(covered)}`;
  });
}

function sameScope(a: unknown, b: Json): boolean {
  const left = Object.entries((a ?? {}) as Json);
  return left.length === Object.keys(b).length && left.every(([key, value]) => b[key] === value);
}

/** The switch that is named, or all in force with that very scope; a number says how it ended without any. */
async function idsToRelease(call: Call): Promise<readonly string[] | ExitCode> {
  const [first = ''] = call.words;
  if (call.words.length === 1 && first.startsWith('sw_')) return [first];
  const scope = scopeFrom(call.words);
  if (typeof scope === 'string') return usageError(call, scope);
  const listed = await callAdmin(call, 'GET', 'switches');
  if (!listed.ok) return complain(call, listed);
  const ids = items(listed.value)
    .filter((entry) => sameScope(entry['scope'], scope))
    .map((entry) => textOf(entry['id']));
  if (ids.length > 0) return ids;
  const others = items(listed.value).map(
    (entry) => `  ${textOf(entry['id'])}  ${scopeWords(entry['scope'])}`,
  );
  const message = `No switch in force has just the scope ${call.words.join(' ')}.`;
  call.complain(
    call.json
      ? JSON.stringify({ error: { code: 'not_found', message } })
      : [message, ...(others.length === 0 ? ['None is in force.'] : ['In force are:', ...others])].join('\n'),
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
  const released: Json[] = [];
  let worst: ExitCode = 0;
  // One that cannot be released does not keep the others off.
  for (const id of ids) {
    const reply = await callAdmin(call, 'POST', `switches/${encodeURIComponent(id)}/release`, body);
    if (reply.ok) released.push(reply.value);
    else worst = complain(call, reply);
  }
  const how = body['ramp'] === true ? 'What it covered comes back step by step.' : 'What it covered is back.';
  if (call.json) call.print(JSON.stringify({ items: released, next_cursor: null }, null, 2));
  else for (const entry of released) call.print(`${textOf(entry['id'])} is released. ${how}`);
  return worst;
}

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'switches'), (value) => {
    const switches = items(value).map((entry) => ({
      head: [
        textOf(entry['id']),
        `${effectWords(entry['effect'])}${entry['mode'] === 'observe' ? ', observed' : ''}`,
        scopeWords(entry['scope']),
      ],
      body: `${untilWords(entry)}, by ${textOf(entry['created_by'])}: ${textOf(entry['reason'])}`,
    }));
    return switches.length === 0 ? 'No switch is in force.' : entries(switches);
  });
}

const percent = (share: unknown): string => countedShare(Number(share));

function previewWords(feature: Json): { readonly head: string[]; readonly body: string } {
  const moves = ((feature['moves'] ?? []) as readonly Json[]).map((move) => {
    const hop = move['hop'] === null ? '' : ` (${textOf(move['hop'])})`;
    return `${percent(move['share'])} move from ${textOf(move['from'])} to ${textOf(move['to'])}${hop}`;
  });
  const rest = [
    ['asked_share', 'would be asked'],
    ['refused_share', 'would be refused by policy'],
    ['stranded_share', 'would have nobody to answer'],
  ].flatMap(([name = '', words]) =>
    Number(feature[name]) > 0 ? [`${percent(feature[name])} ${words}`] : [],
  );
  const reasons = (feature['reasons'] ?? []) as readonly string[];
  const all = [...moves, ...rest];
  return {
    head: [
      textOf(feature['feature']),
      feature['requests'] === 1 ? '1 request' : `${textOf(feature['requests'])} requests`,
    ],
    body: `${all.length === 0 ? 'Nothing changes.' : `${all.join('; ')}.`}${reasons.length === 0 ? '' : ` ${reasons.join('; ')}.`}`,
  };
}

/** `openai/gpt-5.2: 0.4 → 12 calls open on average, of 200 at most`, where that changes. */
function capacityLines(value: Json): readonly string[] {
  return ((value['capacity'] ?? []) as readonly Json[]).flatMap((load) => {
    const [before = '', after = ''] = [load['load_before'], load['load_after']].map((open) =>
      String(Number(Number(Number(open).toPrecision(2)).toFixed(3))),
    );
    return before === after
      ? []
      : `  ${textOf(load['target'])}: ${before} → ${after} calls open on average, of ${textOf(load['limit'])} at most`;
  });
}

function costChangeText(usd: number): string {
  const shown = Number(Math.abs(usd).toPrecision(3));
  return shown === 0 ? 'unchanged' : `${usd < 0 ? '−' : '+'}$${shown}`;
}

async function preview(call: Call): Promise<ExitCode> {
  const scope = scopeFrom(call.words);
  if (typeof scope === 'string') return usageError(call, scope);
  const wish = effectFrom(call);
  if (typeof wish === 'string') return usageError(call, wish);
  const reply = await callAdmin(call, 'POST', 'switches/preview', { scope, ...wish });
  return show(call, reply, (value) => {
    const minutes = Math.round(Number(value['window_ms']) / 60_000);
    const features = (value['features'] ?? []) as readonly Json[];
    if (features.length === 0) return `No requests in the last ${minutes} minutes: nothing to judge by.`;
    const cost = value['cost_change'];
    const costWords =
      typeof cost === 'number'
        ? `Cost at list price over that time: ${costChangeText(cost)}`
        : 'What it changes in cost is not known: a price, or the tokens of a request, is missing.';
    const capacity = capacityLines(value);
    return [
      `The last ${minutes} minutes, ${countWords(Number(value['requests']), 'request')}:`,
      entries(features.map(previewWords)),
      ...(capacity.length === 0 ? [] : ['Load:', ...capacity]),
      costWords,
    ].join('\n');
  });
}

const effectOptions: Readonly<Record<string, CommandOption>> = {
  shed: { type: 'string', value: '50%', help: 'only this part of the requests' },
  'last-resort': { type: 'boolean', help: 'only when nothing else is left' },
};

/** As many as a scope has kinds of words. */
const scopeWordsMax = scopeKeys.length;

export const switchCommands: readonly Command[] = [
  {
    name: 'switch off',
    usage: 'SCOPE:NAME… --reason "…"',
    wordsMax: scopeWordsMax,
    summary: 'Take a scope out, in force before it returns',
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why (required)' },
      ...effectOptions,
      observe: { type: 'boolean', help: 'move nobody; only note what it would do' },
      for: { type: 'string', value: '2h', help: 'default 2h; "ever": until released' },
      'in-flight': { type: 'string', value: 'WORD', help: 'finish | cancel_uncommitted | cancel' },
      'failure-class': {
        type: 'string',
        value: 'WORD',
        help: 'availability | latency | capacity | quality | …',
      },
      expiry: { type: 'string', value: 'WORD', help: 'what then: ramp | stay (off, and remind)' },
      as: asOption,
    },
    run: off,
  },
  {
    name: 'switch preview',
    usage: 'SCOPE:NAME…',
    wordsMax: scopeWordsMax,
    summary: 'Who would move where, who would be stranded, by the last 15 minutes',
    options: effectOptions,
    run: preview,
  },
  {
    name: 'switch on',
    usage: 'ID | SCOPE:NAME…',
    wordsMax: scopeWordsMax,
    summary: 'Release switches; what they took out ramps back',
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why' },
      'at-once': { type: 'boolean', help: 'without a ramp' },
      as: asOption,
    },
    run: on,
  },
  {
    name: 'switch list',
    usage: '',
    wordsMax: 0,
    summary: 'Switches in force',
    options: {},
    run: list,
  },
];
