/**
 * Places at targets: who may open a call now, who waits, who is turned away, so that a failover does not kill what it
 * moves to. The rules are `core/concurrency-limit.ts` (how many), `core/shedding.ts` (who first), `core/waiting-line.ts`
 * (who next) and `core/rate-meter.ts` (known rates); this holds the counts they speak about. It has no timer and no
 * clock of its own, so that a simulation can run it.
 */
import { isRoundOver, judgeRound, noLimit, settleLimit, timedSign } from '../core/concurrency-limit.ts';
import type { CallSeen, ConcurrencyLimit, LoadSign } from '../core/concurrency-limit.ts';
import type { FailureClass } from '../core/failure.ts';
import type { Instant, NonEmpty, TargetName } from '../core/ids.ts';
import { grownBy, msUntilGrown, startGrowth } from '../core/growth.ts';
import type { Growth } from '../core/growth.ts';
import { charged, fullMeter, msUntilFits, usedShare } from '../core/rate-meter.ts';
import type { Meter } from '../core/rate-meter.ts';
import { isAbove, placesFor, shareOf, waitMsMax } from '../core/shedding.ts';
import type { Feature, Priority } from '../core/snapshot.ts';
import type { Provider, Target } from '../core/target.ts';
import { join, leave, nextInLine, overdue, somebodyBefore } from '../core/waiting-line.ts';
import type { Line } from '../core/waiting-line.ts';

/** Who asks for a place. */
export type Claim = {
  readonly priority: Priority;
  readonly tenant: string | null;
  readonly inputTokens: number;
};

/** A place at a target, given back once. */
export type Place = {
  readonly target: Target;
  readonly claim: Claim;
  readonly startedAt: Instant;
  readonly openAtStart: number;
};

export type Full = {
  readonly kind: 'full';
  readonly words: string;
  /** When there may be room again; null when that depends on others' calls. */
  readonly until: Instant | null;
};

export type CapacityView = {
  readonly open: number;
  readonly waiting: number;
  /** The limit in force for this target: learnt, or what the provider's `limits` leave. */
  readonly limit: number;
  readonly learnt: boolean;
};

export type Capacity = {
  enter(target: Target, claim: Claim): Place | Full;
  /**
   * Waits for a place at any of the targets, until `deadline` at most. `settled` is called once, with null when there
   * was none in time; the function returned gives up waiting.
   */
  wait(
    targets: NonEmpty<Target>,
    claim: Claim,
    deadline: Instant,
    settled: (place: Place | null) => void,
  ): () => void;
  /** What a call showed about load: when its first token came, or it failed before. */
  seen(place: Place, sign: LoadSign): void;
  leave(place: Place): void;
  /** How long somebody who was turned away should stay away. */
  retryAfterMs(targets: readonly Target[]): number;
  /** How full a target is by the limits that are known, from 0 to 1. */
  used(target: Target): number;
  view(target: Target): CapacityView;
  /** Moves what only time moves: waits that are over, rates that refilled. Call it often while `waiting` is above 0. */
  tick(): void;
  readonly waiting: number;
};

type Waiting = {
  readonly priority: Priority;
  readonly tenant: string | null;
  readonly until: Instant;
  readonly claim: Claim;
  readonly settle: (place: Place | null) => void;
};

type Load = {
  target: Target;
  limit: ConcurrencyLimit;
  /** Calls seen since the limit was last judged. */
  round: CallSeen[];
  open: number;
  line: Line<Waiting>;
  readonly tenants: Map<string | null, number>;
};

type ProviderLoad = { open: number; requests: Meter | null; tokens: Meter | null; growth: Growth | null };

export type CapacityOptions = {
  readonly now: () => Instant;
  readonly random: () => number;
  readonly features: () => ReadonlyMap<string, Feature>;
  /** Somebody waits where nobody did: from now until nobody does, `tick` is to be called often. */
  readonly onWaiting: () => void;
};

/** How often `tick` should be called while somebody waits. */
export const waitingTickMs = 25;

/** The backstop against names that callers invent; idle ones are dropped first. */
const loadsMax = 10_000;
/** Calls kept for a judgement: those of an earlier limit do not count in it. */
const roundCallsMax = 64;
/** Where several tenants share a target, one with more than its even part leaves this share of the places to the others. */
const greedyShare = 0.8;
/** Somebody turned away should stay away this long, spread so that they do not return in step. */
const stayAwayMs = { least: 2_000, spread: 3_000 } as const;

class Board implements Capacity {
  readonly #options: CapacityOptions;
  readonly #loads = new Map<TargetName, Load>();
  readonly #providers = new WeakMap<Provider, ProviderLoad>();
  readonly #tops = new WeakMap<ReadonlyMap<string, Feature>, ReadonlyMap<string, Priority>>();
  /** Targets with somebody in line. */
  readonly #lines = new Set<Load>();
  waiting = 0;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  #load(target: Target): Load {
    let load = this.#loads.get(target.name);
    if (load === undefined) {
      if (this.#loads.size >= loadsMax) this.#dropIdle();
      load = {
        target,
        limit: noLimit(this.#options.now()),
        round: [],
        open: 0,
        line: [],
        tenants: new Map(),
      };
      this.#loads.set(target.name, load);
    }
    return load;
  }

  #dropIdle(): void {
    for (const [name, load] of this.#loads)
      if (load.open === 0 && load.line.length === 0) this.#loads.delete(name);
  }

  #provider(provider: Provider): ProviderLoad {
    let load = this.#providers.get(provider);
    if (load === undefined) {
      const now = this.#options.now();
      const meter = (perMinute: number | null): Meter | null =>
        perMinute === null ? null : fullMeter(perMinute, now);
      load = {
        open: 0,
        requests: meter(provider.requestsPerMinute),
        tokens: meter(provider.tokensPerMinute),
        growth: provider.growth === null ? null : startGrowth(provider.growth, now),
      };
      this.#providers.set(provider, load);
    }
    return load;
  }

  /** The highest priority that uses a provider. Requests of no feature are `normal` and may use any. */
  #top(provider: Provider): Priority {
    const features = this.#options.features();
    let tops = this.#tops.get(features);
    if (tops === undefined) {
      const found = new Map<string, Priority>();
      for (const { priority, route } of features.values())
        for (const { provider: each } of route)
          if (isAbove(priority, found.get(each.id) ?? 'normal')) found.set(each.id, priority);
      this.#tops.set(features, (tops = found));
    }
    return tops.get(provider.id) ?? 'normal';
  }

  /** Null: there is room. */
  #objection(load: Load, claim: Claim): Full | null {
    const { provider } = load.target;
    const shared = this.#provider(provider);
    const top = this.#top(provider);
    const { most } = load.limit;
    if (most !== null && load.open >= this.#places(load, most, claim, top))
      return {
        kind: 'full',
        words: `${load.open} calls are open, about as many as it can take now`,
        until: null,
      };
    if (shared.open >= placesFor(provider.concurrencyMax, claim.priority, top))
      return {
        kind: 'full',
        words: `${shared.open} of ${provider.concurrencyMax} calls are open`,
        until: null,
      };
    if (shared.requests === null && shared.tokens === null && shared.growth === null) return null;
    return this.#rateObjection(shared, claim, top);
  }

  #places(load: Load, most: number, claim: Claim, top: Priority): number {
    const places = placesFor(most, claim.priority, top);
    if (claim.priority !== 'sheddable' || load.tenants.size < 2) return places;
    const even = places / load.tenants.size;
    return (load.tenants.get(claim.tenant) ?? 0) < even ? places : Math.ceil(places * greedyShare);
  }

  #rateObjection(shared: ProviderLoad, claim: Claim, top: Priority): Full | null {
    const now = this.#options.now();
    const share = shareOf(claim.priority, top);
    const wait = (meter: Meter | null, cost: number): number =>
      meter === null ? 0 : msUntilFits(meter, cost, share, now);
    const { growth } = shared;
    const rateMs = Math.max(wait(shared.requests, 1), wait(shared.tokens, claim.inputTokens));
    const growthMs = growth === null ? 0 : msUntilGrown(growth, claim.inputTokens, share, now);
    const waitMs = Math.max(rateMs, growthMs);
    if (waitMs === 0) return null;
    const words =
      rateMs > 0
        ? 'the rate agreed with the provider is used up'
        : 'more would grow faster than the provider allows';
    return { kind: 'full', words, until: (now + waitMs) as Instant };
  }

  #take(load: Load, claim: Claim): Place {
    const now = this.#options.now();
    const shared = this.#provider(load.target.provider);
    load.open++;
    shared.open++;
    load.tenants.set(claim.tenant, (load.tenants.get(claim.tenant) ?? 0) + 1);
    if (shared.requests !== null) shared.requests = charged(shared.requests, 1, now);
    if (shared.tokens !== null) shared.tokens = charged(shared.tokens, claim.inputTokens, now);
    if (shared.growth !== null) shared.growth = grownBy(shared.growth, claim.inputTokens, now);
    return { target: load.target, claim, startedAt: now, openAtStart: load.open };
  }

  enter(target: Target, claim: Claim): Place | Full {
    const load = this.#load(target);
    load.target = target;
    if (load.line.length > 0 && somebodyBefore(load.line, claim.priority))
      return { kind: 'full', words: `${load.line.length} requests are waiting for it`, until: null };
    return this.#objection(load, claim) ?? this.#take(load, claim);
  }

  wait(
    targets: NonEmpty<Target>,
    claim: Claim,
    deadline: Instant,
    settled: (place: Place | null) => void,
  ): () => void {
    const until = Math.min(deadline, this.#options.now() + waitMsMax[claim.priority]) as Instant;
    if (until <= this.#options.now()) {
      settled(null);
      return () => {};
    }
    const joined: [Load, Waiting][] = [];
    const giveUp = (): void => {
      for (const [load, waiter] of joined) this.#setLine(load, leave(load.line, waiter));
      joined.length = 0;
    };
    const settle = (place: Place | null): void => {
      giveUp();
      settled(place);
    };
    const turnedAway: Waiting[] = [];
    for (const target of targets) {
      const load = this.#load(target);
      const waiter: Waiting = { priority: claim.priority, tenant: claim.tenant, until, claim, settle };
      const result = join(load.line, waiter);
      this.#setLine(load, result.line);
      if (result.turnedAway !== waiter) joined.push([load, waiter]);
      if (result.turnedAway !== null && result.turnedAway !== waiter) turnedAway.push(result.turnedAway);
    }
    for (const waiter of turnedAway) waiter.settle(null);
    if (joined.length === 0) settle(null);
    return giveUp;
  }

  #setLine(load: Load, line: Line<Waiting>): void {
    const before = this.waiting;
    this.waiting += line.length - load.line.length;
    load.line = line;
    if (before === 0 && this.waiting > 0) this.#options.onWaiting();
    if (line.length > 0) this.#lines.add(load);
    else this.#lines.delete(load);
  }

  /** Lets in whoever is next for as long as there is room. */
  #serve(load: Load): void {
    const openOf = (tenant: string | null): number => load.tenants.get(tenant) ?? 0;
    for (;;) {
      const next = nextInLine(load.line, () => true, openOf);
      if (next === null || this.#objection(load, next.claim) !== null) return;
      next.settle(this.#take(load, next.claim));
    }
  }

  seen({ target, startedAt, openAtStart, claim }: Place, sign: LoadSign): void {
    const load = this.#load(target);
    const now = this.#options.now();
    load.round.push({ startedAt, seenAt: now, openAtStart, inputTokens: claim.inputTokens, sign });
    if (!isRoundOver(load.round)) return;
    const judged = judgeRound(load.limit, load.round, load.open, now);
    if (judged === null && load.round.length < roundCallsMax) return;
    load.round = [];
    load.limit = judged ?? load.limit;
  }

  leave(place: Place): void {
    const load = this.#load(place.target);
    const shared = this.#provider(place.target.provider);
    load.open = Math.max(0, load.open - 1);
    shared.open = Math.max(0, shared.open - 1);
    const open = (load.tenants.get(place.claim.tenant) ?? 1) - 1;
    if (open > 0) load.tenants.set(place.claim.tenant, open);
    else load.tenants.delete(place.claim.tenant);
    if (this.#lines.size === 0) return;
    this.#serve(load);
    for (const other of this.#lines)
      if (other !== load && other.target.provider.id === place.target.provider.id) this.#serve(other);
  }

  retryAfterMs(targets: readonly Target[]): number {
    const waits = targets.map((target) => {
      const { until } = this.#objection(this.#load(target), {
        priority: 'normal',
        tenant: null,
        inputTokens: 0,
      }) ?? {
        until: null,
      };
      return until === null ? 0 : until - this.#options.now();
    });
    const least = Math.max(stayAwayMs.least, waits.length === 0 ? 0 : Math.min(...waits));
    return Math.round(least + stayAwayMs.spread * this.#options.random());
  }

  used(target: Target): number {
    const now = this.#options.now();
    const load = this.#loads.get(target.name);
    const shared = this.#provider(target.provider);
    const most = load?.limit.most ?? null;
    return Math.max(
      shared.open / target.provider.concurrencyMax,
      most === null ? 0 : (load?.open ?? 0) / most,
      shared.requests === null ? 0 : usedShare(shared.requests, now),
      shared.tokens === null ? 0 : usedShare(shared.tokens, now),
    );
  }

  view(target: Target): CapacityView {
    const load = this.#loads.get(target.name);
    const most = load?.limit.most ?? null;
    return {
      open: load?.open ?? 0,
      waiting: load?.line.length ?? 0,
      limit: Math.min(
        most === null ? Number.POSITIVE_INFINITY : Math.floor(most),
        target.provider.concurrencyMax,
      ),
      learnt: most !== null && most < target.provider.concurrencyMax,
    };
  }

  tick(): void {
    const now = this.#options.now();
    for (const load of this.#lines) {
      for (const waiter of overdue(load.line, now)) waiter.settle(null);
      this.#serve(load);
    }
    for (const load of this.#loads.values()) load.limit = settleLimit(load.limit, now);
  }
}

export function createCapacity(options: CapacityOptions): Capacity {
  return new Board(options);
}

/** What a failed call says about load. A silence is a first token that would have come later still. */
export function loadSign(failureClass: FailureClass, waitedMs: number, absentMs: number): LoadSign {
  if (failureClass === 'overloaded' || failureClass === 'rate_limited') return 'overloaded';
  return failureClass === 'headers_timeout' || failureClass === 'first_token_timeout'
    ? timedSign(waitedMs, absentMs)
    : 'none';
}
