/** What arrived at the simulated providers, and how each call ended. */
import type { Ending } from './play.ts';
import type { Body } from './speech.ts';

/** A call as it arrived. `endedMs`: time from arrival to its end; a client's leaving is noticed at `at + endedMs`. */
export type SimulatedCall = {
  readonly provider: string;
  readonly path: string;
  /** Behind the question mark; empty where there is none. */
  readonly query: string;
  readonly model: string;
  readonly at: number;
  readonly key: string | null;
  readonly stream: boolean;
  readonly headers: Headers;
  /** Empty when the text is not a JSON object. */
  readonly body: Body;
  readonly text: string;
  /** `refused`: by the provider's own rules. Null while it runs. */
  ending: Ending | 'refused' | null;
  endedMs: number | null;
};

/** Calls kept for `calls()`. */
export const callsMax = 20_000;
/** Characters of bodies kept. */
export const callTextMax = 64 * 1_048_576;
/** Calls that the control endpoint shows at once. */
export const callsShownMax = 1_000;
/** Share that goes when the log is full, so that making room is rare. */
const droppedShare = 0.1;

export class CallLog {
  #calls: SimulatedCall[] = [];
  #characters = 0;

  note(call: SimulatedCall): void {
    this.#calls.push(call);
    this.#characters += call.text.length;
    while (this.#calls.length > callsMax || (this.#characters > callTextMax && this.#calls.length > 1)) {
      const dropped = this.#calls.splice(0, Math.ceil(this.#calls.length * droppedShare));
      for (const old of dropped) this.#characters -= old.text.length;
    }
  }

  of(provider: string | undefined): readonly SimulatedCall[] {
    return this.#calls.filter((call) => provider === undefined || call.provider === provider);
  }

  forget(): void {
    this.#calls = [];
    this.#characters = 0;
  }

  /** The latest calls in a form that fits JSON. */
  shown(): readonly unknown[] {
    return this.#calls
      .slice(-callsShownMax)
      .map(({ headers, text: _text, ...call }) => ({ ...call, headers: Object.fromEntries(headers) }));
  }
}
