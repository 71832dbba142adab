/** The questions people asked that day, answered from the records through the same API anyone would use. */
import type { World } from './world.ts';

type Item = Readonly<Record<string, unknown>>;

const itemsOf = (value: Readonly<Record<string, unknown>>): readonly Item[] =>
  (value['items'] ?? []) as readonly Item[];
const pagesMax = 100;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

async function all(world: World, query: string): Promise<readonly Item[]> {
  const found: Item[] = [];
  let cursor = '';
  for (let page = 0; page < pagesMax; page++) {
    const value = await world.ask(
      'GET',
      `${query}${query.includes('?') ? '&' : '?'}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    found.push(...itemsOf(value));
    if (value['next_cursor'] === null || value['next_cursor'] === undefined) break;
    cursor = textOf(value['next_cursor']);
  }
  return found;
}

function countBy(items: readonly Item[], key: string): string {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(String(item[key]), (counts.get(String(item[key])) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(' · ');
}

const clock = (text: unknown): string => String(text).slice(11, 19);

function whatWasWrong(changes: readonly Item[]): readonly string[] {
  const ejections = changes
    .filter((change) => change['kind'] === 'gate.transition' && change['after'] === 'ejected')
    .reverse();
  const first = new Map(
    ejections.map((change) => [String(change['subject']), change]).reverse() as [string, Item][],
  );
  if (first.size === 0) return ['No gate acted.'];
  return [...first.values()].map(
    (change) => `${clock(change['at'])} ${String(change['subject'])}: ${String(change['reason'])}`,
  );
}

function backToNormal(changes: readonly Item[]): readonly string[] {
  const last = new Map<string, Item>();
  for (const change of [...changes].reverse())
    if (change['kind'] === 'gate.transition') last.set(String(change['subject']), change);
  return [...last].map(([target, change]) =>
    change['after'] === 'healthy'
      ? `${target} at ${clock(change['at'])}`
      : `${target}: still ${String(change['after'])}`,
  );
}

function decisions(changes: readonly Item[]): readonly string[] {
  return changes
    .filter((change) => String(change['kind']).startsWith('switch.'))
    .reverse()
    .map(
      (change) =>
        `${clock(change['at'])} ${String(change['actor'])}: ${String(change['kind']).replace('switch.', 'switch ')}, "${String(change['reason'])}"`,
    );
}

export type Answered = { readonly question: string; readonly lines: readonly string[] };

export async function answerQuestions(world: World): Promise<readonly Answered[]> {
  await world.server.engine.records.flush();
  const records = await all(world, 'requests');
  const changes = await all(world, 'changes');
  const rescued = records.filter((record) => record['outcome'] === 'answered' && record['hop'] !== null);
  const crossed = records.filter((record) => (record['boundary'] as readonly string[]).includes('entity'));
  const hit = records.filter((record) =>
    (record['attempts'] as readonly Item[]).some((attempt) => attempt['outcome'] === 'failed'),
  );
  const confidentialAway = records.filter(
    (record) =>
      record['data_class'] === 'confidential' &&
      (record['attempts'] as readonly Item[]).some((attempt) => attempt['company'] === 'OpenAI OpCo LLC'),
  );
  const example = rescued.find((record) => (record['attempts'] as readonly Item[]).length > 1) ?? rescued[0];
  const explained =
    example === undefined
      ? []
      : ((await world.ask('GET', `requests/${String(example['id'])}`))['words'] as readonly string[]);
  return [
    {
      question: 'Which model answered?',
      lines: [
        `${records.length} requests. Served by: ${countBy(
          records.filter((record) => record['served'] !== null),
          'served',
        )}`,
      ],
    },
    {
      question: 'Was another model used?',
      lines: [
        `Yes, for ${rescued.length} requests: ${countBy(rescued, 'hop')}. Why: ${countBy(rescued, 'fallback')}`,
      ],
    },
    {
      question: 'Did my data go to another company?',
      lines: [
        `For ${crossed.length} requests, failed attempts included: ${countBy(crossed, 'feature')}`,
        `Confidential papers that reached a company not approved for them: ${confidentialAway.length}`,
      ],
    },
    {
      question: 'Which of my requests were hit?',
      lines: [
        `${hit.length} met a failure; ${hit.filter((record) => record['outcome'] === 'answered').length} of them were answered all the same.`,
        `How all requests ended: ${countBy(records, 'outcome')}`,
      ],
    },
    { question: 'Is it them or us?', lines: whatWasWrong(changes) },
    { question: 'Who decided?', lines: decisions(changes) },
    { question: 'When was routing normal again?', lines: backToNormal(changes) },
    {
      question: `What happened to this one? (${example === undefined ? 'none' : textOf(example['id'])})`,
      lines: explained,
    },
  ];
}
