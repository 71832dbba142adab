/**
 * Whether a model has changed under its name. Fixed questions are asked at a low rate, and what the answers are like is
 * compared with what they were like before: twelve rounds are the reference, each four rounds after them are a sample, and
 * each sample is tested once (`two-sample.ts`), at the agreed rate of errors. When a sample differs, that is a finding: a
 * warning for people, an entry in the ledger of what changed, and the reference begins anew with what is there now.
 *
 * The reference stays as it was first learned, so that a slow drift cannot hide by moving it along. It refuses to say
 * better or worse, moves no request, and keeps no text.
 */
import { lengthOf, traitsLength } from './canary-traits.ts';
import type { Traits } from './canary-traits.ts';
import type { Instant } from './ids.ts';
import { momentText } from './moment.ts';
import { countedShare } from './percent.ts';
import { chanceOfSame } from './two-sample.ts';
import type { Stratum } from './two-sample.ts';

/** Short answers, each another kind of work. What is changed here makes every reference void: raise the edition too. */
export const canaryEdition = 1;
export const canaryQuestions = [
  'In two sentences, explain to a ten-year-old why the sky is blue.',
  'List five words that rhyme with "light", separated by commas.',
  'A train leaves at 14:05 and arrives at 17:48. How long is the journey? Show the steps briefly.',
  'Write a haiku about a harbour in winter.',
  'Translate into French: "The meeting was moved to Thursday because two people are ill."',
  'Write a JavaScript function that returns the second largest number of an array. Code only.',
  'Name one advantage and one disadvantage of remote work, one line each.',
  'Rewrite politely in one sentence: "Send me the report now."',
] as const;
export const canaryOutputTokens = 120;

/** One round: what each answer was like; null where none came. */
export type Round = readonly (Traits | null)[];

export type Canary = {
  readonly edition: number;
  readonly reference: readonly Round[];
  /** When the reference began. */
  readonly since: Instant | null;
  readonly recent: readonly Round[];
  /** When the latest round began. */
  readonly askedAt: Instant | null;
  /** A finding that stands until there is a new reference. */
  readonly finding: { readonly at: Instant; readonly words: string } | null;
};

export const referenceRounds = 12;
export const sampleRounds = 4;

export const freshCanary: Canary = {
  edition: canaryEdition,
  reference: [],
  since: null,
  recent: [],
  askedAt: null,
  finding: null,
};

/** The share of unchanged samples that may be called changed, so that errors are as rare as agreed. */
export function levelFor(everyMs: number, falseAlarmMs: number): number {
  return Math.min(0.05, Math.max(1e-4, (everyMs * sampleRounds) / falseAlarmMs));
}

function strataOf({ reference, recent }: Pick<Canary, 'reference' | 'recent'>): readonly Stratum[] {
  const of = (rounds: readonly Round[], index: number): readonly Traits[] =>
    rounds.flatMap((round) => {
      const traits = round[index] ?? null;
      return traits === null ? [] : [traits];
    });
  return canaryQuestions.map((_, index) => ({ before: of(reference, index), after: of(recent, index) }));
}

const mean = (list: readonly number[]): number =>
  list.reduce((sum, each) => sum + each, 0) / Math.max(1, list.length);

function lengthWords(strata: readonly Stratum[]): string {
  const [was, is] = [
    mean(strata.flatMap(({ before }) => before.map(lengthOf))),
    mean(strata.flatMap(({ after }) => after.map(lengthOf))),
  ];
  const ratio = is / Math.max(1, was);
  if (ratio < 0.8 || ratio > 1.25)
    return `${countedShare(ratio)} as long (${Math.round(was)} characters before, ${Math.round(is)} now)`;
  return 'about as long, made of other words';
}

function findingWords(canary: Canary, chance: number, level: number): string {
  const strata = strataOf(canary);
  const [before, after] = [
    strata.reduce((sum, stratum) => sum + stratum.before.length, 0),
    strata.reduce((sum, stratum) => sum + stratum.after.length, 0),
  ];
  const since = canary.since === null ? '' : ` since ${momentText(canary.since).slice(0, 10)}`;
  return `${after} answers to ${canaryQuestions.length} fixed questions are not like the ${before} before${since}: ${lengthWords(strata)}; by chance once in ${Math.round(1 / chance).toLocaleString('en-US')} comparisons (agreed: once in ${Math.round(1 / level).toLocaleString('en-US')})`;
}

export type CanaryMove = { readonly to: 'warned' | 'cleared'; readonly words: string };

/** Takes a round in. `level`: how often an unchanged sample may be called changed. */
export function afterRound(
  canary: Canary,
  round: Round,
  asked: { readonly at: Instant; readonly level: number; readonly random: () => number },
): { readonly canary: Canary; readonly move: CanaryMove | null } {
  const answered = round.filter((each) => each !== null).length;
  // Half a round says something of the half that answered, and that may be the odd one.
  if (answered * 2 < round.length) return { canary, move: null };
  if (canary.reference.length < referenceRounds) {
    const reference = [...canary.reference, round];
    const isLearned = reference.length === referenceRounds;
    const next = { ...canary, reference, since: canary.since ?? asked.at };
    if (!isLearned || canary.finding === null) return { canary: next, move: null };
    return {
      canary: { ...next, finding: null },
      move: { to: 'cleared', words: 'what it answers now is taken for usual' },
    };
  }
  const sampled = { ...canary, recent: [...canary.recent, round] };
  if (sampled.recent.length < sampleRounds) return { canary: sampled, move: null };
  const chance = chanceOfSame(strataOf(sampled), asked.level, asked.random);
  if (chance > asked.level) return { canary: { ...sampled, recent: [] }, move: null };
  const words = findingWords(sampled, chance, asked.level);
  return {
    canary: {
      ...sampled,
      reference: sampled.recent,
      since: asked.at,
      recent: [],
      finding: { at: asked.at, words },
    },
    move: { to: 'warned', words },
  };
}

function isRound(value: unknown): value is Round {
  return (
    Array.isArray(value) &&
    value.length === canaryQuestions.length &&
    value.every(
      (each: unknown) =>
        each === null ||
        (Array.isArray(each) &&
          each.length === traitsLength &&
          each.every((number) => Number.isFinite(number))),
    )
  );
}

const isRounds = (value: unknown, most: number): value is readonly Round[] =>
  Array.isArray(value) && value.length <= most && value.every(isRound);
const isMoment = (value: unknown): boolean => value === null || Number.isFinite(value);

/** A kept canary; fresh when it is of another edition or cannot be understood. */
export function canaryFromJson(json: unknown): Canary {
  if (typeof json !== 'object' || json === null) return freshCanary;
  const { edition, reference, since, recent, askedAt, finding } = json as Record<keyof Canary, unknown>;
  const isFinding =
    finding === null ||
    (typeof finding === 'object' &&
      finding !== undefined &&
      typeof (finding as { words?: unknown }).words === 'string' &&
      Number.isFinite((finding as { at?: unknown }).at));
  const isKnown =
    edition === canaryEdition &&
    isRounds(reference, referenceRounds) &&
    isRounds(recent, sampleRounds) &&
    isMoment(since) &&
    isMoment(askedAt) &&
    isFinding;
  return isKnown ? (json as Canary) : freshCanary;
}
