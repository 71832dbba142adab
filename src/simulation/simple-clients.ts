/**
 * What products do without a gateway, and what simple gateways do, for comparison under the same traffic and trouble.
 * None of them knows a policy: a fallback list is followed wherever it leads, which is counted.
 */
import type { Failure } from '../core/failure.ts';
import { failureRow } from '../core/failure.ts';
import type { TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Listener } from './served-target.ts';
import { sdkBackoffMs } from './arena.ts';
import type { Arena, Arrival, Client } from './arena.ts';

export type SimpleStrategy = {
  /** Second tries of the same target, as the official SDKs make them. */
  readonly retries: number;
  /** Whether the next target of the route is asked when one has failed. */
  readonly fallsBack: boolean;
  readonly breaker: boolean;
};

/** With less time than this left, another try could not end well. */
const usefulMs = 500;
const breakerRule = { windowMs: 30_000, callsMin: 5, share: 0.5, openMs: 30_000 } as const;

/** Half of at least five calls within 30 s failed: out for 30 s, then everything comes back at once. */
class Breaker {
  /** Ends of calls within the window, the oldest first, as time and whether it failed. */
  #times: number[] = [];
  #failures: boolean[] = [];
  #first = 0;
  #failed = 0;
  #openUntil = 0;

  isOpen(now: number): boolean {
    return now < this.#openUntil;
  }

  note(failed: boolean, now: number): void {
    this.#times.push(now);
    this.#failures.push(failed);
    if (failed) this.#failed++;
    while ((this.#times[this.#first] ?? now) <= now - breakerRule.windowMs) {
      if (this.#failures[this.#first] === true) this.#failed--;
      this.#first++;
    }
    if (this.#first > keptMax) this.#forget(this.#first);
    const calls = this.#times.length - this.#first;
    if (!failed || calls < breakerRule.callsMin || this.#failed < calls * breakerRule.share) return;
    this.#openUntil = now + breakerRule.openMs;
    this.#forget(this.#times.length);
    this.#failed = 0;
  }

  #forget(count: number): void {
    this.#times = this.#times.slice(count);
    this.#failures = this.#failures.slice(count);
    this.#first = 0;
  }
}

/** Calls that left the window are forgotten many at a time. */
const keptMax = 10_000;

export class SimpleClient implements Client {
  readonly arena: Arena;
  readonly strategy: SimpleStrategy;
  /** Its own second tries are all there are. */
  readonly stopsRetries = true;
  readonly #breakers = new Map<TargetName, Breaker>();

  constructor(arena: Arena, strategy: SimpleStrategy) {
    this.arena = arena;
    this.strategy = strategy;
  }

  arrive(arrival: Arrival): void {
    new SimpleRequest(this, arrival).begin();
  }

  tick(): void {
    // Nothing here moves by time alone.
  }

  rests(): boolean {
    return true;
  }

  released(): void {
    // There are no switches without a control plane: an operator's act changes nothing.
  }

  breakerOf(target: Target): Breaker | null {
    if (!this.strategy.breaker) return null;
    let breaker = this.#breakers.get(target.name);
    if (breaker === undefined) this.#breakers.set(target.name, (breaker = new Breaker()));
    return breaker;
  }
}

class SimpleRequest implements Listener {
  readonly #client: SimpleClient;
  readonly #arena: Arena;
  readonly #arrival: Arrival;
  #index = -1;
  #retries = 0;
  #heardAt: number | null = null;

  constructor(client: SimpleClient, arrival: Arrival) {
    this.#client = client;
    this.#arena = client.arena;
    this.#arrival = arrival;
  }

  get #target(): Target | undefined {
    return this.#arrival.course.feature.route[this.#index];
  }

  begin(): void {
    this.#moveOn();
  }

  #moveOn(): void {
    const { route } = this.#arrival.course.feature;
    const { now } = this.#arena;
    const last = this.#client.strategy.fallsBack ? route.length : 1;
    for (;;) {
      this.#index++;
      const target = this.#target;
      if (target === undefined || this.#index >= last) {
        this.#arena.close(this.#arrival, 'failed', now);
        return;
      }
      if (this.#client.breakerOf(target)?.isOpen(now) === true) continue;
      this.#retries = 0;
      this.#ask(target);
      return;
    }
  }

  #ask(target: Target): void {
    this.#arena.call(this.#arrival, target, target.provider.keys[0]?.name ?? null, this);
  }

  firstToken(): void {
    this.#heardAt = this.#arena.now;
  }

  ended(failure: Failure | null): void {
    const arena = this.#arena;
    const target = this.#target;
    if (target === undefined) throw new Error('ended before it began');
    this.#client.breakerOf(target)?.note(failure !== null, arena.now);
    if (failure === null || this.#heardAt !== null) {
      const outcome = failure === null ? arena.answeredBy(this.#arrival, target) : 'cut';
      arena.close(this.#arrival, outcome, this.#heardAt ?? arena.now);
      return;
    }
    if (arena.clock + usefulMs >= this.#arrival.deadline || failureRow(failure.class).moveOn === 'no') {
      arena.close(this.#arrival, 'failed', arena.now);
      return;
    }
    if (this.#retries < this.#client.strategy.retries) this.#retry(target, failure);
    else this.#moveOn();
  }

  #retry(target: Target, failure: Failure): void {
    const waitMs = failure.retryAfterMs ?? sdkBackoffMs(this.#retries, this.#arena.random());
    this.#retries++;
    this.#arena.after(waitMs, () => {
      if (this.#arena.clock < this.#arrival.deadline) this.#ask(target);
      else this.#arena.close(this.#arrival, 'failed', this.#arena.now);
    });
  }
}
