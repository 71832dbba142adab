/** How long a target may be silent: before the first content, and between two pieces of it. */
import type { Instant } from '../core/ids.ts';
import type { Timeouts } from '../core/snapshot.ts';
import type { RequestFacts } from '../dialects/dialect.ts';
import type { Watch } from './watchdog.ts';

/** Signs of life without content stretch a limit at most this far. */
const livenessFactor = 4;
/** Requests that make a model think first get at least this long for the first token. */
const thinkingFirstTokenMs = 60_000;

/** What silence is measured against. */
export type Patience = {
  readonly watch: Watch;
  readonly limitMs: number;
  readonly dueAt: number;
  progressAt: number;
};

/** Moves a deadline after a piece arrived: progress moves it fully, a mere sign of life only so far. */
export function moveDeadline(patience: Patience, progress: boolean, now: number): void {
  if (progress) patience.progressAt = now;
  patience.watch.dueAt = Math.min(
    now + patience.limitMs,
    patience.progressAt + patience.limitMs * livenessFactor,
    patience.dueAt,
  );
}

/** What an attempt is given. */
export type Given = {
  readonly timeouts: Timeouts;
  /** Epoch ms by which the whole attempt must have ended. */
  readonly dueAt: Instant;
  /** Another target could still be asked: a whole answer may then use only part of the time left. */
  readonly moreToTry: boolean;
};

/** How long silence may last before the first content. */
export function firstContentMs(
  { stream, needs, mayThink }: Pick<RequestFacts, 'stream' | 'needs' | 'mayThink'>,
  { timeouts, dueAt, moreToTry }: Given,
  now: Instant,
): number {
  const left = dueAt - now;
  if (!stream) return moreToTry ? Math.max(left / 2, Math.min(left, timeouts.firstTokenMs)) : left;
  const limit =
    needs.has('thinking') || mayThink === true
      ? Math.max(timeouts.firstTokenMs, thinkingFirstTokenMs)
      : timeouts.firstTokenMs;
  return Math.min(limit, left);
}
