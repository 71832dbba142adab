/**
 * A playbook against an outage that is written down or recorded, in virtual time: the same `advance` as in production,
 * with a small world around it in which switches take targets out, gates follow what fails, and people answer when the
 * test says so. It gives what was decided and when, and whether that is what the test expects.
 *
 * The world is simple on purpose: counts are what the test says, without noise, so that a test means the same each time.
 * Gates here are a stand-in (ejected after half a minute at a fifth of failures); how real gates see an outage is what
 * drills rehearse.
 */
import { inOneGo } from './breaths.ts';
import type { WarningSignal } from './evidence.ts';
import type { FailureClass } from './failure.ts';
import type { HealthState } from './health-cell.ts';
import { instant } from './ids.ts';
import type { Counts, PlaybookFacts, TargetFacts } from './playbook-condition.ts';
import { begins } from './playbook-plan.ts';
import { advance, confirmed, startRun, told } from './playbook-run.ts';
import type { Deed, MadeSwitch, Outcome, Run } from './playbook-run.ts';
import type { Expected, Outage, Playbook, PlaybookTest } from './playbook.ts';
import { covers, scopeText } from './switches.ts';
import type { Scope } from './switches.ts';
import type { Target } from './target.ts';

/** One attempt of a record: when, at whom, how it ended. */
export type Recorded = {
  readonly atMs: number;
  readonly target: string;
  readonly failure: FailureClass | null;
};

export type ReplayTopology = {
  readonly targets: readonly Target[];
  readonly features: readonly { readonly feature: string; readonly route: readonly string[] }[];
};

/** Something decided, at its time from the begin of the test. */
export type Decision = {
  readonly atMs: number;
  readonly deed: Deed['operation'] | { readonly kind: 'started' };
  readonly words: string;
};

export type ReplayResult = {
  readonly test: string;
  readonly ok: boolean;
  readonly decisions: readonly Decision[];
  readonly failures: readonly string[];
};

const stepMs = 5_000;
const gate = { afterMs: 30_000, rate: 0.2, healsMs: 60_000 } as const;
const minuteMs = 60_000;
/** A test's time begins on a whole day, so that times of the day mean what they say. */
const dayZero = 1_780_272_000_000;

const none: Counts = { requests: 0, failed: 0, slow: 0, quality: 0 };

class World {
  readonly #test: PlaybookTest;
  readonly #topology: ReplayTopology;
  readonly #recorded: readonly Recorded[];
  readonly #known = new Map<Target, readonly Outage[]>();
  #switches: readonly MadeSwitch[] = [];
  /** Targets they cover, as long as they are these. */
  #covered = new Map<Target, boolean>();
  /** Shares of traffic let through the switches, as fractions of 1. */
  share = 0;
  probesSince = new Map<string, number>();

  constructor(test: PlaybookTest, topology: ReplayTopology, recorded: readonly Recorded[]) {
    this.#test = test;
    this.#topology = topology;
    this.#recorded = recorded;
  }

  /** What the test says of a target; asked often, so it is looked up once. */
  #outages(target: Target): readonly Outage[] {
    let found = this.#known.get(target);
    if (found === undefined) {
      found = this.#test.given.filter((outage) => covers(outage.scope, target, null));
      this.#known.set(target, found);
    }
    return found;
  }

  #isSwitchedOff(target: Target): boolean {
    let isOff = this.#covered.get(target);
    if (isOff === undefined) {
      isOff = this.#switches.some(({ scope }) => covers(scope, target, null));
      this.#covered.set(target, isOff);
    }
    return isOff;
  }

  #switch(switches: readonly MadeSwitch[]): void {
    this.#switches = switches;
    this.#covered = new Map();
  }

  #counts(target: Target, nowMs: number, windowMs: number, failures: readonly FailureClass[] | null): Counts {
    const total = { ...none };
    const from = Math.max(0, nowMs - windowMs);
    const passing = this.#isSwitchedOff(target) ? this.share : 1;
    for (const outage of this.#outages(target)) {
      const overlapMs = Math.min(nowMs, outage.untilMs) - Math.max(from, outage.fromMs);
      if (overlapMs <= 0) continue;
      const requests = (overlapMs / minuteMs) * outage.requestsPerMinute * passing;
      total.requests += requests;
      if (failures === null || failures.includes(outage.failure))
        total.failed += requests * outage.failureRate;
      total.slow += requests * outage.slowRate;
      total.quality += requests * outage.qualityRate;
    }
    for (const { atMs, target: name, failure } of this.#recorded) {
      if (name !== target.name || atMs < from || atMs > nowMs) continue;
      total.requests++;
      if (failure !== null && (failures === null || failures.includes(failure))) total.failed++;
    }
    return total;
  }

  #gateOf(target: Target, nowMs: number): HealthState {
    const given = this.#outages(target).find(
      (outage) => outage.gate !== null && nowMs >= outage.fromMs && nowMs < outage.untilMs,
    );
    if (given?.gate !== undefined && given.gate !== null) return given.gate;
    const failing = (atMs: number): boolean => {
      const { requests, failed } = this.#counts(target, atMs, gate.afterMs, null);
      return requests > 0 && failed / requests >= gate.rate;
    };
    if (nowMs >= gate.afterMs && failing(nowMs)) return 'ejected';
    return nowMs >= gate.healsMs && failing(nowMs - gate.healsMs) ? 'ramping' : 'healthy';
  }

  #warningsOf(target: Target, nowMs: number): readonly WarningSignal[] {
    return this.#outages(target).flatMap(({ warning, fromMs, untilMs }) =>
      warning !== null && nowMs >= fromMs && nowMs < untilMs ? [warning] : [],
    );
  }

  facts(nowMs: number): PlaybookFacts {
    const targets = this.#topology.targets.map((target): TargetFacts => {
      const state = this.#gateOf(target, nowMs);
      return {
        target,
        gate: state,
        warnings: this.#warningsOf(target, nowMs),
        isOut: state === 'ejected' || (this.#isSwitchedOff(target) && this.share === 0),
        counts: (windowMs, failures) => this.#counts(target, nowMs, windowMs, failures),
      };
    });
    const isOut = new Set(targets.flatMap((each) => (each.isOut ? [String(each.target.name)] : [])));
    const features = this.#topology.features.map(({ feature, route }) => {
      const [first = ''] = route;
      const status = route.every((name) => isOut.has(name))
        ? 'unavailable'
        : isOut.has(first)
          ? 'backup'
          : 'normal';
      return { feature, route, status } as const;
    });
    return { targets, features };
  }

  probed(key: string, nowMs: number, count: number): { readonly sent: number; readonly passed: number } {
    const since = this.probesSince.get(key);
    if (since === undefined) return { sent: 0, passed: 0 };
    const rates = this.#test.given.map((outage) =>
      nowMs >= outage.fromMs && nowMs < outage.untilMs ? outage.failureRate : 0,
    );
    return { sent: count, passed: Math.round(count * (1 - Math.max(0, ...rates))) };
  }

  /** Does a deed, and says what came of it. */
  do(deed: Deed, nowMs: number): Outcome {
    const { operation } = deed;
    switch (operation.kind) {
      case 'switch': {
        if (operation.effect.kind !== 'off') return { kind: 'done', words: 'switched' };
        this.share = 0;
        this.#switch([...this.#switches, { id: deed.key, scope: operation.scope }]);
        return { kind: 'done', words: 'switched off', switches: this.#switches };
      }
      case 'reshape':
        this.share = operation.share;
        return { kind: 'done', words: 'reshaped' };
      case 'shut':
        this.share = 0;
        return { kind: 'done', words: 'off again' };
      case 'release':
        this.#switch([]);
        return { kind: 'done', words: 'released', switches: [] };
      case 'probe':
        this.probesSince.set(deed.key, nowMs);
        return { kind: 'done', words: 'probing' };
      case 'incident':
        return { kind: 'done', words: 'opened', incident: 'inc_test' };
      case 'notify':
      case 'publish':
      case 'ask':
      case 'drill':
        return { kind: 'done', words: 'done' };
    }
  }
}

const within = (scope: Scope, expected: Scope): boolean =>
  Object.entries(expected).every(
    ([key, value]) => (scope as Record<string, string | undefined>)[key] === value,
  );

function matches(expected: Expected, { deed }: Decision): boolean {
  switch (expected.kind) {
    case 'switch':
      return (
        deed.kind === 'switch' &&
        within(deed.scope, expected.scope) &&
        (expected.effect === null || deed.effect.kind === expected.effect)
      );
    case 'incident':
      return deed.kind === 'incident' && (expected.class === null || deed.class === expected.class);
    case 'publish':
      return deed.kind === 'publish' && (expected.stage === null || deed.stage === expected.stage);
    case 'notify':
      return deed.kind === 'notify' && (expected.channel === null || deed.channel === expected.channel);
    case 'asked':
      return deed.kind === 'ask';
    case 'restored':
      return deed.kind === 'release';
    case 'started':
      return deed.kind === 'started';
  }
}

function expectedWords(expected: Expected): string {
  const scope = expected.kind === 'switch' ? ` ${scopeText(expected.scope)}` : '';
  return `${expected.kind}${scope}`;
}

const secondsText = (milliseconds: number): string => `${Math.round(milliseconds / 1_000)} s`;

function unmet(expected: Expected, decisions: readonly Decision[]): string | null {
  const found = decisions.find((decision) => matches(expected, decision));
  if (expected.not)
    return found === undefined
      ? null
      : `${expectedWords(expected)} was not expected, and came after ${secondsText(found.atMs)}`;
  if (found === undefined) return `${expectedWords(expected)} was expected, and did not come`;
  return expected.withinMs !== null && found.atMs > expected.withinMs
    ? `${expectedWords(expected)} was expected within ${secondsText(expected.withinMs)}, and came after ${secondsText(found.atMs)}`
    : null;
}

const testMsMax = 7 * 86_400_000;

/** Steps between two breaths: a server that plays a week must go on answering meanwhile. */
const breathSteps = 32;

/** Plays one test of a playbook, in pieces. `recorded` is what its `replay` file holds. */
export function* playing(
  playbook: Playbook,
  test: PlaybookTest,
  topology: ReplayTopology,
  recorded: readonly Recorded[] = [],
): Generator<undefined, ReplayResult> {
  const world = new World(test, topology, recorded);
  const decisions: Decision[] = [];
  let run: Run | null = null;
  let idleFrom = 0;
  for (let nowMs = 0; nowMs <= Math.min(test.untilMs, testMsMax); nowMs += stepMs) {
    if ((nowMs / stepMs) % breathSteps === 0) yield;
    const now = instant(dayZero + nowMs);
    const facts = world.facts(nowMs);
    if (run === null || run.endedAt !== null) {
      const isStarted = test.startMs !== null && nowMs >= test.startMs && run === null;
      const isDue = playbook.automatic && nowMs >= idleFrom && begins(playbook, facts, now);
      if (!isStarted && !isDue) continue;
      run = startRun(playbook, facts, { id: `run_${nowMs}`, by: 'system', words: 'it begins' }, now);
      decisions.push({ atMs: nowMs, deed: { kind: 'started' }, words: 'it begins' });
    }
    for (const { atMs, answer } of test.answers) {
      if (atMs !== Math.floor(nowMs / stepMs) * stepMs && Math.ceil(atMs / stepMs) * stepMs !== nowMs)
        continue;
      const after: Run | string = told(run, { kind: 'answer', answer }, 'a person', 'as the test says', now);
      if (typeof after !== 'string') run = after;
    }
    run = settle(run, playbook, world, { facts, nowMs, decisions });
    if (run.endedAt !== null) idleFrom = nowMs + playbook.cooldownMs;
  }
  const failures = test.expect.flatMap((expected) => unmet(expected, decisions) ?? []);
  return { test: test.name, ok: failures.length === 0, decisions, failures };
}

/** Plays it in one go. */
export const replay = (...asked: Parameters<typeof playing>): ReplayResult => inOneGo(playing(...asked));

type Settling = { readonly facts: PlaybookFacts; readonly nowMs: number; readonly decisions: Decision[] };
const deedsMax = 1_000;

function settle(begun: Run, playbook: Playbook, world: World, { nowMs, decisions }: Settling): Run {
  let run = begun;
  for (let count = 0; count < deedsMax; count++) {
    const now = instant(dayZero + nowMs);
    const operation = run.operations[run.at];
    const wanted = operation?.kind === 'probe' ? operation.count : 0;
    const moment = {
      facts: world.facts(nowMs),
      now,
      probed: (key: string) => world.probed(key, nowMs, wanted),
    };
    const { run: advanced, deed } = advance(run, playbook, moment);
    if (deed === null) return advanced;
    const outcome = world.do(deed, nowMs);
    decisions.push({ atMs: nowMs, deed: deed.operation, words: outcome.words });
    run = confirmed(advanced, deed, outcome, now);
  }
  return run;
}
