/** `breakwater diagnose | whatchanged` */
import { callAdmin, complain, items, show } from './client.ts';
import type { Json } from './client.ts';
import { option, queryOf, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { coverageText } from './coverage-text.ts';
import { entries, paragraph, table, textOf, timeOf } from './layout.ts';

async function diagnose(call: Call): Promise<ExitCode> {
  const [feature] = call.words;
  const query = feature === undefined ? '' : `?feature=${encodeURIComponent(feature)}`;
  return show(call, await callAdmin(call, 'GET', `diagnosis${query}`), (value) => {
    const evidence = (value['evidence'] as readonly Json[]).map((line) => ({
      head: [textOf(line['source']), textOf(line['subject'])],
      body: textOf(line['words']),
    }));
    const go = value['can_continue'] === true ? 'You can continue.' : 'You cannot continue as it is.';
    return [
      paragraph(`${textOf(value['verdict'])}: ${textOf(value['words'])}`),
      paragraph(`${go} ${textOf(value['how'])}`),
      entries(evidence),
    ].join('\n\n');
  });
}

async function whatChanged(call: Call): Promise<ExitCode> {
  const query = queryOf(call, ['since', 'until', 'category', 'limit']);
  return show(call, await callAdmin(call, 'GET', `whatchanged${query}`), (value) => {
    const list = items(value).map((change) => ({
      head: [timeOf(change['at']), textOf(change['category'])],
      body: textOf(change['words']),
    }));
    return list.length === 0 ? 'Nothing changed.' : entries(list);
  });
}

function canaryRow(entry: Json): readonly string[] {
  const reference = entry['reference'] as Json;
  const finding = entry['finding'] as Json | null;
  return [
    textOf(entry['target']),
    `${textOf(reference['rounds'])} of ${textOf(reference['of'])}`,
    timeOf(entry['asked_at']),
    timeOf(entry['due_at']),
    finding === null ? 'nothing' : textOf(finding['words']),
  ];
}

async function canaries(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'canaries'), (value) => {
    const rows = items(value).map(canaryRow);
    return rows.length === 0
      ? 'Nobody is asked. Write "canaries: {}" into the configuration to begin.'
      : table([['TARGET', 'REFERENCE', 'ASKED', 'NEXT', 'FOUND'], ...rows]);
  });
}

async function coverage(call: Call): Promise<ExitCode> {
  const [feature] = call.words;
  const reply = await callAdmin(call, 'GET', 'coverage');
  if (!reply.ok) return complain(call, reply);
  const found = items(reply.value).filter((each) => feature === undefined || each['feature'] === feature);
  if (feature !== undefined && found.length === 0)
    return usageError(call, `There is no feature ${feature}. See: breakwater state`);
  const value = { items: found, next_cursor: null };
  return show(call, { ok: true, value }, () => found.map(coverageText).join('\n\n'));
}

export const insightCommands: readonly Command[] = [
  {
    name: 'diagnose',
    usage: '[FEATURE]',
    wordsMax: 1,
    summary: 'Is it us or them, and can I continue?',
    options: {},
    run: diagnose,
  },
  {
    name: 'coverage',
    usage: '[FEATURE]',
    wordsMax: 1,
    summary: 'What is left after a loss, per feature and data class, and which claims hold',
    options: {},
    run: coverage,
  },
  {
    name: 'canaries',
    usage: '',
    wordsMax: 0,
    summary: 'Whom we ask fixed questions to notice a changed model, and what was found',
    options: {},
    run: canaries,
  },
  {
    name: 'whatchanged',
    usage: '',
    wordsMax: 0,
    summary: 'What changed: outage, capacity, model, quality, routing, policy',
    options: {
      since: option('TIME', 'from then on; a time, or back from now: 1h'),
      until: option('TIME', 'before then'),
      category: option(
        'WORD',
        'outage | capacity | model_update | quality_drift | routing_change | policy_change | provider_notice',
      ),
      limit: option('N', 'how many; 1 to 200, default 50'),
    },
    run: whatChanged,
  },
];
