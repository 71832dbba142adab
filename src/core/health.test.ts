import { expect, test } from 'bun:test';
import fc from 'fast-check';

import type { Evidence } from './evidence.ts';
import type { FailureClass } from './failure.ts';
import {
  admission,
  advance,
  badness,
  dropProbe,
  cellFromJson,
  cellToJson,
  freshCell,
  holdOut,
  observe,
  observeWaiting,
  startProbe,
  wantsProbe,
} from './health.ts';
import type { HealthCell } from './health.ts';
import { defaultHealthRule } from './health-rule.ts';
import { instant } from './ids.ts';

const rule = { ...defaultHealthRule, ramp: [0.1, 1], rampHoldMs: 10_000 };
const failure: FailureClass = 'server_error';

const evidenceOf = (failed: FailureClass | null, generation: number, probe = false): Evidence => ({
  failure: failed,
  generation,
  probe,
  callerKey: null,
  requestKey: null,
  startedAt: instant(0),
  firstTokenMs: null,
  soft: null,
});

/** Plays a story: `ok` and `fail` are outcomes 100 ms apart, `+5s` lets time pass; gives the states it went through. */
function play(
  story: string,
  start: HealthCell = freshCell(instant(0)),
): { cell: HealthCell; states: string[]; now: number } {
  let cell = start;
  let now: number = cell.latest;
  const states: string[] = [];
  for (const word of story.split(' ')) {
    const pause = /^\+(\d+)s$/.exec(word);
    now += pause === null ? 100 : Number(pause[1]) * 1000;
    const advanced = advance(cell, rule, instant(now));
    cell = advanced.cell;
    if (advanced.transition !== null) states.push(advanced.transition.to);
    if (pause !== null) continue;
    const probe = cell.health.state === 'probing';
    if (probe) cell = startProbe(cell, instant(now));
    const observed = observe(
      cell,
      evidenceOf(word === 'ok' ? null : failure, cell.generation, probe),
      rule,
      instant(now),
      0.5,
    );
    cell = observed.cell;
    if (observed.transition !== null) states.push(observed.transition.to);
  }
  return { cell, states, now };
}

test.each([
  ['ok ok fail ok', []],
  ['fail fail fail fail', []],
  ['fail fail fail fail fail', ['ejected']],
  ['fail fail fail fail ok fail fail fail', ['ejected']], // 7 of 8 in the window
  [`${'ok '.repeat(20)}fail ok fail ok fail ok fail ok fail ok`.trim(), []], // 5 of 30 is below a breach of 20 %
  [`${'ok '.repeat(12)}fail ok fail ok fail ok fail ok fail ok`.trim(), ['ejected']], // 5 of 21 is above
  ['fail ok fail fail +31s ok fail ok fail ok fail', []], // what is older than the window counts no more
  ['fail fail fail fail fail +6s ok ok ok', ['ejected', 'probing', 'ramping']],
  ['fail fail fail fail fail +6s ok ok fail', ['ejected', 'probing', 'ejected']],
  ['fail fail fail fail fail +6s ok ok ok +11s ok', ['ejected', 'probing', 'ramping', 'healthy']],
  ['fail fail fail fail fail +6s ok ok ok fail fail', ['ejected', 'probing', 'ramping', 'ejected']],
] as [string, string[]][])('%s', (story, states) => {
  expect(play(story).states).toEqual(states);
});

test('a hold doubles with each relapse and is counted from the moment of ejection', () => {
  const first = play('fail fail fail fail fail');
  const again = play('+6s fail', first.cell);
  const holdOf = (cell: HealthCell): number =>
    cell.health.state === 'ejected' ? cell.health.until - cell.health.since : 0;
  expect(holdOf(first.cell)).toBe(rule.holdMs);
  expect(holdOf(again.cell)).toBe(rule.holdMs * 2);
});

test('a hold is jittered within a tenth', () => {
  let cell = freshCell(instant(0));
  for (let n = 0; n < 5; n++) cell = observe(cell, evidenceOf(failure, 0), rule, instant(0), 0).cell;
  expect(cell.health.state === 'ejected' && cell.health.until).toBe(instant(4_500));
});

test('an answer that began before the ejection moves nothing', () => {
  const { cell } = play('fail fail fail fail fail +6s ok');
  expect(cell.health.state).toBe('probing');
  const stale = observe(cell, evidenceOf(null, 0), rule, instant(20_000), 0.5);
  expect(stale.cell).toBe(cell);
});

test('only one probe at a time, and a lost one is given up', () => {
  const ejected = play('fail fail fail fail fail').cell;
  const open = advance(ejected, rule, instant(6_000)).cell;
  expect(admission(open, rule, instant(6_000), 0.5).kind).toBe('probe');
  const busy = startProbe(open, instant(6_000));
  expect(admission(busy, rule, instant(6_000), 0.5)).toMatchObject({
    kind: 'out',
    reason: 'probe_in_flight',
  });
  expect(admission(dropProbe(busy, busy.generation), rule, instant(6_000), 0.5).kind).toBe('probe');
  expect(
    admission(advance(busy, rule, instant(6_000 + rule.probeMsMax)).cell, rule, instant(6_000), 0.5).kind,
  ).toBe('probe');
});

test('a ramp lets through its share', () => {
  const { cell } = play('fail fail fail fail fail +6s ok ok ok');
  expect(admission(cell, rule, instant(0), 0.09).kind).toBe('open');
  expect(admission(cell, rule, instant(0), 0.11).kind).toBe('out');
});

test('whatever happens, counts stay bounded and the state is one of five', () => {
  const word = fc.constantFrom('ok', 'fail', '+1s', '+7s', '+40s');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 200 }), (words) => {
      const { cell } = play(words.join(' '));
      expect(['healthy', 'ejected', 'probing', 'ramping']).toContain(cell.health.state);
      expect(cell.window.ok.length).toBe(10);
      expect(badness(cell)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

test('a clock that jumps back neither trips nor returns anything', () => {
  const { cell } = play('ok ok fail +6s ok');
  const observed = observe(cell, evidenceOf(null, cell.generation), rule, instant(-3_600_000), 0.5);
  expect(observed.transition).toBeNull();
  expect(observed.cell.latest).toBe(cell.latest);
});

test('waiting requests are evidence', () => {
  const cell = freshCell(instant(0));
  expect(observeWaiting(cell, 1, rule, instant(5_000)).transition).toBeNull();
  expect(observeWaiting(cell, 40, rule, instant(5_000)).transition).not.toBeNull();
});

test('a target on its way back wants a probe; a healthy one does not', () => {
  expect(wantsProbe(freshCell(instant(0)), rule, instant(1_000))).toBe(false);
  const open = advance(play('fail fail fail fail fail').cell, rule, instant(6_000)).cell;
  expect(wantsProbe(open, rule, instant(6_000))).toBe(true);
});

test('a person can hold it out', () => {
  const held = holdOut(freshCell(instant(0)), instant(60_000), instant(0), 'held by ana').cell;
  expect(advance(held, rule, instant(59_000)).cell.health.state).toBe('ejected');
  expect(advance(held, rule, instant(60_000)).cell.health.state).toBe('probing');
});

test('a cell survives being written down and read again', () => {
  const { cell } = play('ok fail fail fail fail fail');
  expect(cellFromJson(JSON.parse(JSON.stringify(cellToJson(cell))))).toEqual(cell);
  expect(cellFromJson({})).toBeNull();
});
