/**
 * The trial of a target that is suspected or out: is it still sick, or well again? A sequential probability ratio test
 * (Wald 1945): every outcome is weighed until one answer is sure enough, so that a dead target is found out by two
 * probes and one that is merely worse than usual by about twenty, while coming back takes a run of about fifty good
 * ones. A single good probe proves nothing: a target that fails one request in ten passes it nine times of ten.
 *
 * One caller whose every request fails must not find it sick again and again: when nothing better is left, callers reach a
 * target that is on trial. Each is heard until its first failure, and then no more; which is fair to the target and to the
 * truth, for what it asked until then is an honest sample.
 *
 * "Sick" is a mixture of three rates (gentle, middling, violent), "well" is one in a hundred. How sure is sure enough is
 * the caller's to say. It refuses to decide what follows from the answer.
 */
export type Trial = {
  readonly total: number;
  readonly failed: number;
  /** Log-likelihood ratios of the three sick rates against well. */
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  /** What speaks for well, since it last did not: a failure of long ago does not hold up the return. */
  readonly recovery: number;
  /** Callers that have failed, opaque. */
  readonly failedBy?: readonly string[];
};

/** When so many have failed, it is not the callers. */
const failedByMax = 8;

export type Verdict = 'open' | 'sick' | 'well';

export const freshTrial: Trial = {
  total: 0,
  failed: 0,
  low: 0,
  middle: 0,
  high: 0,
  recovery: 0,
};

const well = 0.01;
const rates = { low: 0.1, middle: 0.3, high: 0.9 };
const up = {
  low: Math.log(rates.low / well),
  middle: Math.log(rates.middle / well),
  high: Math.log(rates.high / well),
};
const down = {
  low: Math.log((1 - rates.low) / (1 - well)),
  middle: Math.log((1 - rates.middle) / (1 - well)),
  high: Math.log((1 - rates.high) / (1 - well)),
};

/** The trial with one more outcome; `by`: who asked, null for a probe of ours. */
export function tried(trial: Trial, failed: boolean, by: string | null): Trial {
  const { failedBy = [] } = trial;
  if (by !== null && failedBy.includes(by)) return trial;
  const step = failed ? up : down;
  const blames = failed && by !== null && failedBy.length < failedByMax;
  return {
    total: trial.total + 1,
    failed: trial.failed + (failed ? 1 : 0),
    low: trial.low + step.low,
    middle: trial.middle + step.middle,
    high: trial.high + step.high,
    recovery: Math.max(0, trial.recovery - step.low),
    failedBy: blames ? [...failedBy, by] : failedBy,
  };
}

export type Sureness = {
  /** Attempts of a target that fails one in ten until it is called well, at least. */
  readonly wellOdds: number;
  /** A well target is called sick at most once in this many trials. */
  readonly sickOdds: number;
};

export function verdictOf(trial: Trial, { wellOdds, sickOdds }: Sureness): Verdict {
  const most = Math.max(trial.low, trial.middle, trial.high);
  const mixture =
    most +
    Math.log((Math.exp(trial.low - most) + Math.exp(trial.middle - most) + Math.exp(trial.high - most)) / 3);
  if (mixture >= Math.log(sickOdds)) return 'sick';
  return trial.recovery >= Math.log(wellOdds) ? 'well' : 'open';
}
