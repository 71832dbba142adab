/** What is written down about an attempt while it runs; the record is made of it in the end. */
import type { Failure } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import type { AttemptRecord, WhyNext } from '../core/record.ts';
import type { AnswerSource } from './answer-source.ts';
import type { Place } from './capacity.ts';
import type { Scene } from './exchange.ts';
import type { Ticket } from './ticket.ts';

export type Trace = {
  readonly ticket: Ticket;
  readonly place: Place;
  readonly startedAt: Instant;
  /** How long this process had been away by then, in sum. */
  readonly absentBeforeMs: number;
  firstByteAt: Instant | null;
  firstTokenAt: Instant | null;
  endedAt: Instant | null;
  status: number | null;
  providerRequestId: string | null;
  payloadSent: AttemptRecord['payloadSent'];
  outcome: AttemptRecord['outcome'] | null;
  failure: Failure | null;
  whyNext: WhyNext;
  adapted: AttemptRecord['adapted'];
  source: AnswerSource | null;
};

export function newTrace(
  ticket: Ticket,
  place: Place,
  { clock, watchdog }: Pick<Scene, 'clock' | 'watchdog'>,
): Trace {
  return {
    ticket,
    place,
    startedAt: clock.now(),
    absentBeforeMs: watchdog.absentMs(),
    firstByteAt: null,
    firstTokenAt: null,
    endedAt: null,
    status: null,
    providerRequestId: null,
    payloadSent: 'none',
    outcome: null,
    failure: null,
    whyNext: null,
    adapted: 'no',
    source: null,
  };
}
