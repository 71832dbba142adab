/** What the board holds of one target: its gate, what its answers are like, who is on the way, and what was last kept of it. */
import { cellFromJson, cellToJson, freshCell, shifted } from '../core/health-cell.ts';
import type { Health, HealthCell } from '../core/health-cell.ts';
import type { HealthRule } from '../core/health-rule.ts';
import type { Instant } from '../core/ids.ts';
import { fullBudget } from '../core/retry-budget.ts';
import type { RetryBudget } from '../core/retry-budget.ts';
import type { Target } from '../core/target.ts';
import { AnswerSignals } from './answer-signals.ts';
import type { Kept } from './board.ts';
import { Tally } from './tally.ts';
import { WaitingRoom } from './waiting-room.ts';

export class BoardCell {
  target: Target;
  budget: RetryBudget;
  inFlight = 0;
  inPanic = 0;
  readonly waiting = new WaitingRoom();
  readonly signals: AnswerSignals;
  readonly traffic = new Tally();
  /** Made with the first probe. */
  probes: Tally | null = null;
  /** A warning has moved since it was last kept. */
  warned = false;
  #health: HealthCell;
  /** As it was last kept; and whether something was counted since. */
  #kept: Health | null = null;
  #counted = true;

  constructor(target: Target, rule: HealthRule, now: Instant) {
    this.target = target;
    this.#health = freshCell(rule, now);
    this.budget = fullBudget(now);
    this.signals = new AnswerSignals(now);
  }

  get health(): HealthCell {
    return this.#health;
  }

  set health(health: HealthCell) {
    if (health !== this.#health) this.#counted = true;
    this.#health = health;
  }

  /** What is to be kept of it now; null when nothing has moved, and with `all` when nothing was counted either. */
  keep(all: boolean): Kept | null {
    const { health } = this.#health;
    const hasMoved = this.#kept === null ? health.state !== 'healthy' : this.#kept !== health;
    if (!hasMoved && !this.warned && (!all || !this.#counted)) return null;
    this.#noteKept();
    this.warned = false;
    return {
      target: this.target.name,
      cell: { gate: cellToJson(this.#health), signals: this.signals.toJson() },
    };
  }

  #noteKept(): void {
    this.#kept = this.#health.health;
    this.#counted = false;
  }

  /** Puts back what was kept; what cannot be understood is left aside. */
  restore(kept: unknown, rule: HealthRule, now: Instant): void {
    if (typeof kept !== 'object' || kept === null) return;
    const { gate, signals } = kept as { readonly gate?: unknown; readonly signals?: unknown };
    const health = cellFromJson(gate, rule, now);
    if (health === null) return;
    this.#health = health;
    this.#noteKept();
    this.signals.restore(signals);
  }

  /** Follows a clock that jumped. */
  shift(byMs: number): void {
    this.health = shifted(this.#health, byMs);
    this.signals.shift(byMs);
  }
}
