/** The sentence of a warning, in numbers, so that it can be judged without another page (see `gate-words.ts`). */
import type { SoftSignal } from './evidence.ts';
import { chanceWords, chanceYears, clockWords } from './gate-words.ts';
import type { Instant } from './ids.ts';
import { countedShare } from './percent.ts';

/** What an odd answer is, by signal, as the end of "31 of 118 …". */
export const whatIsOdd: Readonly<Record<SoftSignal, string>> = {
  empty: 'answers were empty',
  truncated: 'answers were cut by a limit',
  tool_call_invalid: 'answers with tool calls had one that is broken or does not fit its schema',
  structured_output_invalid: 'structured answers were broken or did not fit their schema',
  refused: 'answers were refusals',
  slow_first_token: 'first tokens came much later than they usually do',
  slow_tokens: 'answers came at a third of the usual pace or less',
  odd_length: 'answers were far longer or shorter than usual',
};

export type WarnedNumbers = {
  readonly total: number;
  readonly failed: number;
  readonly since: Instant;
  readonly usual: number;
  /** What it was compared with. */
  readonly p0: number;
  readonly perSecond: number;
  /** The one feature of several that all of it comes from. */
  readonly onlyIn: string | null;
};

/** `31 of 118 answers were refusals since 07:02:10 (26 %; usual 0.3 %); by chance once in 40 years; only in the feature notes` */
export function warnedWords(signal: SoftSignal, numbers: WarnedNumbers): string {
  const { total, failed, since, usual, onlyIn } = numbers;
  const shares = `${countedShare(failed / total)}; usual ${countedShare(usual)}`;
  const where = onlyIn === null ? '' : `; only in the feature ${onlyIn}`;
  return `${failed} of ${total} ${whatIsOdd[signal]} since ${clockWords(since)} (${shares}); ${chanceWords(chanceYears(numbers))}${where}`;
}
