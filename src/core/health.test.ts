import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { admission, badness, dropProbe, rampShare, startProbe, wantsProbe } from './admission.ts';
import type { Evidence } from './evidence.ts';
import type { FailureClass } from './failure.ts';
import { holdOut, lastsMs, shedWith, startRamp, withAttribution } from './gate-moves.ts';
import type { Transition } from './gate-moves.ts';
import { cellFromJson, cellToJson, freshCell, isTouched, recentCounts, shifted } from './health-cell.ts';
import type { HealthCell } from './health-cell.ts';
import { healthRuleOf } from './health-rule.ts';
import { advance, observe, observeWaiting } from './health.ts';
import { instant } from './ids.ts';
import { defaultGate } from './snapshot.ts';
import { noWaiting } from './waiting.ts';

const rule = healthRuleOf(defaultGate);

const evidenceOf = (
  cell: HealthCell,
  failure: FailureClass | null,
  now: number,
  more: Partial<Evidence> = {},
): Evidence => ({
  failure,
  generation: cell.generation,
  probe: false,
  callerKey: null,
  requestKey: null,
  startedAt: instant(now),
  firstTokenMs: failure === null ? 500 : null,
  soft: null,
  retryAfterMs: null,
  ...more,
});

type Played = { cell: HealthCell; now: number; moves: Transition[] };

/** Plays a story: `ok` and `fail` are outcomes 100 ms apart (`fail*3`: three), `+5s` lets time pass. */
function play(
  story: string,
  from: Played = { cell: freshCell(rule, instant(0)), now: 0, moves: [] },
): Played {
  let { cell, now } = from;
  const moves: Transition[] = [];
  for (const word of story.split(' ')) {
    const pause = /^\+(\d+)s$/.exec(word);
    const [what, times = '1'] = word.split('*');
    for (let n = 0; n < (pause === null ? Number(times) : 1); n++) {
      now += pause === null ? 100 : Number(pause[1]) * 1000;
      const advanced = advance(cell, rule, instant(now));
      ({ cell } = advanced);
      if (advanced.transition !== null) moves.push(advanced.transition);
      if (pause !== null) continue;
      const observed = observe(
        cell,
        evidenceOf(cell, what === 'ok' ? null : 'server_error', now),
        rule,
        instant(now),
        0.5,
      );
      ({ cell } = observed);
      if (observed.transition !== null) moves.push(observed.transition);
    }
  }
  return { cell, now, moves };
}

const states = ({ moves }: Played): string[] => moves.map((move) => move.to);

test.each([
  ['ok*50 fail ok', []],
  ['ok*200 fail*2 ok*100', []],
  ['ok*200 fail*5', ['shedding']],
  ['ok*200 fail*5 +11s fail*2', ['shedding', 'ejected']],
  ['ok*200 fail*5 +2s fail*4', ['shedding']], // too early to call it more than a hiccup
  ['ok*200 fail*5 +11s ok*50', ['shedding', 'healthy']],
  ['ok*200 fail*5 +11s fail*2 +6s fail*2', ['shedding', 'ejected', 'probing', 'ejected']],
  ['ok*200 fail*5 +11s fail*2 +6s ok*90', ['shedding', 'ejected', 'probing', 'ramping']],
] as [string, string[]][])('%s', (story, expected) => {
  expect(states(play(story))).toEqual(expected);
});

const out = play('ok*200 fail*5 +11s fail*2');

test('the way back: hold, trial, ramp step by step, healthy', () => {
  const back = play('+6s ok*90 ok*12 +31s ok*12 +31s ok*12 +31s', out);
  expect(states(back)).toEqual(['probing', 'ramping', 'healthy']);
  expect(back.cell.trouble).toBeNull();
});

test('a relapse while ramping is noticed sooner than a fresh fault', () => {
  const relapse = play('+6s ok*90 fail*4', out);
  expect(states(relapse)).toEqual(['probing', 'ramping', 'ejected']);
  expect(relapse.moves.at(-1)?.words).toStartWith('a relapse: ');
});

test('the sentence says it in numbers', () => {
  const [shed] = play('ok*200 fail*5').moves;
  expect(shed?.words).toMatch(
    /^\d of \d attempts failed since 00:00:20 \(100 %; usual 0\.\d+ %, budget 0\.5 %\); by chance .+$/,
  );
  expect(shed?.numbers).toMatchObject({ budget: 0.005, runnerUp: null });
  expect(out.moves[1]?.numbers?.failed).toBeGreaterThanOrEqual(6);
});

test('a target that is found sick again still says why it is out', () => {
  const again = play('+6s fail*2', out).moves.at(-1);
  expect(again?.words).toMatch(
    /^\d+ of \d+ attempts failed since .+; still sick: 2 of 2 attempts on the way back failed$/,
  );
});

test('one caller alone cannot keep a target on trial sick; many can', () => {
  const trial = (callers: number, failing: number): string => {
    let { cell, now } = play('+6s', out);
    for (let n = 0; n < 3_000 && cell.health.state === 'probing'; n++) {
      now += 100;
      const caller = n % callers;
      const failure = caller < failing ? 'server_error' : null;
      ({ cell } = observe(
        cell,
        evidenceOf(cell, failure, now, { callerKey: `user ${caller}` }),
        rule,
        instant(now),
        0.5,
      ));
    }
    return cell.health.state;
  };
  expect(trial(10, 1)).toBe('ramping');
  expect(trial(10, 5)).toBe('ejected');
});

test('trouble must last as long as a burst of twenty attempts, where traffic is neither thin nor busy', () => {
  const lasting = (perSecond: number): number => {
    let cell = freshCell(rule, instant(0));
    for (let n = 0; n < 2_000; n++) {
      const at = (n * 1_000) / perSecond;
      ({ cell } = observe(cell, evidenceOf(cell, null, at), rule, instant(at), 0.5));
    }
    return lastsMs(cell, rule);
  };
  expect(lastsMs(freshCell(rule, instant(0)), rule)).toBe(rule.sustainMs);
  expect([0.1, 5, 50].map(lasting)).toEqual([rule.sustainMs, rule.sustainMs, rule.sustainMs]);
  expect(lasting(1)).toBeWithin(24_000, 26_000);
});

test('a hold doubles with each failed round, is jittered, and heeds Retry-After up to a cap', () => {
  const untilOf = (cell: HealthCell): number =>
    cell.health.state === 'ejected' ? cell.health.until - cell.health.since : 0;
  expect(untilOf(out.cell)).toBe(rule.holdMs);
  expect(untilOf(play('+6s fail*2', out).cell)).toBe(rule.holdMs * 2);
  const asked = { ...play('ok*200 fail*5 +11s fail').cell };
  const hinted = observe(
    asked,
    evidenceOf(asked, 'overloaded', 32_000, { retryAfterMs: 3_600_000 }),
    rule,
    instant(32_000),
    0,
  ).cell;
  expect(untilOf(hinted)).toBe(rule.retryAfterMsMax);
});

test('an answer that began before the gate moved moves nothing', () => {
  const probing = play('+6s', out).cell;
  const stale = observe(
    probing,
    evidenceOf(probing, null, 40_000, { generation: probing.generation - 1 }),
    rule,
    instant(40_000),
    0.5,
  );
  expect(stale.cell).toBe(probing);
});

test('one probe at a time, a second apart, and a lost one is given up', () => {
  const { cell, now } = play('+6s', out);
  const at = instant(now);
  expect(wantsProbe(cell, rule, at)).toBe(true);
  const busy = startProbe(cell, at);
  expect(wantsProbe(busy, rule, instant(now + 5_000))).toBe(false);
  expect(admission(busy, rule, at, 0.5)).toMatchObject({ kind: 'out', reason: 'probe_in_flight' });
  const given = dropProbe(busy, busy.generation);
  expect(wantsProbe(given, rule, at)).toBe(false);
  expect(wantsProbe(given, rule, instant(now + rule.probeSpacingMs))).toBe(true);
  const lost = advance(busy, rule, instant(now + rule.probeMsMax)).cell;
  expect(wantsProbe(lost, rule, instant(now + rule.probeMsMax))).toBe(true);
});

test('users serve as probes only when none was sent in time', () => {
  const { cell, now } = play('+6s', out);
  const waits = { ...rule, userProbeAfterMs: 2_000 };
  expect(admission(cell, waits, instant(now), 0.5).kind).toBe('out');
  expect(admission(cell, waits, instant(now + 2_000), 0.5).kind).toBe('probe');
});

test('thin traffic asks for probes; a healthy, busy or silent target does not', () => {
  expect(wantsProbe(freshCell(rule, instant(0)), rule, instant(1_000))).toBe(false);
  let thin = freshCell(rule, instant(0));
  for (let n = 1; n <= 200; n++)
    thin = observe(thin, evidenceOf(thin, null, n * 60_000), rule, instant(n * 60_000), 0.5).cell;
  const failedAt = 201 * 60_000;
  thin = observe(thin, evidenceOf(thin, 'server_error', failedAt), rule, instant(failedAt), 0.5).cell;
  expect(wantsProbe(thin, rule, instant(failedAt))).toBe(false);
  expect(wantsProbe(thin, rule, instant(failedAt + 1_000))).toBe(true);
  let now = failedAt;
  for (const wait of [1_000, 3_000]) {
    now = failedAt + wait;
    thin = startProbe(thin, instant(now));
    thin = observe(
      thin,
      evidenceOf(thin, 'server_error', now, { probe: true }),
      rule,
      instant(now),
      0.5,
    ).cell;
  }
  expect(thin.health.state).toBe('shedding');
  const busy = play('ok*200 fail ok*9');
  expect(wantsProbe(busy.cell, rule, instant(busy.now + 1_000))).toBe(false);
  // Brand-new, or fallen silent since: nothing else will tell.
  const fresh = play('ok fail');
  expect(wantsProbe(fresh.cell, rule, instant(fresh.now + 10_000))).toBe(true);
});

test('one caller of many cannot take it out; nor can one request asked again and again', () => {
  let cell = freshCell(rule, instant(0));
  for (let n = 0; n < 3_000; n++) {
    const caller = n % 10;
    cell = observe(
      cell,
      evidenceOf(cell, caller < 3 ? 'server_error' : null, n * 100, {
        callerKey: caller < 3 ? 'poison' : `c${caller}`,
      }),
      rule,
      instant(n * 100),
      0.5,
    ).cell;
  }
  expect(cell.health.state).toBe('healthy');
  expect(cell.setAside.map((each) => each.key)).toEqual(['poison']);
  let again = freshCell(rule, instant(0));
  for (let n = 0; n < 50; n++)
    again = observe(
      again,
      evidenceOf(again, 'server_error', n * 100, { requestKey: 'r' }),
      rule,
      instant(n * 100),
      0.5,
    ).cell;
  expect(again.health.state).toBe('healthy');
});

test('when everybody fails, a big caller does not hide it', () => {
  let cell = freshCell(rule, instant(0));
  for (let n = 0; n < 10 && cell.health.state === 'healthy'; n++)
    cell = observe(
      cell,
      evidenceOf(cell, 'server_error', n * 100, { callerKey: n % 4 === 1 ? 'small' : 'big' }),
      rule,
      instant(n * 100),
      0.5,
    ).cell;
  expect(cell.health.state).toBe('shedding');
});

test('slow first tokens shed; they are declared only when a limit was agreed', () => {
  const agreed = healthRuleOf({ ...defaultGate, latency: { firstTokenMs: 2_000, breach: 0.2 } });
  for (const [each, expected] of [
    [agreed, 'ejected'],
    [rule, 'shedding'],
  ] as const) {
    let cell = freshCell(each, instant(0));
    for (let n = 0; n < 400; n++) {
      const now = instant(n * 100);
      const firstTokenMs = n < 200 ? 500 : 9_000;
      cell = observe(cell, evidenceOf(cell, null, now, { firstTokenMs }), each, now, 0.5).cell;
    }
    expect(cell.health.state).toBe(expected);
  }
});

test('waiting requests are evidence', () => {
  const cell = freshCell(rule, instant(0));
  expect(observeWaiting(cell, noWaiting, rule, instant(5_000)).transition).toBeNull();
  const waiting = { nats: 40, total: 12, waiting: 12, since: instant(0) };
  expect(observeWaiting(cell, waiting, rule, instant(5_000)).transition?.words).toContain(
    '12 of 12 requests wait',
  );
});

test('a person can hold it out and bring it back', () => {
  const held = holdOut(freshCell(rule, instant(0)), instant(60_000), instant(0), 'held by ana').cell;
  expect(advance(held, rule, instant(59_000)).cell.health.state).toBe('ejected');
  expect(advance(held, rule, instant(60_000)).cell.health.state).toBe('probing');
  const free = holdOut(held, instant(1_000), instant(1_000), '').cell;
  expect(advance(free, rule, instant(1_000)).cell.health.state).toBe('probing');
  const ramp = startRamp(held, rule, instant(1_000), { words: 'back', cause: 'person' }).cell;
  expect(rampShare(ramp, rule)).toBeGreaterThanOrEqual(0.01);
  expect(rampShare(held, rule)).toBe(1);
});

test('a cell survives being written down and read again', () => {
  for (const story of [
    'ok*3 fail',
    'ok*200 fail*5',
    'ok*200 fail*5 +11s fail*2',
    'ok fail*5 +11s fail*2 +6s',
  ]) {
    const { cell, now } = play(story);
    const kept: unknown = JSON.parse(JSON.stringify(cellToJson(cell)));
    expect(cellFromJson(kept, rule, instant(now))).toEqual({ ...cell, generation: cell.generation + 1 });
  }
  expect(cellFromJson({}, rule, instant(0))).toBeNull();
  expect(cellFromJson({ ...out.cell, failures: {} }, rule, instant(0))).toBeNull();
  expect(cellFromJson({ ...out.cell, health: { state: 'gone' } }, rule, instant(0))).toBeNull();
});

test('counts for people cover the last half to whole minute', () => {
  const { cell, now } = play('ok*10 fail');
  expect(recentCounts(cell, instant(now))).toEqual({ ok: 10, failed: 1 });
  expect(recentCounts(cell, instant(now + 61_000))).toEqual({ ok: 0, failed: 0 });
  expect(isTouched(cell)).toBe(true);
  expect(isTouched(freshCell(rule, instant(0)))).toBe(false);
});

test('a clock that jumps back stands still, and a cell can follow a jump', () => {
  const { cell, now } = play('ok*20 fail');
  const back = observe(cell, evidenceOf(cell, null, -3_600_000), rule, instant(-3_600_000), 0.5);
  expect(back.transition).toBeNull();
  expect(back.cell.latest).toBe(cell.latest);
  for (const jump of [3_600_000, -3_600_000]) {
    const moved = shifted(out.cell, jump);
    const before = advance(moved, rule, instant(out.now + jump + 3_000));
    expect(before.transition).toBeNull();
    expect(advance(moved, rule, instant(out.now + jump + 6_000)).transition?.to).toBe('probing');
  }
  expect(shifted(cell, 0)).toEqual(cell);
  expect(now).toBeGreaterThan(0);
});

test('whatever happens, everything stays bounded', () => {
  const word = fc.constantFrom('ok', 'fail', 'ok*30', 'fail*6', '+1s', '+7s', '+40s');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (words) => {
      const { cell } = play(words.join(' '));
      for (const { low, middle, high, tuning, excursion } of [cell.failures, cell.slowness]) {
        for (const sum of [low, middle, high]) {
          expect(sum).toBeGreaterThanOrEqual(0);
          expect(sum).toBeLessThanOrEqual(tuning.height);
        }
        expect(excursion?.suspects.length ?? 0).toBeLessThanOrEqual(8);
      }
      expect(badness(cell)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

test('a wider scope that is sick sheds what is healthy in it, and says so', () => {
  const scope = { kind: 'provider', name: 'anthropic' } as const;
  const runnerUp = { scope: { kind: 'target', name: 'anthropic/claude-opus-4-8' } as const, odds: 300 };
  const counts = { failed: 31, total: 118, since: instant(25_330_000) };
  const { cell, transition } = shedWith(
    freshCell(rule, instant(0)),
    { scope, runnerUp },
    counts,
    rule,
    instant(25_400_000),
  );
  expect(transition?.scope).toEqual(scope);
  expect(transition?.words).toStartWith(
    '31 of 118 attempts failed since 07:02:10 (26 %; usual 0.5 %, budget 0.5 %)',
  );
  expect(transition?.words).toEndWith(
    'next best explanation: only anthropic/claude-opus-4-8, 1 in 300; what is sick: the whole provider anthropic',
  );
  expect(shedWith(cell, { scope, runnerUp }, counts, rule, instant(25_400_000)).transition).toBeNull();
  const own = play('ok*200 fail*5');
  const named = withAttribution(
    { cell: own.cell, transition: own.moves[0] ?? null },
    { scope, runnerUp },
    rule,
  );
  expect(named.transition?.words).toContain('1 in 300; what is sick');
  expect(named.cell.trouble?.scope).toEqual(scope);
  expect(named.cell.health).toMatchObject({ words: named.transition?.words });
});
