/** What passes between an attempt and the health board: the asking, the ticket, the settlement. */
import type { SoftSignal } from '../core/evidence.ts';
import type { Failure } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import type { ProviderKey, Target } from '../core/target.ts';

/** An attempt that wants to be admitted. */
export type Asking = {
  /** Keys that this request has used at the target already. */
  readonly triedKeys: ReadonlySet<string>;
  /** Nothing better is left: a closed gate is passed. */
  readonly panic: boolean;
  /** Whose evidence it gives: one caller alone condemns nobody. */
  readonly key: string | null;
  readonly user: string | null;
  /** Failures of one request are one piece of evidence. */
  readonly request: string | null;
};

/** Proof that an attempt was admitted; given back with its outcome, once. */
export type Ticket = {
  readonly target: Target;
  readonly key: ProviderKey | null;
  readonly generation: number;
  readonly probe: boolean;
  /** Sent by ourselves, for no caller. */
  readonly own: boolean;
  /** It passed a closed gate, because nothing better was left. */
  readonly panic: boolean;
  readonly startedAt: Instant;
  readonly callerKey: string | null;
  readonly requestKey: string | null;
};

/** How an attempt ended. */
export type Settlement = {
  /** `nobody`: it was stopped, and by neither its own fault nor the target's. */
  readonly outcome: Failure | 'good' | 'nobody';
  /** Null: no content came. */
  readonly firstTokenMs: number | null;
  /** What is wrong with an answer that arrived. */
  readonly soft: SoftSignal | null;
};
