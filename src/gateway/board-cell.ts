/** What the board holds of one target: its gate, what its answers are like, who is on the way, and what was last kept of it. */
import { cellFromJson, cellToJson, freshCell, shifted } from '../core/health-cell.ts';
import type { HealthCell } from '../core/health-cell.ts';
import type { HealthRule } from '../core/health-rule.ts';
import type { Instant } from '../core/ids.ts';
import { fullBudget } from '../core/retry-budget.ts';
import type { RetryBudget } from '../core/retry-budget.ts';
import type { Target } from '../core/target.ts';
import { AnswerSignals } from './answer-signals.ts';
import type { Kept } from './board.ts';
import { Tally } from './tally.ts';
import { WaitingRoom } from './waiting-room.ts';

export type BoardCell = {
  target: Target;
  health: HealthCell;
  budget: RetryBudget;
  inFlight: number;
  inPanic: number;
  readonly waiting: WaitingRoom;
  readonly signals: AnswerSignals;
  readonly traffic: Tally;
  /** Made with the first probe. */
  probes: Tally | null;
  /** As it was last kept. */
  kept: HealthCell | null;
  /** A warning has moved since. */
  warned: boolean;
};

export function freshBoardCell(target: Target, rule: HealthRule, now: Instant): BoardCell {
  return {
    target,
    health: freshCell(rule, now),
    budget: fullBudget(now),
    inFlight: 0,
    inPanic: 0,
    waiting: new WaitingRoom(),
    signals: new AnswerSignals(now),
    traffic: new Tally(),
    probes: null,
    kept: null,
    warned: false,
  };
}

export function shiftCell(cell: BoardCell, byMs: number): void {
  cell.health = shifted(cell.health, byMs);
  cell.signals.shift(byMs);
}

/** What is to be kept of it now; null when nothing has moved, and with `all` when nothing was counted either. */
export function keep(cell: BoardCell, all: boolean): Kept | null {
  const { health, kept } = cell;
  const hasMoved = kept === null ? health.health.state !== 'healthy' : kept.health !== health.health;
  if (!hasMoved && !cell.warned && (!all || health === kept)) return null;
  cell.kept = health;
  cell.warned = false;
  return {
    target: cell.target.name,
    cell: { gate: cellToJson(health), signals: cell.signals.toJson() },
  };
}

/** Puts back what was kept; what cannot be understood is left aside. */
export function restoreCell(cell: BoardCell, kept: unknown, rule: HealthRule, now: Instant): void {
  if (typeof kept !== 'object' || kept === null) return;
  const { gate, signals } = kept as { readonly gate?: unknown; readonly signals?: unknown };
  const health = cellFromJson(gate, rule, now);
  if (health === null) return;
  cell.health = health;
  cell.kept = health;
  cell.signals.restore(signals);
}
