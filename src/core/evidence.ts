/**
 * What one finished attempt says about its target, and what a gate says when it moves: the values that travel between
 * those who see answers (the board, a simulation, a replay of stored evidence) and the rule that judges them.
 *
 * Evidence is about one attempt, is given once, at the end of the answer, and names nobody: caller and request are
 * opaque keys, good only for telling that two pieces of evidence have the same origin. A transition carries the numbers
 * it was decided on, so that the same sentence can be said in a change, in `explain`, in the state and on a page.
 *
 * It refuses to classify: which class a failure has, and whether it counts against the target, was decided before.
 */
import type { FailureClass } from './failure.ts';
import type { Instant } from './ids.ts';

/** What an answer can have wrong with it although it arrived. Soft signals warn; alone they never take a target out. */
export const softSignals = [
  'empty',
  'truncated',
  'tool_call_invalid',
  'structured_output_invalid',
  'refused',
  'slow_first_token',
  'slow_tokens',
  'odd_length',
] as const;
export type SoftSignal = (typeof softSignals)[number];

/** What a target can be warned of: its answers to callers, those to the fixed questions of a canary, failures in no table. */
export const warningSignals = [...softSignals, 'changed_answers', 'unclassified'] as const;
export type WarningSignal = (typeof warningSignals)[number];

/** A warning that stands: it is shown, and moves nothing. */
export type Warning = {
  readonly signal: WarningSignal;
  /** Where the evidence begins. */
  readonly since: Instant;
  readonly at: Instant;
  readonly words: string;
};

export type WarningMove = {
  readonly signal: WarningSignal;
  readonly to: 'warned' | 'cleared';
  readonly words: string;
};

export type Evidence = {
  /** Null: the answer was good. */
  readonly failure: FailureClass | null;
  /** The generation of the cell when the attempt began; anything older than the cell's own moves nothing. */
  readonly generation: number;
  /** The attempt was a probe (admitted as one, or sent by the gateway itself). */
  readonly probe: boolean;
  /** Who asked, opaque. Null when not known: it then counts as somebody of its own. */
  readonly callerKey: string | null;
  /** The request it belongs to, opaque: failures of one request are one piece of evidence. Null: it stands alone. */
  readonly requestKey: string | null;
  readonly startedAt: Instant;
  /** Time to the first token; null when there was none. */
  readonly firstTokenMs: number | null;
  /** The first token was reported when it came (`observeFirstToken`). */
  readonly firstTokenTold?: boolean;
  readonly soft: SoftSignal | null;
  /** How long the provider asked to be left alone; null when it did not say. */
  readonly retryAfterMs: number | null;
};

/** What is (or was) sick, narrowest first. `egress` is ourselves: unrelated providers failing together. */
export const scopeKinds = ['key', 'target', 'model', 'family', 'provider', 'region', 'egress'] as const;
export type ScopeKind = (typeof scopeKinds)[number];
export type GateScope = { readonly kind: ScopeKind; readonly name: string };

/** Which evidence moved the gate. `person` and `time` are no evidence: a decision, or the end of a hold. */
export type GateCause = 'failures' | 'overload' | 'slow' | 'waiting' | 'probes' | 'person' | 'time';

/** The numbers behind a transition. Rates are fractions of 1. */
export type GateNumbers = {
  readonly failed: number;
  readonly total: number;
  /** When the excursion began that `failed` and `total` count. */
  readonly since: Instant;
  /** The learned background. */
  readonly usual: number;
  readonly budget: number;
  /** Years between two such excursions if nothing were wrong; null when chance has no part in it. */
  readonly chanceYears: number | null;
  /** The next best explanation and the odds against it (300 means 1 in 300); null when none was weighed. */
  readonly runnerUp: { readonly scope: GateScope; readonly odds: number } | null;
};
