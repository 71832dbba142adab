/**
 * One target with a backup behind it, in virtual time: requests arrive at random, some fail, the rule under test decides
 * who may use the target. Small and fast, because false alarms are counted over months.
 */
import { seededRandom } from '../../src/simulator/random.ts';
import type { Contender } from './contenders.ts';

export type Noise = {
  /** The chance that an attempt begun at `now` fails; asked once per attempt, in order. */
  readonly fails: (now: number, caller: number, random: () => number, probe: boolean) => boolean;
};

export type Course = {
  readonly perSecond: number;
  readonly untilMs: number;
  readonly seed: number;
  readonly noise: Noise;
  readonly callers?: number;
  readonly latencyMs?: number;
  /** Share of failures that come after the first content and cannot be rescued by the backup. */
  readonly visible?: number;
  readonly firstTokenMs?: (now: number, random: () => number) => number;
  readonly stopWhen?: (rule: Contender) => boolean;
};

export type Outcome = {
  readonly requests: number;
  /** Requests that the target was asked for, and those that failed there. */
  readonly asked: number;
  readonly failedThere: number;
  readonly visible: number;
  readonly probes: number;
  /** When and after how many attempts it was first routed around, and first declared. */
  readonly outAt: number | null;
  readonly outAfter: number | null;
  readonly declaredAt: number | null;
  readonly endedAt: number;
  /** When it was last seen out of full use. */
  readonly lastOutAt: number | null;
};

const tickMs = 250;

type Flying = {
  at: number;
  token: number;
  failed: boolean;
  probe: boolean;
  caller: number;
  startedAt: number;
  firstTokenMs: number;
};

export function run(rule: Contender, course: Course): Outcome {
  const random = seededRandom(course.seed);
  const { noise, callers = 10, latencyMs = 400, visible: visibleShare = 0.3 } = course;
  const flying: Flying[] = [];
  let head = 0;
  let requests = 0;
  let asked = 0;
  let failedThere = 0;
  let visible = 0;
  let probes = 0;
  let outAt: number | null = null;
  let outAfter: number | null = null;
  let declaredAt: number | null = null;
  let lastOutAt: number | null = null;
  let settledFailures = 0;
  const names = Array.from({ length: callers }, (_, index) => `caller ${index}`);
  let now = 0;
  let nextTick = 0;
  const note = (at: number): void => {
    const standing = rule.standing();
    if (standing === 'in') return;
    lastOutAt = at;
    outAt ??= at;
    outAfter ??= asked;
    if (standing === 'declared') declaredAt ??= at;
  };
  const settle = (until: number): void => {
    for (; head < flying.length && flying[head]!.at <= until; head++) {
      const each = flying[head]!;
      if (each.failed) settledFailures++;
      rule.ended(
        {
          token: each.token,
          failed: each.failed,
          probe: each.probe,
          caller: each.probe ? null : names[each.caller]!,
          startedAt: each.startedAt,
          firstTokenMs: each.failed ? null : each.firstTokenMs,
        },
        each.at,
        random(),
      );
      note(each.at);
    }
    if (head > 4_096) {
      flying.splice(0, head);
      head = 0;
    }
  };
  const start = (at: number, probe: boolean, caller: number): boolean => {
    const failed = noise.fails(at, caller, random, probe);
    flying.push({
      at: at + latencyMs,
      token: rule.token(),
      failed,
      probe,
      caller,
      startedAt: at,
      firstTokenMs: course.firstTokenMs?.(at, random) ?? latencyMs,
    });
    return failed;
  };
  const ticks = (until: number): void => {
    // Only where something may want a probe or a step: a rule in normal use moves with its evidence.
    for (; nextTick <= until; nextTick += tickMs) {
      settle(nextTick);
      if (head >= flying.length && rule.calm()) {
        nextTick = Math.max(nextTick, Math.floor(until / tickMs) * tickMs);
        continue;
      }
      if (rule.tick(nextTick)) {
        probes++;
        start(nextTick, true, 0);
      }
      note(nextTick);
    }
  };
  while (now < course.untilMs) {
    now += (-Math.log(1 - random()) / course.perSecond) * 1_000;
    if (now >= course.untilMs) break;
    ticks(now);
    settle(now);
    requests++;
    const caller = Math.floor(random() * callers);
    const admitted = rule.admits(now, random());
    note(now);
    if (admitted !== 'out') {
      asked++;
      if (start(now, admitted === 'probe', caller)) {
        failedThere++;
        if (random() < visibleShare) visible++;
      }
    }
    if (course.stopWhen?.(rule) === true) break;
  }
  if (now >= course.untilMs) ticks(course.untilMs);
  return {
    requests,
    asked,
    failedThere,
    visible,
    probes,
    outAt,
    outAfter,
    declaredAt,
    endedAt: now,
    lastOutAt,
  };
}

/** Fails at a steady rate. */
export const steady = (rate: number): Noise => ({ fails: (_now, _caller, random) => random() < rate });

/** Fails at `usual` outside and at `rate` inside the intervals. */
export function during(
  usual: number,
  intervals: readonly { readonly from: number; readonly to: number; readonly rate: number }[],
): Noise {
  return {
    fails: (now, _caller, random) => {
      const inside = intervals.find(({ from, to }) => now >= from && now < to);
      return random() < (inside?.rate ?? usual);
    },
  };
}
