/** Our gate and the rules common elsewhere behind one small shape, so that all meet the same traffic and the same faults. */
import { admission, startProbe, wantsProbe } from '../../src/core/admission.ts';
import { freshCell } from '../../src/core/health-cell.ts';
import type { HealthCell } from '../../src/core/health-cell.ts';
import { healthRuleOf } from '../../src/core/health-rule.ts';
import type { HealthRule } from '../../src/core/health-rule.ts';
import { advance, observe } from '../../src/core/health.ts';
import type { Observed } from '../../src/core/gate-moves.ts';
import { instant } from '../../src/core/ids.ts';
import { defaultGate } from '../../src/core/snapshot.ts';

export type Ended = {
  readonly token: number;
  readonly failed: boolean;
  readonly probe: boolean;
  readonly caller: string | null;
  readonly startedAt: number;
  readonly firstTokenMs: number | null;
};

export type Contender = {
  /** Whether a request may use the target; a probe is a request that tries a closed one. */
  readonly admits: (now: number, random: number) => 'open' | 'probe' | 'out';
  /** What evidence about an attempt must carry back. */
  readonly token: () => number;
  readonly ended: (outcome: Ended, now: number, random: number) => void;
  /** Nothing is suspected: time alone moves nothing, so ticks may be left out. */
  readonly calm: () => boolean;
  /** Whether it wants to send a probe of its own now; called a few times a second. */
  readonly tick: (now: number) => boolean;
  /** `out` when routed around, `declared` when that was declared. */
  readonly standing: () => 'in' | 'out' | 'declared';
  /** Times it was taken out or came back, declared ones only. */
  readonly transitions: () => number;
  readonly ejections: () => number;
  readonly sheds: () => number;
};

export function ourGate(rule: HealthRule = healthRuleOf(defaultGate), start?: HealthCell): Contender {
  let cell = start ?? freshCell(rule, instant(0));
  let transitions = 0;
  let ejections = 0;
  let sheds = 0;
  const apply = (observed: Observed): void => {
    const { transition } = observed;
    ({ cell } = observed);
    if (transition === null) return;
    if (transition.to === 'shedding') sheds++;
    if (transition.to === 'ejected' && transition.from !== 'probing') {
      ejections++;
      transitions++;
    }
    if (transition.to === 'healthy' && transition.from === 'ramping') transitions++;
  };
  return {
    admits: (now, random) => {
      const { state } = cell.health;
      if (state === 'healthy') return 'open';
      apply(advance(cell, rule, instant(now)));
      const { kind } = admission(cell, { ...rule, userProbeAfterMs: 2_000 }, instant(now), random);
      if (kind === 'probe') cell = startProbe(cell, instant(now));
      return kind;
    },
    token: () => cell.generation,
    ended: ({ token, failed, probe, caller, startedAt, firstTokenMs }, now, random) =>
      apply(
        observe(
          cell,
          {
            failure: failed ? 'server_error' : null,
            generation: token,
            probe,
            callerKey: caller,
            requestKey: null,
            startedAt: instant(startedAt),
            firstTokenMs,
            soft: null,
            retryAfterMs: null,
          },
          rule,
          instant(now),
          random,
        ),
      ),
    calm: () => cell.health.state === 'healthy' && cell.failures.excursion === null && cell.ejections === 0,
    tick: (now) => {
      apply(advance(cell, rule, instant(now)));
      if (!wantsProbe(cell, rule, instant(now))) return false;
      cell = startProbe(cell, instant(now));
      return true;
    },
    standing: () => {
      switch (cell.health.state) {
        case 'healthy':
          return 'in';
        case 'shedding':
          return 'out';
        case 'ejected':
        case 'probing':
        case 'ramping':
          return 'declared';
      }
    },
    transitions: () => transitions,
    ejections: () => ejections,
    sheds: () => sheds,
  };
}

/** A window rule: when `trips` says so, out for `cooldownMs` (times the number of ejections up to `longestMs`), then back. */
function windowRule(options: {
  readonly windowMs: number;
  /** Windows begin anew at whole multiples instead of sliding. */
  readonly tumbling?: boolean;
  readonly trips: (seen: { failed: number; total: number; inARow: number }) => boolean;
  readonly cooldownMs: number;
  readonly longestMs?: number;
  /** One trial request decides on the return. */
  readonly halfOpen?: boolean;
}): Contender {
  let outcomes: { at: number; failed: boolean }[] = [];
  let inARow = 0;
  let outUntil: number | null = null;
  let trying = false;
  let count = 0;
  let transitions = 0;
  let epoch = 0;
  const open = (now: number): void => {
    count++;
    transitions++;
    epoch++;
    trying = false;
    outUntil =
      now +
      Math.min(
        options.longestMs ?? options.cooldownMs,
        options.cooldownMs * (options.longestMs === undefined ? 1 : count),
      );
    outcomes = [];
    inARow = 0;
  };
  const close = (): void => {
    outUntil = null;
    trying = false;
    transitions++;
    epoch++;
  };
  const settle = (now: number): void => {
    if (outUntil !== null && now >= outUntil && options.halfOpen !== true) close();
  };
  return {
    admits: (now) => {
      settle(now);
      if (outUntil === null) return 'open';
      if (now < outUntil || trying) return 'out';
      trying = true;
      return 'probe';
    },
    token: () => epoch,
    ended: ({ token, failed, probe }, now) => {
      if (token !== epoch) return;
      if (probe) {
        if (failed) open(now);
        else close();
        return;
      }
      inARow = failed ? inARow + 1 : 0;
      outcomes.push({ at: now, failed });
      const from = options.tumbling === true ? now - (now % options.windowMs) : now - options.windowMs;
      if (outcomes[0] !== undefined && outcomes[0].at < from)
        outcomes = outcomes.filter(({ at }) => at >= from);
      if (!failed) return;
      const failures = outcomes.filter((each) => each.failed).length;
      if (options.trips({ failed: failures, total: outcomes.length, inARow })) open(now);
    },
    calm: () => outUntil === null,
    tick: (now) => {
      settle(now);
      return false;
    },
    standing: () => (outUntil === null ? 'in' : 'declared'),
    transitions: () => transitions,
    ejections: () => count,
    sheds: () => 0,
  };
}

const minute = 60_000;

/** The rules of others at their defaults, each named after what it does. */
export const contenders: readonly { readonly name: string; readonly make: () => Contender }[] = [
  { name: 'Breakwater', make: () => ourGate() },
  {
    name: '50 % of ≥ 5 in 30 s, soft cooldown 30 s',
    make: () =>
      windowRule({
        windowMs: 30_000,
        trips: ({ failed, total }) => total >= 5 && failed / total >= 0.5,
        cooldownMs: 30_000,
      }),
  },
  {
    name: '> 50 % in the current minute, cooldown 5 s',
    make: () =>
      windowRule({
        windowMs: minute,
        tumbling: true,
        trips: ({ failed, total }) => total >= 5 && failed / total > 0.5,
        cooldownMs: 5_000,
      }),
  },
  {
    name: '5 consecutive 5xx, 30 s × n',
    make: () =>
      windowRule({
        windowMs: minute,
        trips: ({ inARow }) => inARow >= 5,
        cooldownMs: 30_000,
        longestMs: 300_000,
      }),
  },
  {
    name: '10 % over 60 s of ≥ 20, one trial after 30 s',
    make: () =>
      windowRule({
        windowMs: minute,
        trips: ({ failed, total }) => total >= 20 && failed / total >= 0.1,
        cooldownMs: 30_000,
        halfOpen: true,
      }),
  },
  {
    name: 'ratio 0.1 over 30 s of ≥ 100, one trial after 5 s',
    make: () =>
      windowRule({
        windowMs: 30_000,
        trips: ({ failed, total }) => total >= 100 && failed / total >= 0.1,
        cooldownMs: 5_000,
        halfOpen: true,
      }),
  },
  { name: 'none', make: () => windowRule({ windowMs: 1, trips: () => false, cooldownMs: 1 }) },
];
