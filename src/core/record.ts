/**
 * The audit entry of one request, and of one decision.
 *
 * A record says what was asked, what could have answered and why not, what was tried, who served, whether content
 * crossed a boundary, and what the user was told. It has no field that could hold a prompt or an answer: even a
 * failure keeps the provider's code and never its message. `store` and `http` turn it into rows and JSON by hand.
 */
import type { CaptureMark } from './capture.ts';
import type { ClassSource } from './data-class.ts';
import type { FailureClass } from './failure.ts';
import type { ChangeId, IncidentId, Instant, KeyId, RequestId, SwitchId, TargetName } from './ids.ts';
import type { BoundaryCrossing, Dialect, Hop } from './target.ts';

/** Why a target was not a candidate. */
export const exclusionReasons = [
  'data_policy',
  'switched_off',
  'not_permitted_for_key',
  'not_allowed_by_feature',
  'lacks_capability',
  'context_too_small',
  'fallback_never',
  'consent_required',
  'ejected',
  'ramping',
  'probe_in_flight',
  'credential_unavailable',
  'rate_limited',
  'at_capacity',
  'last_resort',
  'shed',
] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

export type Candidate = {
  readonly target: TargetName;
  readonly eligible: boolean;
  readonly reason: ExclusionReason | null;
  /** What decided, for people: a switch id, a data class, the name of what is lacking. */
  readonly rule: string | null;
};

/** Why the next attempt was made after this one; null on the last. */
export type WhyNext =
  | 'same_target_retry'
  | 'same_target_waited'
  | 'other_key'
  | 'next_target'
  | 'carry_on'
  | null;

export type AttemptRecord = {
  /** From 1. */
  readonly n: number;
  readonly target: TargetName;
  readonly company: string | null;
  readonly region: string | null;
  /** `none`, `30d` or `unknown`. */
  readonly retention: string;
  readonly startedAt: Instant;
  readonly firstByteMs: number | null;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  readonly outcome: 'ok' | 'failed' | 'cancelled';
  readonly failure: FailureClass | null;
  readonly status: number | null;
  readonly providerCode: string | null;
  readonly providerRequestId: string | null;
  readonly payloadSent: 'none' | 'partial' | 'full';
  readonly whyNext: WhyNext;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** At list price; null where price or tokens are not known. */
  readonly costUsd: number | null;
  readonly malformedEvents: number;
  /** Whether the request was changed for this target as the configuration says; `limited`: its limited mode. */
  readonly adapted: 'no' | 'adapted' | 'limited';
  /** What content crossed by reaching this target; empty when nothing reached it. */
  readonly boundary: readonly BoundaryCrossing[];
};

/** Names come from callers and providers: kept, but not without end. */
export const requestedLengthMax = 128;

/** What was asked for: an answer, or a call beside it. */
export const operations = ['answer', 'embeddings', 'count_tokens'] as const;
export type Operation = (typeof operations)[number];

export const isCount = (operation: string | null | undefined): boolean =>
  operation === ('count_tokens' satisfies Operation);

export type Told = 'none' | 'header' | 'notice' | 'asked' | 'refused';
export const requestOutcomes = ['answered', 'partial', 'refused', 'failed', 'cancelled'] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

export type RequestRecord = {
  readonly id: RequestId;
  readonly at: Instant;
  readonly durationMs: number;
  readonly tenant: string | null;
  /** Null when no key exists yet and the request came over loopback. */
  readonly key: KeyId | null;
  readonly feature: string;
  readonly user: string | null;
  readonly session: string | null;
  readonly trace: string | null;
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly stream: boolean;
  readonly requested: string;
  readonly preferred: TargetName | null;
  readonly served: TargetName | null;
  readonly modelReported: string | null;
  readonly dataClass: string | null;
  readonly dataClassSource: ClassSource;
  /** What the user's agreement rested on: a token of this request, or one that holds for a session or an incident. */
  readonly consent: 'none' | 'token' | 'session' | 'incident';
  /** The request that was answered with the offer the user took up. */
  readonly consentOfferedIn: RequestId | null;
  readonly snapshot: string;
  readonly hop: Hop | null;
  /** Why the preferred target did not answer; null when it did. */
  readonly fallback: string | null;
  readonly boundary: readonly BoundaryCrossing[];
  readonly told: Told;
  readonly outcome: RequestOutcome;
  /** The error code the caller saw; null when there was none. */
  readonly errorCode: string | null;
  /** The status the caller saw. */
  readonly status: number;
  readonly finish: string | null;
  readonly candidates: readonly Candidate[];
  readonly attempts: readonly AttemptRecord[];
  /** Incidents it met, as known when it ended; the store knows those found later. */
  readonly incidents: readonly IncidentId[];
  readonly switches: readonly SwitchId[];
  /** Keyed HMACs (hex) of input and output bytes. */
  readonly fingerprints: { readonly input: string | null; readonly output: string | null };
  readonly warnings: readonly string[];
  /** Where another target went on with an answer that had broken off; null where none did. */
  readonly seam: {
    readonly from: TargetName;
    readonly to: TargetName;
    /** Length of what the first had said. */
    readonly atCharacters: number;
    /** What the second repeated of it, and was cut. */
    readonly overlapCharacters: number;
  } | null;
  /** Whether its content was captured, elsewhere and encrypted. */
  readonly captured: CaptureMark;
};

export const changeKinds = [
  'switch.created',
  'switch.released',
  'switch.expired',
  'gate.transition',
  'gate.held',
  'gate.returned',
  'config.loaded',
  'config.rejected',
  'key.created',
  'key.revoked',
  'admin_token.created',
  'provider.announced',
  'provider.resolved',
  'model.signal',
  'quality.warned',
  'quality.cleared',
  'incident.opened',
  'incident.updated',
  'incident.merged',
  'incident.split',
  'playbook.saved',
  'playbook.removed',
  'playbook.started',
  'playbook.step',
  'playbook.notified',
  'playbook.told',
  'playbook.ended',
  'write.rejected',
  'message.published',
  'message.suppressed',
  'answer.withheld',
  'records.expired',
  'records.erased',
  'content.read',
  'content.refused',
  'content.expired',
  'content.erased',
  'hold.placed',
  'hold.released',
  'ledger.acknowledged',
  'delivery.delivered',
  'delivery.dead',
  'delivery.replayed',
  'channel.gone',
  'switch.overdue',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The audit entry of one decision, of a person or of the machine. */
export type Change = {
  readonly id: ChangeId;
  readonly at: Instant;
  readonly kind: ChangeKind;
  /** `admin`, `system`, or the name an operator gave. */
  readonly actor: string;
  /** What was changed: a switch id, a target, a key id, a snapshot hash. */
  readonly subject: string;
  readonly reason: string | null;
  /** JSON values. */
  readonly before: unknown;
  readonly after: unknown;
};
