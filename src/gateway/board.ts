/** What the health board offers to the data plane and to those who look at it, and what it asks of whoever makes it. */
import type { SoftSignal } from '../core/evidence.ts';
import type { Failure } from '../core/failure.ts';
import type { Transition } from '../core/gate-moves.ts';
import type { HealthCell } from '../core/health-cell.ts';
import type { IdentityNews } from '../core/identity.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { Standing } from '../core/routing.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Warning, WarningMove } from '../core/evidence.ts';
import type { Target } from '../core/target.ts';
import type { Counts } from './tally.ts';
import type { Asking, Settlement, Ticket } from './ticket.ts';

export type GateView = {
  readonly cell: HealthCell;
  readonly mode: GateRule['mode'];
  /** What its answers are warned of. */
  readonly warnings: readonly Warning[];
};

export type CanaryFinding = { readonly at: Instant; readonly words: string } | null;

/** A gate's cell to be kept across a restart. */
export type Kept = { readonly target: TargetName; readonly cell: unknown };

/** What callers' requests and our own probes met, kept apart. */
export type Columns = { readonly traffic: Counts; readonly probes: Counts };

export type HealthBoard = {
  standing(target: Target): Standing;
  admit(target: Target, asking: Asking): Ticket | Extract<Standing, { kind: 'out' }>;
  /** Targets whose gate wants a probe of ours now. */
  wantingProbes(): readonly Target[];
  /** Admits a probe of ours, if the gate wants one now; null when it does not. */
  admitProbe(target: Target): Ticket | null;
  /** Admits a probe that a person or a playbook ordered, past a closed gate: what it meets moves no gate. Null without a key. */
  admitOrdered(target: Target): Ticket | null;
  /** The answer has begun: the attempt waits no longer. */
  began(ticket: Ticket): void;
  settle(ticket: Ticket, settlement: Settlement): void;
  hasOtherKey(target: Target, triedKeys: ReadonlySet<string>): boolean;
  /** Whether the target's retry budget has a retry left; `takeRetry` uses it up. */
  hasRetry(target: Target): boolean;
  takeRetry(target: Target): void;
  /** Brings a target that was switched off back by a ramp. */
  ramp(target: Target, words: string): void;
  /** What the fixed questions of a canary have found of a target; `move`: it is new, or no longer stands. */
  noteCanary(target: Target, finding: CanaryFinding, move: Omit<WarningMove, 'signal'> | null): void;
  /** A person keeps a target out until an instant, whatever its probes say. */
  hold(target: Target, until: Instant, words: string): void;
  /** A person gives a held target back to its gate: probes, then a ramp. */
  giveBack(target: Target, words: string): void;
  view(target: Target): GateView;
  /** The agreement that holds for a target. */
  agreement(target: Target): GateRule;
  columns(target: TargetName): Columns;
  /** Targets that have a cell. */
  known(): readonly Target[];
  /** Cells that moved since they were last taken, and with `all` those that only counted. */
  unkept(all: boolean): readonly Kept[];
  /** Puts back what was kept; what cannot be understood is left aside. */
  restore(target: Target, kept: unknown): void;
  inFlight(target: TargetName): number;
  /** A provider's key has another text now. */
  keyReplaced(key: string): void;
  /** Moves what only time moves, and hears those that wait; call about four times a second. */
  tick(): void;
};

export type HealthBoardOptions = {
  readonly now: () => Instant;
  readonly random: () => number;
  readonly gates: () => readonly GateRule[];
  /** Silence in the middle of an answer at which the gateway gives up. */
  readonly stallMs: () => number;
  /** Callers' keys there are. */
  readonly keysKnown: () => number;
  readonly onTransition: (target: Target, transition: Transition) => void;
  readonly onSoft: (target: Target, signal: SoftSignal) => void;
  /** What answers are like has changed, or is as usual again. */
  readonly onWarning: (target: Target, move: WarningMove) => void;
  /** A target reports another model, or another fingerprint, than it ever did. */
  readonly onNews: (target: Target, news: IdentityNews) => void;
  /** A failure that blames our credential, or the caller, was not believed. */
  readonly onDisbelieved: (target: Target, failure: Failure) => void;
};
