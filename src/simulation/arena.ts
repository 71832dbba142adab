/**
 * Where strategies meet the same scenario: the same traffic, the same faults, the same luck of each target, and an
 * operator's switches. A strategy decides who is asked; the arena makes the calls, looks at policy once more for itself
 * and counts what users see. The strategy `breakwater` is the product's own core.
 */
import { classDemand } from '../core/data-class.ts';
import type { ClassDemand } from '../core/data-class.ts';
import { instant, switchId } from '../core/ids.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import { dataPolicyObjection, modeFor } from '../core/rules.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import { covers, offBy, speaking } from '../core/switches.ts';
import type { Scope, Switch } from '../core/switches.ts';
import { hopBetween } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import { chanceFor } from './chance.ts';
import { EventQueue } from './event-queue.ts';
import type { OperatorAct, Profile, Scenario } from './scenario.ts';
import { ServedTarget } from './served-target.ts';
import type { Listener, Patience, ServedCall, Timeline } from './served-target.ts';
import { RunTally } from './tally.ts';
import type { SeenOutcome, Violation } from './tally.ts';
import { createArrivals } from './traffic.ts';

export type Rehearsal = {
  readonly snapshot: Snapshot;
  readonly scenario: Scenario;
  readonly seed: number;
};

/** One request, as strategies see it. */
export type Arrival = {
  readonly feature: Feature;
  readonly caller: string;
  readonly poisonous: boolean;
  /** Milliseconds since the start. */
  readonly at: number;
  /** When its user asked: earlier than `at` when the caller's SDK tried again. */
  readonly askedAt: number;
  readonly retried: number;
  readonly deadline: Instant;
  readonly demand: ClassDemand;
};

/** How a strategy takes part. */
export type Client = {
  arrive(arrival: Arrival): void;
  /** As time passes, one to four times a second. */
  tick(): void;
  /** A switch is over. */
  released(scope: Scope): void;
  /** Its errors tell callers not to try again. */
  readonly stopsRetries: boolean;
};

const minuteMs = 60_000;
const minuteOf = (ms: number): number => Math.floor(ms / minuteMs);
/** As in production; in a run of many hours once a second, which makes detection coarser by less than that. */
const tickMs = { usual: 250, long: 1_000 } as const;
const longMs = 3 * 3_600_000;

export class Arena implements Timeline {
  readonly rehearsal: Rehearsal;
  readonly random: () => number;
  readonly tally: RunTally;
  switches: readonly Switch[] = [];
  readonly #queue = new EventQueue<() => void>();
  #now = 0;
  readonly #targets = new Map<TargetName, ServedTarget>();
  readonly #permitted = new Map<Feature, Map<TargetName, Violation['rule'] | null>>();
  #permittedUnder: readonly Switch[] = [];
  readonly #demands = new Map<Feature, ClassDemand>();
  readonly #profiles = new Map<Feature, Profile>();
  #client: Client | null = null;

  constructor(rehearsal: Rehearsal, strategy: string) {
    this.rehearsal = rehearsal;
    this.random = chanceFor(rehearsal.seed, `strategy ${strategy}`);
    this.tally = new RunTally(Math.max(1, Math.ceil(rehearsal.scenario.durationMs / minuteMs)));
  }

  /** Milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  get clock(): Instant {
    return instant(this.rehearsal.scenario.start + this.#now);
  }

  at(ms: number, act: () => void): void {
    this.#queue.put(ms, act);
  }

  after(ms: number, act: () => void): void {
    this.#queue.put(this.#now + ms, act);
  }

  /** Runs to the end with a strategy. Requests under way then are still answered; nothing new arrives. */
  run(client: Client): RunTally {
    const { durationMs, operator } = this.rehearsal.scenario;
    this.#client = client;
    for (const act of operator) this.#plan(act);
    this.#start(client, durationMs);
    const everyMs = durationMs > longMs ? tickMs.long : tickMs.usual;
    const tick = (): void => {
      client.tick();
      if (this.#now < durationMs) this.after(everyMs, tick);
    };
    this.after(everyMs, tick);
    const end = durationMs + drainMsMax;
    while (this.#queue.earliest <= end) {
      this.#now = this.#queue.earliest;
      this.#queue.take()?.();
    }
    return this.tally;
  }

  #plan(act: OperatorAct): void {
    const { scenario } = this.rehearsal;
    const entry: Switch = {
      id: switchId(`sw_drill_${scenario.operator.indexOf(act) + 1}`),
      rev: 1,
      scope: definedScope(act.off),
      effect: { kind: 'off' },
      reason: 'drill',
      failureClass: null,
      actor: 'drill',
      createdAt: instant(scenario.start + act.at),
      expiresAt: null,
      atExpiry: 'ramp',
      inFlight: 'finish',
      mode: 'enforce',
      release: null,
    };
    this.at(act.at, () => {
      this.switches = [...this.switches, entry];
    });
    this.at(act.at + act.for, () => {
      this.switches = this.switches.filter((each) => each !== entry);
      if (act.ramp !== false) this.#client?.released(entry.scope);
    });
  }

  #start(client: Client, durationMs: number): void {
    const { snapshot, scenario, seed } = this.rehearsal;
    const features = [...snapshot.features.keys()];
    const arrivals = createArrivals(features, scenario, chanceFor(seed, 'traffic'));
    const next = (): void => {
      const at = arrivals.nextAt();
      if (at < durationMs) this.at(at, arrive);
    };
    const arrive = (): void => {
      const { feature: name, caller, poisonous } = arrivals.take();
      const feature = snapshot.features.get(name);
      if (feature !== undefined) {
        const { clock, now } = this;
        const deadline = instant(clock + feature.timeouts.totalMs);
        const demand = this.demandOf(feature);
        client.arrive({ feature, caller, poisonous, at: now, askedAt: now, retried: 0, deadline, demand });
      }
      next();
    };
    next();
  }

  profileOf(feature: Feature): Profile {
    let profile = this.#profiles.get(feature);
    if (profile === undefined)
      this.#profiles.set(feature, (profile = this.rehearsal.scenario.traffic(feature.name)));
    return profile;
  }

  demandOf(feature: Feature): ClassDemand {
    let demand = this.#demands.get(feature);
    if (demand === undefined) {
      demand = classDemand(this.rehearsal.snapshot, feature, null, { tenant: null, keyNames: [] });
      this.#demands.set(feature, demand);
    }
    return demand;
  }

  #served(target: Target): ServedTarget {
    let served = this.#targets.get(target.name);
    if (served === undefined) {
      const { scenario, seed } = this.rehearsal;
      served = new ServedTarget(target, scenario, this, chanceFor(seed, `target ${target.name}`));
      this.#targets.set(target.name, served);
    }
    return served;
  }

  /** Makes a call. Policy is looked at once more, by itself: whoever decided cannot vouch for its own decision. */
  call(arrival: Arrival, target: Target, caller: Listener): ServedCall {
    const { feature, poisonous } = arrival;
    const { inputTokens, outputTokens } = this.profileOf(feature);
    this.#checkPolicy(feature, target);
    const bore = this.tally.target(target);
    bore.begin(minuteOf(this.#now));
    const seen = this.tally.feature(feature.name);
    seen.attempts++;
    seen.called.set(target.name, target);
    const { timeouts } = feature;
    const leftMs = arrival.deadline - this.clock;
    const patience: Patience = {
      firstTokenMs: Math.min(timeouts.firstTokenMs, leftMs),
      stallMs: timeouts.stallMs,
      totalMs: leftMs,
    };
    const listener: Listener = {
      firstToken: () => caller.firstToken(),
      ended: (failure) => {
        bore.end(failure !== null, inputTokens, outputTokens);
        caller.ended(failure);
      },
    };
    return this.#served(target).begin(listener, patience, poisonous);
  }

  /** A call of the gateway's own, for no user. */
  probe(target: Target, caller: Listener): void {
    this.tally.target(target).probes++;
    this.#served(target).begin(caller, probePatience);
  }

  #checkPolicy(feature: Feature, target: Target): void {
    if (this.#permittedUnder !== this.switches) {
      this.#permittedUnder = this.switches;
      this.#permitted.clear();
    }
    let known = this.#permitted.get(feature);
    if (known === undefined) this.#permitted.set(feature, (known = new Map()));
    let broken = known.get(target.name);
    if (broken === undefined) known.set(target.name, (broken = this.#brokenRule(feature, target)));
    if (broken !== null) this.tally.violate({ feature: feature.name, target: target.name, rule: broken });
  }

  #brokenRule(feature: Feature, target: Target): Violation['rule'] | null {
    const { dataClass, name } = this.demandOf(feature);
    if (dataPolicyObjection(target, dataClass, this.clock) !== null) return 'data_policy';
    const mode = modeFor(feature, hopBetween(feature.route[0], target), null);
    if (mode === 'ask' || mode === 'never') return 'fallback';
    const asker = { feature: feature.name, dataClass: name, tenant: null, key: null };
    return offBy(speaking(this.switches, target, asker, this.clock)) === null ? null : 'switch';
  }

  /** Writes down how a request ended, unless its caller tries again. `heardAt`: when its user first saw something. */
  close(arrival: Arrival, outcome: SeenOutcome, heardAt: number): void {
    if (outcome === 'failed' && this.#tryAgain(arrival)) return;
    const { feature, askedAt } = arrival;
    this.tally.feature(feature.name).count(minuteOf(askedAt), outcome, heardAt - askedAt);
  }

  #tryAgain(arrival: Arrival): boolean {
    const client = this.#client;
    const { retried, feature } = arrival;
    if (client === null || client.stopsRetries || retried >= this.rehearsal.scenario.callersRetry)
      return false;
    this.after(sdkBackoffMs(retried, this.random()), () => {
      const deadline = instant(this.clock + feature.timeouts.totalMs);
      client.arrive({ ...arrival, at: this.#now, retried: retried + 1, deadline });
    });
    return true;
  }

  /** An answer's outcome by who gave it. */
  answeredBy(feature: Feature, target: Target): SeenOutcome {
    const hop = hopBetween(feature.route[0], target);
    if (hop === null) return 'answered';
    return modeFor(feature, hop, null) === 'reduce' ? 'limited' : 'backup';
  }

  covered(scope: Scope): readonly Target[] {
    return [...this.rehearsal.snapshot.targets.values()].filter((target) => covers(scope, target, null));
  }
}

function definedScope(off: OperatorAct['off']): Scope {
  return Object.fromEntries(Object.entries(off).filter(([, value]) => value !== undefined));
}

/** As the official SDKs wait: half a second, doubling, up to eight, a quarter of it by chance. */
export function sdkBackoffMs(retried: number, random: number): number {
  return Math.min(8_000, 500 * 2 ** retried) * (1 - 0.25 * random);
}

const probePatience: Patience = { firstTokenMs: 10_000, stallMs: 10_000, totalMs: 30_000 };

/** How long after the end requests under way may take. */
const drainMsMax = 600_000;
