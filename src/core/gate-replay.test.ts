import { describe, expect, test } from 'bun:test';

import { anAttempt, aRecord, opus, start } from '../../test/record-fixture.ts';
import { inOneGo } from './breaths.ts';
import { pastAttempts, replayGates } from './gate-replay.ts';
import type { PastAttempt, Replayed } from './gate-replay.ts';
import { instant } from './ids.ts';
import { defaultGate } from './snapshot.ts';
import type { GateRule } from './snapshot.ts';

const gate: GateRule = { ...defaultGate, restore: { ...defaultGate.restore, holdMs: 10_000 } };

/** Ten attempts a second for so many seconds; `failed` says of each second which share fails. */
function traffic(seconds: number, failedShare: (second: number) => number): readonly PastAttempt[] {
  return Array.from({ length: seconds * 10 }, (_, n): PastAttempt => {
    const at = start + n * 100;
    const share = failedShare(Math.floor(n / 10));
    // Evenly spread: the fifth and tenth of ten at 20 %.
    const failed = Math.floor((n + 1) * share) > Math.floor(n * share);
    return {
      target: opus,
      startedAt: instant(at - 300),
      endedAt: instant(at),
      failure: failed ? 'server_error' : null,
      firstTokenMs: 200,
      callerKey: `caller ${n % 7}`,
      requestKey: `req ${n}`,
    };
  });
}

const one = (attempts: readonly PastAttempt[], rule = gate): Replayed =>
  inOneGo(replayGates(attempts, () => rule))[0]!;

describe('a gate tried on the past', () => {
  test('quiet traffic trips nothing', () => {
    const { trips, attempts, failed, met } = one(traffic(3_600, (second) => (second % 100 === 0 ? 0.1 : 0)));
    expect({ trips, attempts }).toEqual({ trips: [], attempts: 36_000 });
    expect(met).toBe(failed);
  });

  test('an outage of ten minutes: out within seconds, back after its end, and what was spared', () => {
    const outage = traffic(1_800, (second) => (second >= 600 && second < 1_200 ? 0.5 : 0));
    const { trips, failed, met } = one(outage);
    expect(trips).toHaveLength(1);
    const [trip] = trips;
    expect(trip!.shedAt - (start + 600_000)).toBeLessThan(3_000);
    expect(trip!.ejectedAt).not.toBeNull();
    expect(trip!.backAt!).toBeGreaterThan(start + 1_200_000);
    expect(trip!.backAt! - (start + 1_200_000)).toBeLessThan(300_000);
    expect(trip!.words).toContain('attempts failed since');
    expect(failed).toBe(3_000);
    expect(met + trip!.spared).toBe(failed);
    expect(trip!.spared).toBeGreaterThan(2_800);
    expect(trip!.moved).toBeGreaterThan(trip!.spared);
  });

  test('an agreement that lives with more acts later, or not at all', () => {
    const brownout = traffic(1_200, (second) => (second >= 300 ? 0.1 : 0));
    expect(one(brownout).trips.length).toBeGreaterThan(0);
    const patient: GateRule = { ...gate, budget: 0.12, breach: 0.6 };
    expect(one(brownout, patient).trips).toEqual([]);
  });

  test('the order in which records come changes nothing', () => {
    const outage = traffic(900, (second) => (second >= 300 && second < 600 ? 1 : 0));
    expect(inOneGo(replayGates([...outage].reverse(), () => gate))).toEqual(
      inOneGo(replayGates(outage, () => gate)),
    );
  });
});

test('of a record only what counts against its target is evidence', () => {
  const record = aRecord({
    attempts: [
      anAttempt({ outcome: 'failed', failure: 'server_error' }),
      anAttempt({ outcome: 'failed', failure: 'rate_limited' }),
      anAttempt({ outcome: 'failed', failure: 'request_rejected' }),
      anAttempt({ outcome: 'cancelled' }),
      anAttempt({ outcome: 'failed', failure: 'tool_call_invalid' }),
      anAttempt(),
    ],
  });
  expect(pastAttempts(record).map(({ failure }) => failure)).toEqual(['server_error', null, null]);
});

test('counts of tokens say nothing of whether answers come', () => {
  const attempts = [anAttempt({ outcome: 'failed', failure: 'server_error' }), anAttempt()];
  expect(pastAttempts(aRecord({ operation: 'embeddings', attempts }))).toHaveLength(2);
  expect(pastAttempts(aRecord({ operation: 'count_tokens', attempts }))).toEqual([]);
});
