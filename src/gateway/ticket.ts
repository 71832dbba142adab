/** What passes between an attempt and the health board: the asking, the ticket, the settlement. */
import type { Evidence, SoftSignal } from '../core/evidence.ts';
import type { Failure } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import type { ProviderKey, Target } from '../core/target.ts';
import type { Ending, StartSlot } from '../core/waiting.ts';
import type { Bagged } from './bag.ts';

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
  readonly feature: string | null;
  /** Whole answers are silent until they are complete. */
  readonly stream: boolean;
};

/** Proof that an attempt was admitted; given back with its outcome, once. */
export type Ticket = Bagged & {
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
  readonly feature: string | null;
  readonly stream: boolean;
  /** Its place among those that wait for a first token. */
  readonly slot: StartSlot;
};

/** What health needs to know of an answer. */
export type AnswerRead = {
  readonly soft: SoftSignal | null;
  readonly model: string | null;
  readonly fingerprint: string | null;
  readonly outputTokens: number | null;
  /** It has tool calls that can be read. */
  readonly hasCalls: boolean;
  /** Structured output was asked for, and it ended by itself. */
  readonly isStructured: boolean;
};

/** How a ticket is handed out; its generation is the gate's, unless said otherwise. */
export type Handing = Pick<Ticket, 'probe' | 'own' | 'panic'> & { readonly generation?: number };

/** Evidence of no generation moves no gate. */
export const unheard = { generation: -1 } as const;

/** How an attempt ended. */
export type Settlement = {
  /** `nobody`: a switch stopped it. `left`: the caller went away. */
  readonly outcome: Failure | 'good' | 'nobody' | 'left';
  /** Null: no content came. */
  readonly firstTokenMs: number | null;
  /** How long nothing had come when the caller left. */
  readonly silentMs: number;
  /** What a good answer was like; null when that is not known. */
  readonly answer: AnswerRead | null;
};

/** What the end of an attempt says of its target. A whole answer's first byte is its last: only streams tell when they began. */
export function evidenceOf(
  ticket: Ticket,
  failure: Failure | null,
  soft: SoftSignal | null,
  firstTokenMs: number | null,
): Evidence {
  return {
    failure: failure === null ? null : failure.class,
    generation: ticket.generation,
    probe: ticket.probe,
    callerKey: ticket.callerKey,
    requestKey: ticket.requestKey,
    startedAt: ticket.startedAt,
    firstTokenMs: ticket.stream ? firstTokenMs : null,
    firstTokenTold: ticket.stream,
    soft,
    retryAfterMs: failure === null ? null : failure.retryAfterMs,
  };
}

/** What its first token says when it comes. */
export function evidenceOfFirstToken(ticket: Ticket, firstTokenMs: number): Evidence {
  return { ...evidenceOf(ticket, null, null, firstTokenMs), firstTokenTold: false };
}

/** How the wait for a first token ended that never came. */
export function endingOf(outcome: Failure | 'good' | 'nobody'): Ending {
  if (outcome === 'good' || outcome === 'nobody') return outcome;
  return outcome.class === 'first_token_timeout' || outcome.class === 'headers_timeout' ? 'silent' : 'failed';
}

/** An answer that arrived and is of no use is a soft signal, not a failure of the target. */
export function softOf(failure: Failure): SoftSignal | null {
  return failure.class === 'tool_call_invalid' || failure.class === 'structured_output_invalid'
    ? failure.class
    : null;
}
