/**
 * Attempts of one target that wait for their first token, and what their waiting says (`core/waiting.ts`). Whole answers
 * show nothing until they are complete, so they are compared with whole answers only, and only once enough were seen.
 */
import { nothingSeen, sawFirstToken } from '../core/first-token.ts';
import type { FirstToken } from '../core/first-token.ts';
import type { Instant } from '../core/ids.ts';
import { leftBeforeFirstToken } from '../core/silence.ts';
import {
  createStartLog,
  isNewlyLate,
  noteEnd,
  noteStart,
  noWaiting,
  waitingEvidence,
} from '../core/waiting.ts';
import type { Ending, StartLog, StartSlot, WaitingEvidence } from '../core/waiting.ts';
import { Bag } from './bag.ts';
import type { Ticket } from './ticket.ts';

const wholeSeenMin = 50;

export class WaitingRoom {
  readonly #streams = createStartLog();
  /** Made when the first whole answer is asked for. */
  #whole: StartLog | null = null;
  #usualWhole: FirstToken = nothingSeen;
  /** Who waits and is in the log of streams. */
  readonly #holders = new Bag<Ticket>();
  #waiting = 0;

  enter(stream: boolean, now: Instant): StartSlot {
    this.#waiting++;
    if (stream) return noteStart(this.#streams, now);
    this.#whole ??= createStartLog();
    return noteStart(this.#whole, now);
  }

  hold(ticket: Ticket): void {
    if (ticket.stream && ticket.slot !== null) this.#holders.add(ticket);
  }

  /** Gives whether it was told of by `late` already. */
  leave(ticket: Ticket, ending: Ending): boolean {
    const { stream, slot } = ticket;
    this.#waiting--;
    this.#holders.remove(ticket);
    const log = stream ? this.#streams : this.#whole;
    return log !== null && noteEnd(log, slot, ending);
  }

  /** Streams that have just waited longer than `limitMs`: each is told of once. */
  late(limitMs: number | null, now: Instant): readonly Ticket[] {
    if (limitMs === null || this.#waiting === 0) return [];
    const found: Ticket[] = [];
    this.#holders.forEach((ticket) => {
      if (isNewlyLate(this.#streams, ticket.slot, limitMs, now)) found.push(ticket);
    });
    return found;
  }

  sawWhole(ms: number): void {
    this.#usualWhole = sawFirstToken(this.#usualWhole, ms);
  }

  /** Whether a caller who left before the first token was driven away. */
  wasDrivenAway(stream: boolean, known: FirstToken, silentMs: number): boolean {
    if (stream) return leftBeforeFirstToken(known, silentMs);
    return this.#usualWhole.seen >= wholeSeenMin && leftBeforeFirstToken(this.#usualWhole, silentMs);
  }

  /** The stronger evidence of the two kinds of answers. */
  evidence(known: FirstToken, p0: number, now: Instant): WaitingEvidence {
    if (this.#waiting === 0) return noWaiting;
    const streams = waitingEvidence(this.#streams, known, p0, now);
    if (this.#whole === null || this.#usualWhole.seen < wholeSeenMin) return streams;
    const whole = waitingEvidence(this.#whole, this.#usualWhole, p0, now);
    return whole.nats > streams.nats ? whole : streams;
  }
}
