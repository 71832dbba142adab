/**
 * A world in virtual time, where strategies meet the same scenario: the same traffic, the same faults, the same luck of
 * each target, and an operator's switches. A strategy decides who is asked; the arena makes the calls, looks at policy
 * once more for itself and counts what users see. The strategy `breakwater` is the product's own core.
 *
 * Drills run it to its end. Tests step through it and meddle: switches, restarts, a clock that jumps. Time passes from
 * event to event, and while nothing is under way, suspected or out, there are none: quiet hours cost nothing. Nothing
 * here sleeps, opens a socket or asks for the time.
 */
import type { Round } from '../core/canary.ts';
import { classDemand } from '../core/data-class.ts';
import { instant, switchId } from '../core/ids.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { Offer } from '../core/routing.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import { covers } from '../core/switches.ts';
import type { Scope, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { canaryRound } from './canary-answers.ts';
import { chanceFor } from './chance.ts';
import { EventQueue } from './event-queue.ts';
import type { Happening } from './event-queue.ts';
import { Lane } from './lane.ts';
import type { Course, Moment } from './lane.ts';
import type { OperatorAct, Scenario } from './scenario.ts';
import { ServedTarget } from './served-target.ts';
import type { Call, Listener, Timeline } from './served-target.ts';
import { RunTally } from './tally.ts';
import type { SeenOutcome } from './tally.ts';
import { Traffic } from './traffic.ts';

export type Rehearsal = {
  readonly snapshot: Snapshot;
  readonly scenario: Scenario;
  readonly seed: number;
  /** Whether anybody looks at what answers are like, beyond whether they come; they do unless it is said that nobody does. */
  readonly readsAnswers?: boolean;
};

/** One request, as strategies see it. */
export type Arrival = {
  readonly course: Course;
  readonly caller: string;
  readonly poisonous: boolean;
  /** Milliseconds since the start. */
  readonly at: number;
  /** When its user asked: earlier than `at` when the caller's SDK tried again. */
  readonly askedAt: number;
  readonly retried: number;
  /** Who may answer now that its user was asked and agreed; null: nobody was asked. */
  readonly agreedTo: TargetName | null;
  readonly deadline: Instant;
};

/** How a strategy takes part. */
export type Client = {
  arrive(arrival: Arrival): void;
  /** As time passes, one to four times a second. */
  tick(): void;
  /** Nothing of it would move by time alone: it need not be told that time passes until somebody asks again. */
  rests(): boolean;
  /** A switch is over. */
  released(scope: Scope): void;
  /** Its errors tell callers not to try again. */
  readonly stopsRetries: boolean;
};

const minuteMs = 60_000;
/** As in production; in a run of many hours once a second, which makes detection coarser by less than that. */
const tickMs = { usual: 250, long: 1_000 } as const;
const longMs = 3 * 3_600_000;
/** Also who rests looks at the clock now and then, or would take the time that passed for a jump. */
const restMsMax = 300_000;
/** How long after the end requests under way may take. */
const drainMsMax = 600_000;

export class Arena implements Timeline, Moment, Happening {
  readonly rehearsal: Rehearsal;
  readonly random: () => number;
  readonly tally: RunTally;
  switches: readonly Switch[] = [];
  /** Milliseconds since the start. */
  now = 0;
  readonly #canaryRandom: () => number;
  readonly #queue = new EventQueue();
  readonly #traffic: Traffic<Feature>;
  readonly #targets = new Map<TargetName, ServedTarget>();
  readonly #courses = new Map<Feature, Course>();
  readonly #tickMs: number;
  #client: Client | null = null;
  #tickAt = Number.POSITIVE_INFINITY;
  /** What the clock showed at the start; later when it has jumped since. */
  #start: number;

  constructor(rehearsal: Rehearsal, strategy: string) {
    const { scenario, seed, snapshot } = rehearsal;
    this.rehearsal = rehearsal;
    this.#start = scenario.start;
    this.random = chanceFor(seed, `strategy ${strategy}`);
    this.#canaryRandom = chanceFor(seed, 'canaries');
    this.tally = new RunTally(Math.max(1, Math.ceil(scenario.durationMs / minuteMs)));
    this.#tickMs = scenario.durationMs > longMs ? tickMs.long : tickMs.usual;
    this.#traffic = new Traffic(
      [...snapshot.features.values()].map((feature) => ({
        name: feature,
        prefix: feature.name,
        profile: scenario.traffic(feature.name),
      })),
      scenario.durationMs,
      chanceFor(seed, 'traffic'),
    );
    for (const act of scenario.operator) this.#plan(act);
  }

  get clock(): Instant {
    return (this.#start + this.now) as Instant;
  }

  get minute(): number {
    return Math.floor(this.now / minuteMs);
  }

  put(at: number, what: Happening, step: number): void {
    this.#queue.put(at, what, step);
  }

  after(ms: number, act: () => void): void {
    this.#queue.put(this.now + ms, { happen: act }, 0);
  }

  /** The clock of the machine jumps; virtual time goes on as before. */
  jumpClock(byMs: number): void {
    this.#start += byMs;
  }

  /** The strategy that requests meet from now on. */
  join(client: Client): void {
    this.#client = client;
    this.#wake();
  }

  /** Runs to the end with a strategy. Requests under way then are still answered; nothing new arrives. */
  run(client: Client): RunTally {
    this.join(client);
    this.runUntil(this.rehearsal.scenario.durationMs + drainMsMax);
    return this.tally;
  }

  /** Runs until this many milliseconds after the start. */
  runUntil(ms: number): void {
    const queue = this.#queue;
    const traffic = this.#traffic;
    for (;;) {
      const event = queue.earliest;
      const arrival = traffic.nextAt;
      if (Math.min(event, arrival) > ms) break;
      if (arrival <= event) {
        this.now = arrival;
        this.#arrive();
      } else {
        this.now = event;
        queue.happen();
      }
    }
    this.now = Math.max(this.now, ms);
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
    this.after(act.at, () => {
      this.switches = [...this.switches, entry];
    });
    this.after(act.at + act.for, () => {
      this.switches = this.switches.filter((each) => each !== entry);
      if (act.ramp !== false) this.#client?.released(entry.scope);
      this.#wake();
    });
  }

  /** Ticks begin again at the next whole one. */
  #wake(): void {
    const next = (Math.floor(this.now / this.#tickMs) + 1) * this.#tickMs;
    if (next < this.#tickAt) this.#tickAfter(next);
  }

  #tickAfter(at: number): void {
    this.#tickAt = at;
    this.#queue.put(at, this, 0);
  }

  /** A tick, unless an earlier one has taken its place. */
  happen(): void {
    const { now } = this;
    const client = this.#client;
    if (now !== this.#tickAt || client === null) return;
    this.#tickAt = Number.POSITIVE_INFINITY;
    client.tick();
    if (now < this.rehearsal.scenario.durationMs)
      this.#tickAfter(now + (client.rests() ? restMsMax : this.#tickMs));
  }

  #arrive(): void {
    const came = this.#traffic.take();
    if (came === null) return;
    const { stream, caller } = came;
    const { now, clock } = this;
    this.#wake();
    this.#client?.arrive({
      course: this.courseOf(stream.name),
      caller: stream.callers[caller] ?? '',
      poisonous: stream.profile.poison && caller === 0,
      at: now,
      askedAt: now,
      retried: 0,
      agreedTo: null,
      deadline: (clock + stream.name.timeouts.totalMs) as Instant,
    });
  }

  courseOf(feature: Feature): Course {
    let course = this.#courses.get(feature);
    if (course === undefined) {
      const { snapshot, scenario } = this.rehearsal;
      course = {
        feature,
        profile: scenario.traffic(feature.name),
        demand: classDemand(snapshot, feature, null, { tenant: null, keyNames: [] }),
        tally: this.tally.feature(feature.name),
        lanes: new Map(),
      };
      this.#courses.set(feature, course);
    }
    return course;
  }

  #served(target: Target): ServedTarget {
    let served = this.#targets.get(target.name);
    if (served === undefined) {
      const { scenario, seed, readsAnswers = true } = this.rehearsal;
      const random = chanceFor(seed, `target ${target.name}`);
      served = new ServedTarget(target, scenario, this, random, readsAnswers);
      this.#targets.set(target.name, served);
    }
    return served;
  }

  #newLane(course: Course, target: Target): Lane {
    const lane = new Lane(course, this.#served(target), this.tally.target(target), this);
    course.lanes.set(target, lane);
    return lane;
  }

  /** Makes a call, with one of the provider's keys. */
  call(
    { course, deadline, poisonous, agreedTo }: Arrival,
    target: Target,
    key: string | null,
    caller: Listener,
  ): Call {
    const { feature, tally, lanes } = course;
    const lane = lanes.get(target) ?? this.#newLane(course, target);
    const rule = lane.broken(agreedTo === target.name);
    if (rule !== null) this.tally.violate({ feature: feature.name, target: target.name, rule });
    tally.attempts++;
    const totalMs = deadline - this.clock;
    const { firstTokenMs, stallMs } = feature.timeouts;
    return lane.served.begin(caller, lane, {
      firstTokenMs: Math.min(firstTokenMs, totalMs),
      stallMs,
      totalMs,
      poisonous,
      short: false,
      key,
    });
  }

  /** A call of the gateway's own, for no user. */
  probe(target: Target, key: string | null, caller: Listener): void {
    this.tally.target(target).probes++;
    this.#served(target).begin(caller, null, { ...probePatience, key });
  }

  /** All fixed questions at once. */
  askCanary(target: Target): Round {
    return canaryRound(this.#served(target).manner, this.#canaryRandom);
  }

  /** Writes down how a request ended, unless its caller tries again. `heardAt`: when its user first saw something. */
  close(arrival: Arrival, outcome: SeenOutcome, heardAt: number): void {
    if (outcome === 'failed' && this.#tryAgain(arrival)) return;
    const { askedAt } = arrival;
    arrival.course.tally.count(Math.floor(askedAt / minuteMs), outcome, heardAt - askedAt);
  }

  /** Asks the user whether one of these may answer: some agree, after a while, and the rest have no answer. */
  ask(arrival: Arrival, offers: readonly Offer[]): void {
    const { course, agreedTo } = arrival;
    const { agree, agreeAfterMs } = course.profile;
    const [offer] = offers;
    const client = this.#client;
    if (client === null || offer === undefined || agreedTo !== null || this.random() >= agree) {
      this.close(arrival, 'asked', this.now);
      return;
    }
    this.after(agreeAfterMs, () => {
      const deadline = instant(this.clock + course.feature.timeouts.totalMs);
      this.#wake();
      client.arrive({ ...arrival, at: this.now, deadline, agreedTo: offer.target.name });
    });
  }

  #tryAgain(arrival: Arrival): boolean {
    const client = this.#client;
    const { retried, course } = arrival;
    if (client === null || client.stopsRetries || retried >= this.rehearsal.scenario.callersRetry)
      return false;
    this.after(sdkBackoffMs(retried, this.random()), () => {
      const deadline = instant(this.clock + course.feature.timeouts.totalMs);
      client.arrive({ ...arrival, at: this.now, retried: retried + 1, deadline });
    });
    return true;
  }

  /** An answer's outcome by who gave it. */
  answeredBy({ course, agreedTo }: Arrival, target: Target): SeenOutcome {
    if (agreedTo !== null) return 'agreed';
    return course.lanes.get(target)?.answeredAs ?? 'answered';
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

/** As production probes: a question that a word answers. */
const probePatience = {
  firstTokenMs: 10_000,
  stallMs: 10_000,
  totalMs: 30_000,
  poisonous: false,
  short: true,
} as const;
