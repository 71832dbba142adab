/** Changes are found by kind, actor, subject and time, across pages, each once and newest first. */
import { expect, test } from 'bun:test';

import { findChanges, kindsNamed } from '../src/control/changes.ts';
import type { ChangeFilter } from '../src/control/changes.ts';
import { changeId, instant } from '../src/core/ids.ts';
import type { Change, ChangeKind } from '../src/core/record.ts';
import { pageSizeMax } from '../src/store/store.ts';
import { aChange, start } from './record-fixture.ts';

const everything: ChangeFilter = { kind: null, actor: null, subject: null, since: null, until: null };
/** One a minute, the newest first. */
const all: readonly Change[] = Array.from({ length: 3 * pageSizeMax }, (_, index) =>
  aChange({
    id: changeId(`chg_${index}`),
    at: instant(start - index * 60_000),
    kind: index % 3 === 0 ? 'switch.created' : 'gate.transition',
    actor: index % 10 === 0 ? 'maria' : 'system',
    subject: index % 2 === 0 ? 'sw_1' : 'sw_2',
  }),
);
const store = {
  listChanges: (cursor: string | null, limit: number, kinds?: readonly ChangeKind[]) => {
    const from = cursor === null ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
    const meant = all.slice(from).filter(({ kind }) => kinds === undefined || kinds.includes(kind));
    const items = meant.slice(0, limit);
    return Promise.resolve({ items, nextCursor: meant.length > limit ? (items.at(-1)?.id ?? null) : null });
  },
};

async function found(filter: Partial<ChangeFilter>, limit = 7): Promise<readonly Change[]> {
  const items: Change[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof findChanges>> = await findChanges(
      { ...everything, ...filter },
      cursor,
      limit,
      store,
    );
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

const hourAgo = instant(start - 3_600_000);
test.each([
  ['nothing said', {}, () => true],
  ['a kind', { kind: 'switch.created' }, ({ kind }: Change) => kind === 'switch.created'],
  ['kinds', { kind: 'switch.*' }, ({ kind }: Change) => kind.startsWith('switch.')],
  ['an actor', { actor: 'maria' }, ({ actor }: Change) => actor === 'maria'],
  ['a subject', { subject: 'sw_2' }, ({ subject }: Change) => subject === 'sw_2'],
  ['since', { since: hourAgo }, ({ at }: Change) => at >= hourAgo],
  ['until', { until: hourAgo }, ({ at }: Change) => at < hourAgo],
  [
    'all of them',
    { kind: 'switch.*', actor: 'maria', until: hourAgo },
    ({ kind, actor, at }: Change) => kind.startsWith('switch.') && actor === 'maria' && at < hourAgo,
  ],
] as const)('%s', async (_name, filter, isMeant) => {
  expect((await found(filter)).map(({ id }) => id)).toEqual(all.filter(isMeant).map(({ id }) => id));
});

test('a word that means no kind means none', () => {
  expect(kindsNamed('switch.create')).toEqual([]);
  expect(kindsNamed('*').length).toBeGreaterThan(20);
});
