/**
 * A playbook: a response agreed before the incident, as a value. When it begins (`match`), which of its rules applies
 * (`decide`, the most severe first), what is then done step by step, what it may never do, how normal routing comes
 * back, and tests that replay an outage.
 *
 * Its language is small on purpose: thresholds over what gates and records say, and steps that people could take
 * themselves. Steps that stand for several (a ramp, the restore plan) are written out when a run begins, so that a run
 * is a plain list whose place survives a restart. It refuses to hold code: what cannot be said here is for a person.
 */
import type { Agreement } from './agreement.ts';
import type { WarningSignal } from './evidence.ts';
import type { HealthState } from './health-cell.ts';
import type { FailureClass } from './failure.ts';
import type { IncidentClass } from './incident.ts';
import type { MessageStage } from './message-texts.ts';
import type { Effect, InFlight, Scope } from './switches.ts';

export type Comparison = { readonly sign: '>=' | '>' | '<=' | '<'; readonly value: number };

/** The longest time that counts are kept for. */
export const windowMsMax = 3_600_000;

/** What must hold, all of it. What is absent is not asked. */
export type Condition = {
  /** Over how long counts are taken. */
  readonly windowMs: number;
  readonly requests?: Comparison;
  /** Shares of attempts, as fractions of 1. */
  readonly failureRate?: Comparison;
  readonly slowRate?: Comparison;
  readonly qualityRate?: Comparison;
  /** Only these failures count for `failureRate`. */
  readonly failures?: readonly FailureClass[];
  /** Some target of the scope is in one of these states. */
  readonly gate?: readonly HealthState[];
  /** Some target of the scope is warned of by one of these signals. */
  readonly warning?: readonly WarningSignal[];
  /** Model versions in the scope whose gate is not healthy. */
  readonly sickModels?: Comparison;
  /** Share of features that are not working normally, as a fraction of 1. */
  readonly featuresAffected?: Comparison;
  /** No target of the scope is usable. */
  readonly allOut?: boolean;
  /** Minutes of the day (UTC), the second excluded; over midnight when the first is the larger. */
  readonly between?: readonly [fromMinute: number, toMinute: number];
};

/** A word with `$` stands for what the run is about: `$model`, `$family`, `$vendor`, `$provider`, `$target`. */
export const variables = ['model', 'family', 'vendor', 'provider', 'target'] as const;
export type Variable = (typeof variables)[number];

export type RestorePlan = {
  /** How long nothing of the scope may fail before the way back begins. */
  readonly quietMs: number;
  readonly probes: { readonly count: number; readonly overMs: number; readonly passed: number } | null;
  /** Shares of traffic let back in, as fractions of 1, each held for a while. */
  readonly ramp: readonly number[];
  readonly holdMs: number;
  readonly abortIf: Condition | null;
};

export type Step =
  | {
      readonly kind: 'switch';
      /** Values may be variables. */
      readonly scope: Scope;
      readonly effect: Effect;
      readonly expiresInMs: number | null;
      readonly atExpiry: 'ramp' | 'stay';
      readonly inFlight: InFlight;
      readonly reason: string | null;
    }
  | {
      readonly kind: 'incident';
      readonly class: IncidentClass;
      readonly severity: string | null;
      readonly title: string | null;
    }
  | { readonly kind: 'notify'; readonly channel: string; readonly text: string }
  | { readonly kind: 'publish'; readonly stage: MessageStage; readonly holdDownMs: number }
  | { readonly kind: 'wait'; readonly ms: number; readonly until: Condition | null }
  | {
      readonly kind: 'ask';
      readonly question: string;
      readonly timeoutMs: number;
      readonly otherwise: 'continue' | 'skip_rest' | 'abort';
    }
  | { readonly kind: 'probe'; readonly count: number; readonly overMs: number; readonly passed: number }
  | { readonly kind: 'drill'; readonly scenario: string }
  /** Release what the run switched, at once or by a playbook's own ramp. */
  | {
      readonly kind: 'ramp';
      readonly shares: readonly number[];
      readonly holdMs: number;
      readonly abortIf: Condition | null;
    }
  | { readonly kind: 'restore' };

export type Rule = { readonly when: Condition | null; readonly steps: readonly Step[] };

/** What no step may do, whatever a rule says. */
export type Never =
  | { readonly kind: 'switch'; readonly scope: Scope }
  /** A feature that would be left without any target. */
  | { readonly kind: 'strand'; readonly feature: string }
  | { readonly kind: 'publish' };

export type Outage = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly scope: Scope;
  readonly requestsPerMinute: number;
  readonly failureRate: number;
  readonly slowRate: number;
  readonly qualityRate: number;
  readonly failure: FailureClass;
  readonly gate: HealthState | null;
  /** What the targets are warned of meanwhile. */
  readonly warning: WarningSignal | null;
};

export type Expected = {
  readonly not: boolean;
  readonly withinMs: number | null;
} & (
  | { readonly kind: 'switch'; readonly scope: Scope; readonly effect: Effect['kind'] | null }
  | { readonly kind: 'incident'; readonly class: IncidentClass | null }
  | { readonly kind: 'publish'; readonly stage: MessageStage | null }
  | { readonly kind: 'notify'; readonly channel: string | null }
  | { readonly kind: 'asked' | 'restored' | 'started' }
);

export type PlaybookTest = {
  readonly name: string;
  readonly given: readonly Outage[];
  /** A file of records (one JSON object a line), instead of or beside what is written. */
  readonly replay: string | null;
  readonly answers: readonly { readonly atMs: number; readonly answer: 'approve' | 'reject' }[];
  readonly untilMs: number;
  /** When a person starts it; null where it begins by itself or not at all. */
  readonly startMs: number | null;
  readonly expect: readonly Expected[];
};

export type Playbook = {
  readonly name: string;
  readonly title: string;
  /** Changes when its text does. */
  readonly version: string;
  readonly agreed: Agreement | null;
  readonly match: { readonly scope: Scope; readonly when: Condition };
  /** Least time between the end of a run and the next begin. */
  readonly cooldownMs: number;
  /** False: it only begins when a person says so. */
  readonly automatic: boolean;
  readonly decide: readonly Rule[];
  readonly never: readonly Never[];
  readonly restore: RestorePlan | null;
  readonly tests: readonly PlaybookTest[];
};
