/**
 * The delivery of one bulletin to one channel: tried, tried again later and later with a little chance in it, and in the
 * end delivered or dead. A dead one is kept and can be sent again by a person, under the same message id. The waits are
 * those of Standard Webhooks; an answer that says when to come back is obeyed, one that says never is believed.
 */
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import type { Bulletin } from './bulletin.ts';

export type DeliveryState = 'pending' | 'delivered' | 'dead';
export const deliveryStates = ['pending', 'delivered', 'dead'] as const satisfies readonly DeliveryState[];

export type Delivery = {
  /** `dlv_…` */
  readonly id: string;
  readonly channel: string;
  readonly bulletin: Bulletin;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly createdAt: Instant;
  /** When it is tried next; null when it is not. */
  readonly nextAt: Instant | null;
  readonly lastAt: Instant | null;
  /** Of the last answer; null when there was none. */
  readonly lastStatus: number | null;
  /** What came of the last attempt. */
  readonly words: string | null;
};

/** What a channel made of an attempt. */
export type DeliveryAnswer =
  | { readonly kind: 'delivered'; readonly status: number | null }
  | {
      readonly kind: 'failed';
      readonly status: number | null;
      readonly words: string;
      readonly retryAfterMs: number | null;
      /** True when asking again cannot help. */
      readonly permanent: boolean;
    };

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const waitsMs = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;
export const attemptsMax = waitsMs.length + 1;
const retryAfterMaxMs = 24 * hour;
/** Added to a wait at most, as a part of it: so that many that failed together do not come back together. */
const jitter = 0.2;

export function newDelivery(id: string, channel: string, bulletin: Bulletin, now: Instant): Delivery {
  return {
    id,
    channel,
    bulletin,
    state: 'pending',
    attempts: 0,
    createdAt: now,
    nextAt: now,
    lastAt: null,
    lastStatus: null,
    words: null,
  };
}

export function afterAttempt(
  delivery: Delivery,
  answer: DeliveryAnswer,
  now: Instant,
  random: number,
): Delivery {
  const attempts = delivery.attempts + 1;
  const tried = { ...delivery, attempts, lastAt: now, lastStatus: answer.status };
  if (answer.kind === 'delivered') return { ...tried, state: 'delivered', nextAt: null, words: null };
  const waitMs = answer.permanent ? undefined : waitsMs[attempts - 1];
  if (waitMs === undefined) return { ...tried, state: 'dead', nextAt: null, words: answer.words };
  const askedMs = Math.min(answer.retryAfterMs ?? 0, retryAfterMaxMs);
  const next = instant(now + Math.round(Math.max(waitMs * (1 + jitter * random), askedMs)));
  return { ...tried, nextAt: next, words: answer.words };
}

/** Whether the receiver has said that it wants nothing any more: 410, as Standard Webhooks have it. */
export const saysGone = ({ state, lastStatus }: Pick<Delivery, 'state' | 'lastStatus'>): boolean =>
  state === 'dead' && lastStatus === 410;

/** From the beginning, under the same message id. */
export function replayed(delivery: Delivery, now: Instant): Delivery {
  return { ...delivery, state: 'pending', attempts: 0, nextAt: now };
}
