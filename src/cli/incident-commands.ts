/** `breakwater incident …` */
import { countedShare } from '../core/percent.ts';
import { durationWords } from '../core/words.ts';
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, option, queryOf, textOption, usageError } from './command.ts';
import type { Call, Command, CommandOption, ExitCode } from './command.ts';
import { entries, paragraph, table, textOf, timeOf } from './layout.ts';

const at = (id: string, rest = ''): string => `incidents/${encodeURIComponent(id)}${rest}`;

const nameIt = (call: Call, verb: string): ExitCode =>
  usageError(call, `Name the incident: breakwater incident ${verb} inc_…`);

/** `3 rescued, 1 failed`. */
function countsWords(requests: unknown): string {
  const { total, ...by } = requests as Json;
  const parts = Object.entries(by).flatMap(([how, count]) =>
    Number(count) > 0 ? [`${textOf(count)} ${how}`] : [],
  );
  return parts.length === 0 ? `${textOf(total)} requests` : `${textOf(total)} requests: ${parts.join(', ')}`;
}

function listWords(incident: Json): { readonly head: string[]; readonly body: string } {
  return {
    head: [
      textOf(incident['id']),
      textOf(incident['state']),
      textOf(incident['severity']),
      timeOf((incident['times'] as Json)['detected']),
    ],
    body: `${textOf(incident['title'])}; ${countsWords(incident['requests'])}`,
  };
}

async function list(call: Call): Promise<ExitCode> {
  const query = queryOf(call, ['state', 'cursor', 'limit']);
  return show(call, await callAdmin(call, 'GET', `incidents${query}`), (value) => {
    const found = items(value).map(listWords);
    return found.length === 0 ? 'No incident.' : entries(found);
  });
}

const timeWords: readonly (readonly [string, string])[] = [
  ['detected', 'detected'],
  ['switched', 'traffic moved'],
  ['provider_declared', 'provider declared'],
  ['provider_resolved', 'provider resolved'],
  ['normal_routing_resumed', 'normal routing resumed'],
];

/** Who knew first. */
function leadWords(ms: unknown): string {
  if (typeof ms !== 'number') return 'The provider has announced nothing that we know of.';
  return ms >= 0
    ? `We knew ${durationWords(ms)} before the provider said so.`
    : `The provider said so ${durationWords(-ms)} before we knew.`;
}

function featureRow(feature: Json): readonly string[] {
  const share = Number(feature['share']);
  return [
    textOf(feature['title']),
    textOf(feature['status']),
    textOf(feature['backup']),
    countedShare(share),
    feature['normal_at'] === null ? 'not yet' : timeOf(feature['normal_at']),
  ];
}

function showWords(value: Json): string {
  const times = value['times'] as Json;
  const features = value['features'] as readonly Json[];
  const timeline = (value['timeline'] as readonly Json[]).map((entry) => ({
    head: [timeOf(entry['at']), ...new Set([textOf(entry['source']), textOf(entry['by'])])],
    body: textOf(entry['text']),
  }));
  const left = value['data_left_to'] as readonly string[];
  return [
    `${textOf(value['id'])}  ${textOf(value['state'])}  ${textOf(value['severity'])}  ${textOf(value['failure_class'])}`,
    paragraph(textOf(value['title'])),
    (value['reasoning'] as readonly string[]).map((sentence) => paragraph(sentence)).join('\n'),
    `${table(timeWords.map(([name, words]) => [words, timeOf(times[name])]))}\n${paragraph(leadWords(value['lead_ms']))}`,
    features.length === 0
      ? 'No feature is affected.'
      : table([['FEATURE', 'STATUS', 'BACKUP', 'ON BACKUP', 'NORMAL AT'], ...features.map(featureRow)]),
    paragraph(
      `${countsWords(value['requests'])}. ${left.length === 0 ? 'No content went to another company.' : `Content went to ${left.join(', ')}.`}`,
    ),
    entries(timeline),
  ].join('\n\n');
}

async function showOne(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  return id === undefined
    ? nameIt(call, 'show')
    : show(call, await callAdmin(call, 'GET', at(id)), showWords);
}

const doneWords = (value: Json): string =>
  `${textOf(value['id'])}  ${textOf(value['state'])}\n${paragraph(textOf(value['title']))}`;

/** Options whose text goes into the body as it is, under the name the API gives it. */
function bodyOf(call: Call, names: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, field]) => {
      const value = textOption(call, name);
      return value === null ? [] : [[field, value] as const];
    }),
  );
}

function listOption(call: Call, name: string): Json {
  const value = textOption(call, name);
  return value === null ? {} : { [name]: value.split(',').map((each) => each.trim()) };
}

const said = {
  text: 'text',
  class: 'failure_class',
  severity: 'severity',
  state: 'state',
  title: 'title',
  source: 'source',
  audience: 'audience',
  at: 'at',
};

async function open(call: Call): Promise<ExitCode> {
  if (textOption(call, 'class') === null)
    return usageError(call, 'Say what kind of failure it is with --class, for example --class availability.');
  const body = {
    ...bodyOf(call, said),
    ...listOption(call, 'models'),
    ...listOption(call, 'targets'),
    ...listOption(call, 'features'),
  };
  return show(call, await callAdmin(call, 'POST', 'incidents', body), doneWords);
}

async function update(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return nameIt(call, 'update');
  const times = bodyOf(call, { declared: 'provider_declared', resolved: 'provider_resolved' });
  const roles = bodyOf(call, { lead: 'lead', comms: 'comms', ops: 'ops' });
  const body = {
    ...bodyOf(call, said),
    ...nextUpdate(call),
    ...listOption(call, 'targets'),
    ...(Object.keys(times).length === 0 ? {} : { times }),
    ...(Object.keys(roles).length === 0 ? {} : { roles }),
  };
  return show(call, await callAdmin(call, 'POST', at(id, '/updates'), body), doneWords);
}

/** A promise of a next word, or that there is none. */
function nextUpdate(call: Call): Json {
  const at = textOption(call, 'next-update');
  return at === null ? {} : { next_update_at: at === 'none' ? null : at };
}

async function merge(call: Call): Promise<ExitCode> {
  const [id, into] = call.words;
  if (id === undefined || into === undefined)
    return usageError(
      call,
      'Name both: breakwater incident merge inc_… inc_… makes the first part of the second.',
    );
  const body = { into, ...bodyOf(call, { reason: 'reason' }) };
  return show(call, await callAdmin(call, 'POST', at(id, '/merge'), body), doneWords);
}

async function split(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return nameIt(call, 'split');
  if (textOption(call, 'targets') === null)
    return usageError(call, 'Name the targets that are another story with --targets.');
  const body = { ...listOption(call, 'targets'), ...bodyOf(call, { reason: 'reason', title: 'title' }) };
  return show(call, await callAdmin(call, 'POST', at(id, '/split'), body), doneWords);
}

async function dismiss(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return nameIt(call, 'dismiss');
  const reason = textOption(call, 'reason');
  if (reason === null) return usageError(call, 'Say why with --reason "…": it is kept with the incident.');
  return show(call, await callAdmin(call, 'POST', at(id, '/dismiss'), { reason }), doneWords);
}

async function postmortem(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return nameIt(call, 'postmortem');
  return show(call, await callAdmin(call, 'GET', at(id, '/postmortem')), (value) =>
    textOf(value['markdown']),
  );
}

async function requests(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return nameIt(call, 'requests');
  const path = at(id, `/requests${queryOf(call, ['how', 'feature', 'cursor', 'limit'])}`);
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const found = items(value).map((hit) => ({
      head: [textOf(hit['id']), timeOf(hit['at']), textOf(hit['how'])],
      body: `${textOf(hit['feature'])}: asked for ${textOf(hit['preferred'])}, answered by ${textOf(hit['served'])}`,
    }));
    const more = value['next_cursor'] === null ? '' : `\nMore: --cursor ${textOf(value['next_cursor'])}`;
    return `${countsWords(value['totals'])}${found.length === 0 ? '' : `\n${entries(found)}`}${more}`;
  });
}

const saying: Readonly<Record<string, CommandOption>> = {
  text: option('TEXT', 'what is to be said'),
  class: option(
    'WORD',
    'availability | latency | capacity | quality | safety | data_handling | deprecation | own_change',
  ),
  severity: option('WORD', 'SEV1 | SEV2 | SEV3 | SEV4'),
  title: option('TEXT', 'what it is called'),
  source: option('WORD', 'who says it: person (default) | provider | playbook'),
  audience: option('WORD', 'internal (default) | public'),
  at: option('TIME', 'when it happened; now unless said'),
};
const reason = option('TEXT', 'why');

export const incidentCommands: readonly Command[] = [
  {
    name: 'incident list',
    usage: '',
    wordsMax: 0,
    summary: 'Incidents, newest first',
    options: {
      state: option('WORD', 'open, or one state'),
      cursor: option('ID', 'go on after this one'),
      limit: option('N', 'how many; 1 to 200, default 50'),
    },
    run: list,
  },
  {
    name: 'incident show',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'One incident: what failed, since when, whom it hit, what was done',
    options: {},
    run: showOne,
  },
  {
    name: 'incident open',
    usage: '--class WORD',
    wordsMax: 0,
    summary: 'Open an incident; the kind of failure is required',
    options: {
      ...saying,
      state: option('WORD', 'active (default) | suspected'),
      models: option('A,B', 'models that fail'),
      targets: option('A,B', 'targets that fail: provider/model'),
      features: option('A,B', 'features that are affected'),
      as: asOption,
    },
    run: open,
  },
  {
    name: 'incident update',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'Add to its timeline, move it on, correct it',
    options: {
      ...saying,
      state: option('WORD', 'active | mitigated | restoring | resolved | reviewed'),
      targets: option('A,B', 'targets that belong to it, too: provider/model'),
      'next-update': option('TIME', 'when the next word is promised; none takes it back'),
      declared: option('TIME', 'when the provider declared it'),
      resolved: option('TIME', 'when the provider said it was over'),
      lead: option('NAME', 'who leads'),
      comms: option('NAME', 'who speaks'),
      ops: option('NAME', 'who acts'),
      as: asOption,
    },
    run: update,
  },
  {
    name: 'incident merge',
    usage: 'inc_… inc_…',
    wordsMax: 2,
    summary: 'Make the first part of the second; its requests go along',
    options: { reason, as: asOption },
    run: merge,
  },
  {
    name: 'incident split',
    usage: 'inc_… --targets A,B',
    wordsMax: 1,
    summary: 'Make some of its targets an incident of their own',
    options: {
      targets: option('A,B', 'targets that are another story'),
      title: option('TEXT', 'what it is called'),
      reason,
      as: asOption,
    },
    run: split,
  },
  {
    name: 'incident dismiss',
    usage: 'inc_… --reason "…"',
    wordsMax: 1,
    summary: 'It was nothing, or nothing of ours',
    options: { reason, as: asOption },
    run: dismiss,
  },
  {
    name: 'incident postmortem',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'The draft of a post-mortem in Markdown, with numbers and their queries',
    options: {},
    run: postmortem,
  },
  {
    name: 'incident requests',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'Exactly the requests it hit, and how',
    options: {
      how: option('WORD', 'failed | rescued | asked | refused | delayed | cut'),
      feature: option('NAME', 'of this feature'),
      cursor: option('ID', 'go on after this one'),
      limit: option('N', 'how many; 1 to 200, default 50'),
    },
    run: requests,
  },
];
