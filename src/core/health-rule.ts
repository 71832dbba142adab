/**
 * The numbers a gate works by: what was agreed (`budget`, `breach`, `falseAlarm`, `restore`) beside what is ours to
 * choose. One value per target, made from its gate when the configuration is read, so that judging evidence looks
 * nothing up. It refuses to hold state: everything here may be replaced between two pieces of evidence.
 */
export type HealthRule = {
  readonly consecutiveMax: number;
  readonly windowMs: number;
  readonly windowFailuresMin: number;
  /** Share of failures in the window that trips, as a fraction of 1. */
  readonly breach: number;
  readonly holdMs: number;
  readonly holdMsMax: number;
  readonly probesPassedMin: number;
  /** A probe not heard of for this long is given up, so that a lost one cannot block the return. */
  readonly probeMsMax: number;
  /** Shares of requests let through while ramping, as fractions of 1. */
  readonly ramp: readonly number[];
  readonly rampHoldMs: number;
  /** Consecutive failures that end a ramp. */
  readonly rampConsecutiveMax: number;
  /** Healthy time after which earlier ejections are forgotten. */
  readonly forgetMs: number;
  /** Evidence of waiting requests that sheds. */
  readonly waitingNats: number;
};

export const defaultHealthRule: HealthRule = {
  consecutiveMax: 5,
  windowMs: 30_000,
  windowFailuresMin: 5,
  breach: 0.2,
  holdMs: 5_000,
  holdMsMax: 120_000,
  probesPassedMin: 3,
  probeMsMax: 60_000,
  ramp: [0.01, 0.1, 0.5, 1],
  rampHoldMs: 30_000,
  rampConsecutiveMax: 2,
  forgetMs: 600_000,
  waitingNats: 16,
};
