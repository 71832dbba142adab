/** `breakwater explain | requests | state | changes` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { option, queryOf, textOption, usageError } from './command.ts';
import type { Call, Command, CommandOption, ExitCode } from './command.ts';
import { entries, paragraph, table, textOf, timeOf, whyText } from './layout.ts';

const pageOptions: Readonly<Record<string, CommandOption>> = {
  cursor: option('ID', 'go on after this one, as the page before says'),
  limit: option('N', 'how many; 1 to 200, default 50'),
};

const changeOptions: Readonly<Record<string, CommandOption>> = {
  kind: option('KIND', 'such as switch.created, or switch.*'),
  actor: option('NAME', 'that this one decided'),
  subject: option('ID', 'of this: a switch, a target, an incident …'),
  since: option('TIME', 'from then on; a time, or back from now: 1h'),
  until: option('TIME', 'before then'),
  ...pageOptions,
};

/** Which records are meant. */
export const recordOptions: Readonly<Record<string, CommandOption>> = {
  feature: option('NAME', 'of this feature'),
  target: option('TARGET', 'answered by it: provider/model'),
  attempted: option('TARGET', 'with an attempt at it, failed ones included'),
  requested: option('NAME', 'that asked for it'),
  hop: option('WORD', 'same_model | same_vendor | other_vendor | local'),
  fallback: option('WORD', 'why the preferred target did not answer, such as overloaded'),
  boundary: option('WORD', 'content crossed: none | entity | region | retention'),
  failure: option('CLASS', 'with an attempt that failed like this'),
  outcome: option('WORD', 'answered | partial | refused | failed | cancelled'),
  tenant: option('NAME', 'of this tenant'),
  user: option('NAME', 'of this user'),
  key: option('ID', 'made with this key'),
  incident: option('ID', 'that this incident hit'),
  since: option('TIME', 'from then on; a time, or back from now: 1h'),
  until: option('TIME', 'before then'),
};
const filters = { ...recordOptions, ...pageOptions };

function more(value: Json): string {
  return value['next_cursor'] === null ? '' : `\nMore: --cursor ${textOf(value['next_cursor'])}`;
}

/** `notes: openai/gpt-5.2 answered instead of anthropic/claude-opus-4-8 (overloaded)`. */
function requestBody(record: Json): string {
  const { feature, served, preferred, fallback, error_code: errorCode } = record;
  const why = fallback === null ? '' : ` (${textOf(fallback)})`;
  if (served === null)
    return `${textOf(feature)}: no answer${errorCode === null ? '' : `, ${textOf(errorCode)}`}${why}`;
  const instead = served === preferred ? '' : ` instead of ${textOf(preferred)}${why}`;
  return `${textOf(feature)}: ${textOf(served)}${instead}`;
}

async function requests(call: Call): Promise<ExitCode> {
  const path = `requests${queryOf(call, Object.keys(filters))}`;
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const list = items(value).map((record) => ({
      head: [textOf(record['id']), timeOf(record['at']), textOf(record['outcome'])],
      body: requestBody(record),
    }));
    return list.length === 0 ? 'No request fits.' : `${entries(list)}${more(value)}`;
  });
}

const hypothetical = ['feature', 'model', 'data-class', 'key', 'needs', 'input-tokens'] as const;

/** What is asked of a request that was not made; text says what is wrong with it. */
function hypotheticalBody(call: Call): Json | string {
  const tokens = textOption(call, 'input-tokens');
  if (tokens !== null && !/^\d{1,9}$/.test(tokens)) return '--input-tokens takes a number: 60000';
  const needs = textOption(call, 'needs');
  const words = Object.fromEntries(
    (['feature', 'model', 'data-class', 'key'] as const).flatMap((name) => {
      const value = textOption(call, name);
      return value === null ? [] : [[name.replace('-', '_'), value] as const];
    }),
  );
  return {
    ...words,
    ...(needs === null ? {} : { needs: needs.split(',').map((word) => word.trim()) }),
    ...(tokens === null ? {} : { input_tokens: Number(tokens) }),
  };
}

const saysWords: Readonly<Record<string, string>> = {
  allows: 'allows it',
  excludes: 'EXCLUDES it',
  asks: 'asks the user',
  notes: 'notes',
};

/** Every target with the word of every rule on it. */
function candidateText(candidate: Json): string {
  const rules = (candidate['rules'] as readonly Json[]).map((rule) => [
    `  ${textOf(rule['rule']).replaceAll('_', ' ')}`,
    saysWords[textOf(rule['says'])] ?? textOf(rule['says']),
    rule['words'] === null ? '' : textOf(rule['words']),
  ]);
  return `${textOf(candidate['target'])}\n${table(rules)}`;
}

async function explainHypothetical(call: Call): Promise<ExitCode> {
  const body = hypotheticalBody(call);
  if (typeof body === 'string') return usageError(call, body);
  return show(call, await callAdmin(call, 'POST', 'explain', body), (value) =>
    [
      textOf(value['words'])
        .split(/(?<=\.) (?=\w)/)
        .map((sentence) => paragraph(sentence))
        .join('\n'),
      ...(value['candidates'] as readonly Json[]).map(candidateText),
    ].join('\n\n'),
  );
}

async function explain(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  const isHypothetical = hypothetical.some((name) => textOption(call, name) !== null);
  if (id === undefined && isHypothetical) return explainHypothetical(call);
  if (id === undefined || isHypothetical)
    return usageError(
      call,
      'Name one request: breakwater explain req_…\nOr one that was not made: breakwater explain --feature NAME',
    );
  return show(call, await callAdmin(call, 'GET', `requests/${encodeURIComponent(id)}`), (value) =>
    (value['words'] as readonly string[]).map((sentence) => paragraph(sentence)).join('\n'),
  );
}

function targetRow(target: Json): readonly string[] {
  const gate = target['gate'] as Json;
  const off = target['off_by'] as readonly string[];
  return [
    textOf(target['target']),
    off.length === 0 ? textOf(gate['state']) : 'off',
    off.length === 0 ? whyText(target) : `by ${off.join(' ')}`,
  ];
}

async function state(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'state'), (value) => {
    const features = (value['features'] as readonly Json[]).map((feature) => [
      textOf(feature['feature']),
      textOf(feature['status']),
      textOf(feature['serving']),
    ]);
    const targets = (value['targets'] as readonly Json[]).map(targetRow);
    const off = (value['switches'] as readonly Json[]).length;
    const last =
      off === 0 ? 'No switch is in force.' : `Switches in force: ${off}. See: breakwater switch list`;
    return [
      table([['FEATURE', 'STATUS', 'SERVED BY'], ...features]),
      table([['TARGET', 'STATE', 'WHY'], ...targets]),
      last,
    ].join('\n\n');
  });
}

async function changes(call: Call): Promise<ExitCode> {
  const path = `changes${queryOf(call, Object.keys(changeOptions))}`;
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const list = items(value).map((change) => ({
      head: [timeOf(change['at']), textOf(change['kind']), textOf(change['actor'])],
      body: `${textOf(change['subject'])}${change['reason'] === null ? '' : `: ${textOf(change['reason'])}`}`,
    }));
    return list.length === 0 ? 'No such change.' : `${entries(list)}${more(value)}`;
  });
}

export const queryCommands: readonly Command[] = [
  {
    name: 'explain',
    usage: 'req_… | --feature NAME',
    wordsMax: 1,
    summary: 'What happened to a request, or would happen to one',
    options: {
      feature: option('NAME', 'a request of this feature, not made'),
      model: option('NAME', 'for this model'),
      'data-class': option('NAME', 'with this class of data'),
      key: option('ID', 'with this key'),
      needs: option('a,b', 'that needs tools, vision, structured_output …'),
      'input-tokens': option('N', 'of about this length'),
    },
    run: explain,
  },
  {
    name: 'requests',
    usage: '',
    wordsMax: 0,
    summary: 'Records of requests, newest first',
    options: filters,
    run: requests,
  },
  {
    name: 'state',
    usage: '',
    wordsMax: 0,
    summary: 'Features, targets and what is off, now',
    options: {},
    run: state,
  },
  {
    name: 'changes',
    usage: '',
    wordsMax: 0,
    summary: 'What people and the machine decided, newest first',
    options: changeOptions,
    run: changes,
  },
];
