import { expect, test } from 'bun:test';

import { changeId, instant } from './ids.ts';
import { changeKinds } from './record.ts';
import type { Change } from './record.ts';
import { categoryOf, changeSentence } from './what-changed.ts';

const change = (facts: Partial<Change>): Change => ({
  id: changeId('ch_1'),
  at: instant(0),
  kind: 'gate.transition',
  actor: 'system',
  subject: 'anthropic/claude-opus-4-8',
  reason: null,
  before: null,
  after: null,
  ...facts,
});

test('a gate that moved', () => {
  const moved = change({ before: 'ejected', after: 'probing', reason: 'the hold is over' });
  expect(changeSentence(moved, 'routing_change')).toBe(
    'Routing: the gate of anthropic/claude-opus-4-8 went from ejected to probing: the hold is over',
  );
});

test('a switch says who, over what, and why', () => {
  const made = change({
    kind: 'switch.created',
    actor: 'maria',
    subject: 'sw_1',
    reason: 'elevated errors',
    after: { scope: { vendor: 'anthropic' } },
  });
  expect(changeSentence(made, 'routing_change')).toBe(
    'Routing: maria made a switch over vendor:anthropic (sw_1): elevated errors',
  );
});

test('no change that anybody would feel is told by the name of its kind', () => {
  const felt = changeKinds.filter(
    (kind) =>
      categoryOf(change({ kind, before: 'x', after: { state: 'active', failure_class: 'capacity' } })) !==
      null,
  );
  expect(felt.length).toBeGreaterThan(15);
  for (const kind of felt) expect(changeSentence(change({ kind }), 'outage')).not.toContain(kind);
});
