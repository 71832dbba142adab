/** How an attempt ended as it counts: a caller who was driven away by silence tells of the target. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { FirstToken } from '../core/first-token.ts';
import { leftInStall } from '../core/silence.ts';
import type { Settlement, Ticket } from './ticket.ts';
import type { WaitingRoom } from './waiting-room.ts';

export type Believed = {
  readonly outcome: Failure | 'good' | 'nobody';
  /** What it was said to be, when that is not believed. */
  readonly doubted: Failure | null;
};

const good: Believed = { outcome: 'good', doubted: null };

export function believed(
  ticket: Ticket,
  { outcome, firstTokenMs, silentMs }: Settlement,
  known: { readonly waiting: WaitingRoom; readonly usual: FirstToken; readonly stallMs: number },
): Believed {
  if (outcome === 'good') return good;
  if (outcome === 'nobody') return { outcome, doubted: null };
  if (outcome !== 'left' && outcome.class !== 'deadline_exceeded') return { outcome, doubted: null };
  const wasDrivenAway =
    firstTokenMs === null
      ? known.waiting.wasDrivenAway(ticket.stream, known.usual, silentMs)
      : leftInStall(silentMs, known.stallMs);
  if (!wasDrivenAway) return { outcome: 'nobody', doubted: null };
  return {
    outcome: failureOf(firstTokenMs === null ? 'first_token_timeout' : 'stream_stalled'),
    doubted: failureOf('cancelled_by_caller'),
  };
}
