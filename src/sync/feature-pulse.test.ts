import { expect, test } from 'bun:test';

import { aRecord, anAttempt } from '../../test/record-fixture.ts';
import { instant } from '../core/ids.ts';
import type { FeatureView } from '../core/status.ts';
import { createFeaturePulse } from './feature-pulse.ts';

const start = Date.UTC(2026, 5, 7, 9);
const view = (changes: Partial<FeatureView> = {}): FeatureView => ({
  feature: 'notes',
  title: 'Meeting notes',
  status: 'normal',
  preferred: 'anthropic/claude-opus-4-8',
  serving: 'anthropic/claude-opus-4-8',
  ...changes,
});

function pulse() {
  const made = createFeaturePulse();
  const saw = (
    count: number,
    outcome: 'answered' | 'failed' | 'cancelled',
    atMs: number,
    firstTokenMs = 500,
  ): void => {
    for (let each = 0; each < count; each++)
      made.saw(
        aRecord({
          at: instant(start + atMs),
          durationMs: 0,
          outcome,
          attempts: [anAttempt({ startedAt: instant(start + atMs), firstTokenMs })],
        }),
      );
  };
  return {
    saw,
    statusAt: (atMs: number, changes: Partial<FeatureView> = {}) =>
      made.felt(view(changes), start + atMs).status,
  };
}

test('failures show while they are fresh, and not those that callers gave up themselves', () => {
  const { saw, statusAt } = pulse();
  saw(10, 'cancelled', 0);
  saw(20, 'answered', 0);
  expect(statusAt(1_000)).toBe('normal');
  saw(4, 'failed', 2_000);
  expect(statusAt(3_000)).toBe('partial');
  expect(statusAt(55_000)).toBe('partial');
  expect(statusAt(70_000)).toBe('normal');
});

test('when another target begins to serve, what was met before has been acted upon', () => {
  const { saw, statusAt } = pulse();
  expect(statusAt(0)).toBe('normal');
  saw(6, 'failed', 1_000);
  expect(statusAt(2_000)).toBe('unavailable');
  expect(statusAt(3_000, { status: 'backup', serving: 'openai/gpt-5.2' })).toBe('backup');
});

test('late answers make a feature slower than usual; paused stays paused', () => {
  const { saw, statusAt } = pulse();
  saw(40, 'answered', 0);
  saw(10, 'answered', 65_000, 9_000);
  expect(statusAt(66_000)).toBe('slow');
  expect(statusAt(66_000, { status: 'paused' })).toBe('paused');
});
