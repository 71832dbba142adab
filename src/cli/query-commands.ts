/** `breakwater explain | requests | state | changes` */
import { callAdmin, items, show, table, textOf } from './client.ts';
import type { Json } from './client.ts';
import { textOption } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';

const filters = [
  'feature',
  'target',
  'attempted',
  'requested',
  'hop',
  'boundary',
  'failure',
  'outcome',
  'tenant',
  'user',
  'key',
  'since',
  'until',
  'cursor',
  'limit',
] as const;

async function requests(call: Call): Promise<ExitCode> {
  const query = new URLSearchParams();
  for (const name of filters) {
    const value = textOption(call, name);
    if (value !== null) query.set(name, value);
  }
  return show(call, await callAdmin(call, 'GET', `requests?${query.toString()}`), (value) => {
    const rows = items(value).map((record) => [
      textOf(record['id']),
      textOf(record['at']).slice(11, 19),
      textOf(record['feature']),
      textOf(record['served']),
      textOf(record['outcome']),
      textOf(record['fallback']),
    ]);
    const more = value['next_cursor'] === null ? '' : `\nmore: --cursor ${textOf(value['next_cursor'])}`;
    return rows.length === 0
      ? 'No request fits.'
      : `${table([['ID', 'AT', 'FEATURE', 'SERVED', 'OUTCOME', 'WHY NOT THE PREFERRED'], ...rows])}${more}`;
  });
}

async function hypothetical(call: Call): Promise<ExitCode> {
  const feature = textOption(call, 'feature');
  const model = textOption(call, 'model');
  const dataClass = textOption(call, 'data-class');
  const body: Json = {
    ...(feature === null ? {} : { feature }),
    ...(model === null ? {} : { model }),
    ...(dataClass === null ? {} : { data_class: dataClass }),
  };
  return show(call, await callAdmin(call, 'POST', 'explain', body), (value) =>
    textOf(value['words']).replaceAll('. ', '.\n'),
  );
}

async function explain(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined && (textOption(call, 'feature') !== null || textOption(call, 'model') !== null))
    return hypothetical(call);
  if (id === undefined) {
    call.complain(
      'Name a request: breakwater explain req_…, or a hypothetical one: breakwater explain --feature NAME',
    );
    return 2;
  }
  return show(call, await callAdmin(call, 'GET', `requests/${encodeURIComponent(id)}`), (value) =>
    (value['words'] as readonly string[]).join('\n'),
  );
}

async function state(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'state'), (value) => {
    const features = (value['features'] as readonly Json[]).map((feature) => [
      textOf(feature['feature']),
      textOf(feature['status']),
      textOf(feature['serving']),
    ]);
    const targets = (value['targets'] as readonly Json[]).map((target) => {
      const gate = target['gate'] as Json;
      const off = (target['off_by'] as readonly string[]).join(' ');
      return [
        textOf(target['target']),
        off === '' ? textOf(gate['state']) : `off by ${off}`,
        textOf(gate['words']),
      ];
    });
    return `${table([['FEATURE', 'STATUS', 'SERVING'], ...features])}\n\n${table([['TARGET', 'STATE', 'WHY'], ...targets])}`;
  });
}

async function changes(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'changes'), (value) =>
    table([
      ['AT', 'KIND', 'BY', 'SUBJECT', 'REASON'],
      ...items(value).map((change) => [
        textOf(change['at']),
        textOf(change['kind']),
        textOf(change['actor']),
        textOf(change['subject']),
        textOf(change['reason']),
      ]),
    ]),
  );
}

export const queryCommands: readonly Command[] = [
  {
    name: 'explain',
    usage: 'req_… | --feature NAME',
    summary: 'What happened to a request, in sentences; or what would happen to one',
    options: {
      feature: { type: 'string', value: 'NAME', help: 'a hypothetical request of this feature' },
      model: { type: 'string', value: 'NAME', help: 'for this model' },
      'data-class': { type: 'string', value: 'NAME', help: 'with this class of data' },
    },
    run: explain,
  },
  {
    name: 'requests',
    usage: '',
    summary: 'Records, newest first',
    options: Object.fromEntries(
      filters.map((name) => [
        name,
        {
          type: 'string' as const,
          value: name.toUpperCase(),
          help:
            name === 'since' || name === 'until'
              ? 'a time, or a duration back such as 1h'
              : `only this ${name}`,
        },
      ]),
    ),
    run: requests,
  },
  { name: 'state', usage: '', summary: 'Features, targets and what is off, now', options: {}, run: state },
  { name: 'changes', usage: '', summary: 'What people and the machine decided', options: {}, run: changes },
];
