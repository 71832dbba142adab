import { expect, test } from 'bun:test';

import { targetName } from './ids.ts';
import { signalOf, withoutSignal, withSignal } from './model-signal.ts';
import type { ModelSignal, Reported } from './model-signal.ts';

const opus = targetName('anthropic', 'claude-opus-4-8');
const answer = (modelReported: string | null) =>
  ({ served: opus, modelReported, outcome: 'answered' }) as const;

test('a name that was never reported is a signal, once; a known one is none', () => {
  const none: Reported = new Map();
  const first = signalOf(none, answer('claude-opus-4-8')) as ModelSignal;
  expect(first).toEqual({ target: opus, before: [], after: 'claude-opus-4-8' });
  const known = withSignal(none, first);
  expect(signalOf(known, answer('claude-opus-4-8'))).toBeNull();
  const changed = signalOf(known, answer('claude-opus-4-8-20260601')) as ModelSignal;
  expect(changed.before).toEqual(['claude-opus-4-8']);
  const both = withSignal(known, changed);
  expect(signalOf(both, answer('claude-opus-4-8'))).toBeNull();
  expect(signalOf(withoutSignal(both, changed), answer(changed.after))).toEqual(changed);
});

test('what did not answer, or says nothing, is no signal', () => {
  expect(signalOf(new Map(), answer(null))).toBeNull();
  expect(signalOf(new Map(), { ...answer('x'), outcome: 'failed' })).toBeNull();
});
