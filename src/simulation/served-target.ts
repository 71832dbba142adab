/**
 * A target as a caller sees it: what becomes of a call is the provider model's to say; here are the places it has, with
 * a queue behind them, and callers whose patience ends. Who gives up on a call frees its place or, where the provider
 * does not notice, does not.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import { createProviderModel, shareAt, strikes } from './provider-model.ts';
import type { Fate, ProviderModel } from './provider-model.ts';
import type { Fault, Pace, Scenario } from './scenario.ts';

/** How long the caller is patient. */
export type Patience = { readonly firstTokenMs: number; readonly stallMs: number; readonly totalMs: number };

export type Listener = {
  firstToken(): void;
  /** Null: the answer is complete. */
  ended(failure: Failure | null): void;
};

/** Virtual time, in milliseconds since the start. */
export type Timeline = { readonly now: number; after(ms: number, act: () => void): void };

export type ServedCall = { readonly hangUp: () => void };

class Call {
  readonly target: ServedTarget;
  readonly listener: Listener;
  readonly patience: Patience;
  readonly poisonous: boolean;
  readonly startedAt: number;
  state: 'queued' | 'served' | 'over' = 'queued';
  /** The caller is gone; a provider that does not notice works on. */
  left = false;
  heard = false;

  constructor(target: ServedTarget, listener: Listener, patience: Patience, poisonous: boolean) {
    this.target = target;
    this.listener = listener;
    this.patience = patience;
    this.poisonous = poisonous;
    this.startedAt = target.time.now;
  }

  hangUp(): void {
    if (this.left) return;
    this.left = true;
    if (this.target.pace.noticesLeaving) this.target.drop(this);
  }

  hear(): void {
    if (this.left) return;
    this.heard = true;
    this.listener.firstToken();
  }

  /** Tells the caller, once, how it ended. */
  end(failure: Failure | null): void {
    if (this.left) return;
    this.left = true;
    this.listener.ended(failure);
  }
}

export class ServedTarget {
  readonly target: Target;
  readonly pace: Pace;
  readonly time: Timeline;
  readonly #model: ProviderModel;
  readonly #shrinking: readonly Fault[];
  #serving = 0;
  readonly #line: Call[] = [];

  constructor(target: Target, scenario: Scenario, time: Timeline, random: () => number) {
    this.target = target;
    this.pace = scenario.pace(target.name);
    this.time = time;
    this.#model = createProviderModel(scenario, this.pace, random);
    this.#shrinking = scenario.faults.filter(
      (fault) => fault.effect.kind === 'shrink' && strikes(fault, target, null),
    );
  }

  #hasPlace(): boolean {
    const { places } = this.pace;
    if (places === null) return true;
    let left = places;
    for (const fault of this.#shrinking) {
      if (fault.effect.kind === 'shrink' && shareAt(fault, this.time.now) > 0)
        left = Math.max(1, places * fault.effect.to);
    }
    return this.#serving < left;
  }

  begin(listener: Listener, patience: Patience, poisonous = false): ServedCall {
    const call = new Call(this, listener, patience, poisonous);
    if (this.#hasPlace()) this.#serve(call);
    else {
      this.#line.push(call);
      this.time.after(patience.firstTokenMs, () => this.#impatient(call));
    }
    return call;
  }

  #impatient(call: Call): void {
    if (call.heard || call.left) return;
    call.end(failureOf('first_token_timeout'));
    if (this.pace.noticesLeaving) this.drop(call);
  }

  #serve(call: Call): void {
    const { time, target } = this;
    call.state = 'served';
    this.#serving++;
    const waitedMs = time.now - call.startedAt;
    const firstTokenMsMax = call.patience.firstTokenMs - waitedMs;
    const { stallMs } = call.patience;
    const fate = this.#model(
      { target, key: null, firstTokenMsMax, stallMs, poisonous: call.poisonous },
      time.now,
    );
    if (fate.firstTokenMs === null) time.after(fate.durationMs, () => this.#finish(call, fate.failure));
    else this.#answer(call, fate, fate.firstTokenMs, { firstTokenMsMax, waitedMs });
  }

  #answer(
    call: Call,
    fate: Fate,
    firstTokenMs: number,
    { firstTokenMsMax, waitedMs }: { readonly firstTokenMsMax: number; readonly waitedMs: number },
  ): void {
    const { time } = this;
    if (firstTokenMs > firstTokenMsMax) {
      time.after(Math.max(0, firstTokenMsMax), () => this.#impatient(call));
      // Who does not notice that the caller left works on to the end.
      if (!this.pace.noticesLeaving) time.after(fate.durationMs, () => this.#finish(call, null));
      return;
    }
    time.after(firstTokenMs, () => call.hear());
    const leftMs = call.patience.totalMs - waitedMs;
    if (fate.durationMs > leftMs) time.after(leftMs, () => this.#finish(call, failureOf('stream_stalled')));
    else time.after(fate.durationMs, () => this.#finish(call, fate.failure));
  }

  #finish(call: Call, failure: Failure | null): void {
    if (call.state !== 'served') return;
    call.state = 'over';
    this.#serving--;
    call.end(failure);
    this.#next();
  }

  /** The caller hung up, and the provider noticed. */
  drop(call: Call): void {
    if (call.state === 'served') {
      this.#serving--;
      call.state = 'over';
      this.#next();
    } else call.state = 'over';
  }

  #next(): void {
    while (this.#line.length > 0 && this.#hasPlace()) {
      const call = this.#line.shift();
      if (call?.state === 'queued') this.#serve(call);
    }
  }
}
