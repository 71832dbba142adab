/**
 * Requests that still wait are evidence too: when everything hangs, no attempt ever ends, and whoever waits for
 * timeouts learns of it a minute late.
 *
 * A request without first token at age a is better explained by "sick" than by "usual" to the degree that healthy
 * ones rarely wait that long: ln((p1 + (1−p1)·S) / (p0 + (1−p0)·S)), S being the learned chance of still waiting.
 * Half the age is used, so that twofold slowness is no hang. The evidence is the best sum over the latest requests
 * *in the order they started*, finished ones included: in the order of finishing, fast good answers would come first
 * and hide themselves, and the rest would raise one false alarm after another. What failed is the detector's to count,
 * but for silence to the end, which is the longest wait of all. Who waits longer than answers may take is slow, and is
 * counted so at that moment: what is known need not be waited for.
 *
 * A log of starts is kept per target: sixty-four, at least a tenth of a second apart, so that at any traffic it
 * covers the last six seconds or more. It is the one value here that changes in place, because it is written with
 * every attempt; whoever holds it sees only its functions.
 */
import type { FirstToken } from './first-token.ts';
import { stillWaiting } from './first-token.ts';
import type { Instant } from './ids.ts';

/** Starts that a log holds. */
const startSlots = 64;
const spacingMs = 100;

const free = 0;
const waiting = 1;
const good = 2;
const failed = 3;
/** It waited in vain: it never said a word. */
const silent = 4;
/** It waits, and was counted as slow already. */
const late = 5;

export type Ending = 'good' | 'failed' | 'silent' | 'nobody';
const statusOf: Readonly<Record<Ending, number>> = { good, failed, silent, nobody: free };

/** Starts in tenths of a second, which wrap around after a quarter of an hour: nothing waits so long. The last three bits: status. */
const statusBits = 3;
const statusMask = 7;
const wrap = 8_192;
const tick = (at: number): number => Math.floor(at / spacingMs) % wrap;
const packed = (start: number, status: number): number => (start << statusBits) | status;

function ageMs(entry: number, now: Instant): number {
  return ((tick(now) - (entry >>> statusBits) + wrap) % wrap) * spacingMs;
}

export type StartLog = {
  readonly entries: Uint16Array;
  next: number;
  latest: number;
};

/** A place in the log; null: this start was not taken down. */
export type StartSlot = { readonly index: number; readonly startedAt: number } | null;

export function createStartLog(): StartLog {
  return {
    entries: new Uint16Array(startSlots),
    next: 0,
    latest: Number.NEGATIVE_INFINITY,
  };
}

/** Takes a start down, unless one was taken down a moment ago. */
export function noteStart(log: StartLog, now: Instant): StartSlot {
  if (now - log.latest < spacingMs && now >= log.latest) return null;
  const index = log.next;
  log.entries[index] = packed(tick(now), waiting);
  log.latest = now;
  log.next = (index + 1) % startSlots;
  return { index, startedAt: now };
}

/** The first token came, or the attempt ended. `nobody`: it says nothing (cancelled). Gives whether it was counted as slow. */
export function noteEnd(log: StartLog, slot: StartSlot, ending: Ending): boolean {
  if (slot === null) return false;
  const entry = log.entries[slot.index] ?? free;
  if (entry >>> statusBits !== tick(slot.startedAt)) return false;
  log.entries[slot.index] = packed(tick(slot.startedAt), statusOf[ending]);
  return (entry & statusMask) === late;
}

/** Whether it has waited longer than `limitMs` and was not yet counted as slow; from now on it is. */
export function isNewlyLate(log: StartLog, slot: StartSlot, limitMs: number, now: Instant): boolean {
  if (slot === null) return false;
  const { index, startedAt } = slot;
  const entry = log.entries[index] ?? free;
  // A start is known to a tenth of a second: to be sure, one more.
  if (entry !== packed(tick(startedAt), waiting) || ageMs(entry, now) <= limitMs + spacingMs) return false;
  log.entries[index] = packed(tick(startedAt), late);
  return true;
}

const sick = 0.5;

export type WaitingEvidence = {
  /** How much better "it hangs" explains what is seen than "as usual", in nats. */
  readonly nats: number;
  /** Requests in the best run that wait or were answered, and how many of them wait. */
  readonly total: number;
  readonly waiting: number;
  readonly since: Instant;
};

export const noWaiting: WaitingEvidence = { nats: 0, total: 0, waiting: 0, since: 0 as Instant };

/** The evidence of all that wait now. `p0` is the rate failures are compared with. */
export function waitingEvidence(log: StartLog, known: FirstToken, p0: number, now: Instant): WaitingEvidence {
  let sum = 0;
  let best = noWaiting;
  let total = 0;
  let held = 0;
  for (let step = 1; step <= startSlots; step++) {
    const index = (log.next - step + startSlots) % startSlots;
    const entry = log.entries[index] ?? free;
    const status = entry & statusMask;
    if (status === free) continue;
    if (status === waiting || status === late || status === silent) {
      const survival = status === silent ? 0 : stillWaiting(known, ageMs(entry, now) / 2);
      sum += Math.log((sick + (1 - sick) * survival) / (p0 + (1 - p0) * survival));
      held++;
    } else if (status === failed) continue;
    else sum += Math.log((1 - sick) / (1 - p0));
    total++;
    if (sum > best.nats)
      best = { nats: sum, total, waiting: held, since: (now - ageMs(entry, now)) as Instant };
  }
  return best;
}
