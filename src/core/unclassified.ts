/**
 * Failures that are in no table alarm: somebody has to look, and to add them. The first one is a warning that stands until
 * there was none for an hour; it names the provider's own code, never its message.
 */
import type { Warning, WarningMove } from './evidence.ts';
import type { Failure } from './failure.ts';
import { clockWords } from './gate-words.ts';
import type { Instant } from './ids.ts';
import { countWords } from './words.ts';

export type Unclassified = {
  readonly since: Instant;
  readonly latest: Instant;
  readonly count: number;
  readonly code: string | null;
};

const quietMs = 3_600_000;

function wordsOf({ since, count, code }: Unclassified): string {
  const said = code === null ? '' : ` (the provider's word: ${code})`;
  return `${countWords(count, 'failure')} of a kind that is in no table${said} since ${clockWords(since)}; the log names status and code`;
}

type Noted = { readonly known: Unclassified | null; readonly move: WarningMove | null };

/** Takes one more into account; the first of a series is told. */
export function noteUnclassified(known: Unclassified | null, failure: Failure, now: Instant): Noted {
  const { code } = failure;
  const next: Unclassified =
    known === null
      ? { since: now, latest: now, count: 1, code }
      : { ...known, latest: now, count: known.count + 1, code: code ?? known.code };
  const move: WarningMove = { signal: 'unclassified', to: 'warned', words: wordsOf(next) };
  return { known: next, move: known === null ? move : null };
}

/** The end of a series, once there was none for an hour. */
export function forgetUnclassified(known: Unclassified, now: Instant): Noted {
  if (now - known.latest < quietMs) return { known, move: null };
  const words = `none for an hour; ${wordsOf(known)}`;
  return { known: null, move: { signal: 'unclassified', to: 'cleared', words } };
}

export function unclassifiedWarning(known: Unclassified): Warning {
  return { signal: 'unclassified', since: known.since, at: known.since, words: wordsOf(known) };
}
