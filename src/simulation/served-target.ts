/**
 * A target as a caller sees it: what becomes of a call is the provider model's to say; here are the places it has, with
 * a queue behind them, and callers whose patience ends. Who gives up on a call frees its place or, where the provider
 * does not notice, does not.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import type { AnswerRead } from '../gateway/ticket.ts';
import { usualManner } from './canary-answers.ts';
import type { Manner } from './canary-answers.ts';
import type { Happening } from './event-queue.ts';
import { createProviderModel, shareAt, strikes } from './provider-model.ts';
import type { ProviderModel } from './provider-model.ts';
import type { Effect, Fault, Pace, Scenario } from './scenario.ts';

type Changed = Extract<Effect, { kind: 'changed' }>;

/** A call as whoever makes it knows it. */
export type Asked = {
  /** How long the caller is patient. */
  readonly firstTokenMs: number;
  readonly stallMs: number;
  readonly totalMs: number;
  /** It fails wherever it goes. */
  readonly poisonous: boolean;
  /** A word is all that is asked for: the answer ends soon after it began. */
  readonly short: boolean;
  /** The provider's key it is made with; null where there is none. */
  readonly key: string | null;
};

export type Listener = {
  firstToken(): void;
  /** Null: the answer is complete, and like that. */
  ended(failure: Failure | null, answer: AnswerRead | null): void;
};

/** Told how many calls are open, when one begins or ends. */
export type Bearer = { begin(): void; end(how: Ending): void };
/** `left`: the caller went away while nothing had come. */
export type Ending = 'good' | 'failed' | 'left';

/** Virtual time, in milliseconds since the start. */
export type Timeline = { readonly now: number; put(at: number, what: Happening, step: number): void };

const steps = { firstToken: 0, finish: 1, impatient: 2 } as const;

export class Call implements Happening {
  readonly target: ServedTarget;
  readonly listener: Listener;
  readonly bearer: Bearer | null;
  readonly asked: Asked;
  readonly startedAt: number;
  state: 'queued' | 'served' | 'over' = 'queued';
  /** The caller is gone; a provider that does not notice works on. */
  left = false;
  heard = false;
  /** How it will end, once it is served. */
  failure: Failure | null = null;
  answer: AnswerRead | null = null;
  endsAt = 0;

  constructor(target: ServedTarget, listener: Listener, bearer: Bearer | null, asked: Asked) {
    this.target = target;
    this.listener = listener;
    this.bearer = bearer;
    this.asked = asked;
    this.startedAt = target.time.now;
  }

  happen(step: number): void {
    if (step === steps.firstToken) this.#hear();
    else if (step === steps.finish) this.target.finish(this);
    else this.target.impatient(this);
  }

  #hear(): void {
    if (this.state === 'over') return;
    this.target.time.put(this.endsAt, this, steps.finish);
    if (this.left) return;
    this.heard = true;
    this.listener.firstToken();
  }

  /** Tells the caller, once, how it ended. */
  end(failure: Failure | null): void {
    if (this.left) return;
    this.left = true;
    this.bearer?.end(failure === null ? 'good' : 'failed');
    this.listener.ended(failure, failure === null ? this.answer : null);
  }

  /** The caller goes away: it is told nothing more. */
  leave(): void {
    if (this.left) return;
    this.left = true;
    this.bearer?.end('left');
    this.target.abandoned(this);
  }
}

export class ServedTarget {
  readonly target: Target;
  readonly pace: Pace;
  readonly time: Timeline;
  readonly #model: ProviderModel;
  readonly #shrinking: readonly Fault[];
  readonly #changes: readonly { readonly fault: Fault; readonly effect: Changed }[];
  #serving = 0;
  readonly #line: Call[] = [];

  constructor(
    target: Target,
    scenario: Scenario,
    time: Timeline,
    random: () => number,
    readsAnswers: boolean,
  ) {
    this.target = target;
    this.pace = scenario.pace(target.name);
    this.time = time;
    this.#model = createProviderModel(target, scenario, this.pace, random, readsAnswers);
    const striking = scenario.faults.filter((fault) => strikes(fault, target, null));
    this.#shrinking = striking.filter(({ effect }) => effect.kind === 'shrink');
    this.#changes = striking.flatMap((fault) =>
      fault.effect.kind === 'changed' ? { fault, effect: fault.effect } : [],
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

  /** How it answers the fixed questions of a canary now. */
  get manner(): Manner {
    let manner = usualManner;
    for (const { fault, effect } of this.#changes) {
      const { length = manner.length, otherWords = manner.otherWords } = effect;
      if (shareAt(fault, this.time.now) > 0) manner = { length, otherWords };
    }
    return manner;
  }

  begin(listener: Listener, bearer: Bearer | null, asked: Asked): Call {
    const call = new Call(this, listener, bearer, asked);
    bearer?.begin();
    if (this.#hasPlace()) this.#serve(call);
    else {
      this.#line.push(call);
      this.time.put(this.time.now + asked.firstTokenMs, call, steps.impatient);
    }
    return call;
  }

  /** The caller waited for a first token as long as it would. */
  impatient(call: Call): void {
    if (call.heard || call.left) return;
    call.end(failureOf('first_token_timeout'));
    this.abandoned(call);
  }

  abandoned(call: Call): void {
    if (this.pace.noticesLeaving) this.#drop(call);
  }

  #serve(call: Call): void {
    const { time } = this;
    const { now } = time;
    const { asked } = call;
    call.state = 'served';
    this.#serving++;
    const waitedMs = now - call.startedAt;
    const firstTokenMsMax = asked.firstTokenMs - waitedMs;
    const fate = this.#model(asked, firstTokenMsMax, now);
    call.failure = fate.failure;
    call.answer = fate.answer;
    call.endsAt = now + fate.durationMs;
    if (fate.firstTokenMs === null) time.put(call.endsAt, call, steps.finish);
    else if (fate.firstTokenMs > firstTokenMsMax) {
      time.put(now + Math.max(0, firstTokenMsMax), call, steps.impatient);
      // Who does not notice that the caller left works on to the end.
      if (!this.pace.noticesLeaving) time.put(call.endsAt, call, steps.finish);
    } else {
      const leftMs = asked.totalMs - waitedMs;
      if (fate.durationMs > leftMs) {
        call.endsAt = now + leftMs;
        call.failure = failureOf('stream_stalled');
      }
      time.put(now + fate.firstTokenMs, call, steps.firstToken);
    }
  }

  finish(call: Call): void {
    if (call.state !== 'served') return;
    call.state = 'over';
    this.#serving--;
    call.end(call.failure);
    this.#next();
  }

  /** The caller left, and the provider noticed. */
  #drop(call: Call): void {
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
