import { expect, test } from 'bun:test';

import { nothingSeen, sawFirstToken, slowLimitMs, stillWaiting } from './first-token.ts';
import type { FirstToken } from './first-token.ts';
import { instant } from './ids.ts';
import { createStartLog, noteEnd, noteStart, waitingEvidence } from './waiting.ts';

/** Times to first token around one second. */
function learnedFirstToken(): FirstToken {
  let known = nothingSeen;
  for (let n = 0; n < 300; n++) known = sawFirstToken(known, 1_000 * Math.exp(0.7 * Math.sin(n * 2.4) * 1.4));
  return known;
}

test('what is usual is learned, and nothing is said before', () => {
  expect(slowLimitMs(nothingSeen)).toBeNull();
  const known = learnedFirstToken();
  expect(slowLimitMs(known)).toBeWithin(5_000, 12_000);
  expect(stillWaiting(known, 1)).toBeCloseTo(1, 3);
  expect(stillWaiting(known, 1_000)).toBeCloseTo(0.5, 1);
  expect(stillWaiting(known, 20_000)).toBeLessThan(0.001);
});

test('a hang of everything is plain within seconds; slow but moving traffic is not a hang', () => {
  const known = learnedFirstToken();
  const hung = createStartLog();
  for (let n = 0; n < 30; n++) noteStart(hung, instant(n * 200));
  expect(waitingEvidence(hung, known, 0.0075, instant(6_000)).nats).toBeGreaterThan(17);
  const busy = createStartLog();
  for (let n = 0; n < 30; n++) {
    const slot = noteStart(busy, instant(n * 200));
    if (n < 22) noteEnd(busy, slot, 'good');
  }
  expect(waitingEvidence(busy, known, 0.0075, instant(6_000)).nats).toBeLessThan(3);
});

test('starts that come thick and fast are thinned out; a reused place ends nothing', () => {
  const log = createStartLog();
  const first = noteStart(log, instant(0));
  expect(noteStart(log, instant(10))).toBeNull();
  for (let n = 1; n <= 64; n++) noteStart(log, instant(n * 100));
  noteEnd(log, first, 'failed');
  noteEnd(log, null, 'good');
  expect(waitingEvidence(log, nothingSeen, 0.01, instant(6_400)).total).toBeLessThanOrEqual(64);
});

test('cancelled requests say nothing', () => {
  const log = createStartLog();
  for (let n = 0; n < 30; n++) noteEnd(log, noteStart(log, instant(n * 200)), 'nobody');
  expect(waitingEvidence(log, learnedFirstToken(), 0.0075, instant(60_000)).nats).toBe(0);
});
