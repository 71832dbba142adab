/** What a run in the virtual world tells about an outage: when targets went out and came back, what was named, who met it. */
import type { Failure } from '../../src/core/failure.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Target } from '../../src/core/target.ts';
import { Arena } from '../../src/simulation/arena.ts';
import type { Arrival } from '../../src/simulation/arena.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { Call, Listener } from '../../src/simulation/served-target.ts';
import type { SeenOutcome, Transitioned } from '../../src/simulation/tally.ts';

const minute = 60_000;

/** One call of a user's request. */
export type Made = {
  readonly at: number;
  readonly target: string;
  readonly key: string | null;
  ended: number;
  failure: Failure | null;
};

export class Outage extends Arena {
  readonly client: BreakwaterClient;
  readonly made: Made[] = [];
  /** Requests of callers who do nothing wrong, and those of them that ended in an error. */
  requests = 0;
  errors = 0;
  secondAttempts = 0;
  readonly #attempts = new WeakMap<Arrival, number>();

  constructor(snapshot: Snapshot, scenario: Scenario, seed: number) {
    super({ snapshot, scenario, seed }, 'breakwater');
    this.client = new BreakwaterClient(this);
    this.run(this.client);
  }

  override call(arrival: Arrival, target: Target, key: string | null, caller: Listener): Call {
    const made: Made = {
      at: this.now,
      target: target.name,
      key,
      ended: Number.POSITIVE_INFINITY,
      failure: null,
    };
    this.made.push(made);
    const attempts = (this.#attempts.get(arrival) ?? 0) + 1;
    this.#attempts.set(arrival, attempts);
    if (attempts === 2) this.secondAttempts++;
    return super.call(arrival, target, key, {
      firstToken: () => caller.firstToken(),
      ended: (failure, answer) => {
        made.ended = this.now;
        made.failure = failure;
        caller.ended(failure, answer);
      },
    });
  }

  override close(arrival: Arrival, outcome: SeenOutcome, heardAt: number): void {
    if (!arrival.poisonous) {
      this.requests++;
      if (outcome === 'failed' || outcome === 'cut' || outcome === 'refused' || outcome === 'busy')
        this.errors++;
    }
    super.close(arrival, outcome, heardAt);
  }

  get moves(): readonly Transitioned[] {
    return this.tally.transitions;
  }

  /** Targets that went there at all, from a time on. */
  that(to: 'shedding' | 'ejected', fromMs = 0): string[] {
    const found = this.moves.filter((move) => move.to === to && move.atMs >= fromMs);
    return [...new Set(found.map(({ target }) => String(target)))].sort();
  }

  /** Seconds from a time until a target first went there; never when it did not. */
  secondsUntil(to: 'shedding' | 'ejected', fromMs: number, target: string): number {
    const move = this.moves.find((each) => each.to === to && each.atMs >= fromMs && each.target === target);
    return move === undefined ? Number.POSITIVE_INFINITY : (move.atMs - fromMs) / 1_000;
  }

  /** Seconds from the end of the trouble until a target was last seen to come back; 0 when it was in use then. */
  secondsBack(endMs: number, target: string, untilMs = Number.POSITIVE_INFINITY): number {
    const moves = this.moves.filter((each) => each.target === target && each.atMs < untilMs);
    if ((moves.at(-1)?.to ?? 'healthy') !== 'healthy') return Number.POSITIVE_INFINITY;
    return Math.max(0, ((moves.at(-1)?.atMs ?? 0) - endMs) / 1_000);
  }

  /** Seconds until a scope was first named. */
  secondsNamed(scope: string, fromMs: number): number {
    const move = this.moves.find(
      (each) =>
        each.atMs >= fromMs && each.scope !== null && `${each.scope.kind} ${each.scope.name}` === scope,
    );
    return move === undefined ? Number.POSITIVE_INFINITY : (move.atMs - fromMs) / 1_000;
  }

  /** Times it was declared out or came back. */
  transitions(target: string): number {
    return this.moves.filter(
      (each) =>
        each.target === target &&
        ((each.to === 'ejected' && each.from !== 'probing') ||
          (each.to === 'healthy' && each.from === 'ramping')),
    ).length;
  }

  /** Calls to a target that began within `[fromMs, toMs)`. */
  callsTo(target: string, fromMs: number, toMs: number): number {
    return this.made.filter((each) => each.target === target && each.at >= fromMs && each.at < toMs).length;
  }

  /** Share of a feature's requests that its preferred model answered in these minutes. */
  preferredShare(feature: string, fromMinute: number, toMinute: number): number {
    const outcomes = this.tally.feature(feature).outcomes(fromMinute, toMinute);
    const total = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    return total === 0 ? 1 : outcomes.answered / total;
  }

  get errorShare(): number {
    return this.errors / Math.max(1, this.requests);
  }
}

export const minutes = (count: number): number => count * minute;
