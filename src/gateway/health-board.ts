/**
 * Live health of targets and keys: holds the cells that `core/health.ts` computes, hands out tickets to attempts, and
 * publishes every transition. Asking, admitting and starting a probe happen in one turn of the event loop, so that a
 * probe stays single-flight.
 */
import type { SoftSignal, WarningMove } from '../core/evidence.ts';
import { failureRow } from '../core/failure.ts';
import type { CountsAgainst, Failure } from '../core/failure.ts';
import { admission, badness, passesNow, dropProbe, startProbe, wantsProbe } from '../core/admission.ts';
import { freshCell, jumpSince, isTouched } from '../core/health-cell.ts';
import { advance, limitOf, observe, observeFirstToken, observeWaiting } from '../core/health.ts';
import { holdOut, isDoubted, shedWith, startRamp } from '../core/gate-moves.ts';
import type { Observed } from '../core/gate-moves.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import { deposit, withdraw } from '../core/retry-budget.ts';
import type { Standing } from '../core/routing.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import type { CanaryFinding, Columns, GateView, HealthBoard, HealthBoardOptions, Kept } from './board.ts';
import { Attributor } from './attributor.ts';
import { GateBook } from './gate-book.ts';
import { KeyRing } from './key-ring.ts';
import { noCounts, Tally } from './tally.ts';
import { believed } from './believed.ts';
import { BoardCell } from './board-cell.ts';
import { endingOf, evidenceOf, evidenceOfFirstToken, unheard } from './ticket.ts';
import type { Asking, Handing, Settlement, Ticket } from './ticket.ts';

type Out = Extract<Standing, { kind: 'out' }>;

const noKeys: ReadonlySet<string> = new Set();
const open: Standing = { kind: 'open' };

/** The share of a provider's open calls that may pass a closed gate when nothing better is left, and the least number. */
const panicShare = 0.25;
const panicMin = 8;
const firstTokenMsMax = 600_000;

/** Targets that requests can name freely are bounded elsewhere; this is the backstop. */
const cellsMax = 10_000;

const ownAsking: Asking = {
  triedKeys: noKeys,
  panic: false,
  key: null,
  user: null,
  request: null,
  feature: null,
  stream: true,
};

class Board implements HealthBoard {
  readonly #options: HealthBoardOptions;
  readonly #cells = new Map<TargetName, BoardCell>();
  readonly #keys: KeyRing;
  readonly #gates: GateBook;
  readonly #attributor = new Attributor();
  #lookedAt: Instant | null = null;

  constructor(options: HealthBoardOptions) {
    this.#options = options;
    this.#gates = new GateBook(options.gates);
    this.#keys = new KeyRing(options.now, options.random);
  }

  /** The time. When the clock has jumped since it was last looked at, every cell follows it first. */
  #look(): Instant {
    const now = this.#options.now();
    const jumpMs = jumpSince(this.#lookedAt, now);
    this.#lookedAt = now;
    if (jumpMs !== 0) this.#jump(jumpMs);
    return now;
  }

  #jump(byMs: number): void {
    for (const cell of this.#cells.values()) cell.shift(byMs);
    this.#attributor.forget();
  }

  #cell(target: Target): BoardCell {
    let cell = this.#cells.get(target.name);
    if (cell === undefined) {
      const now = this.#look();
      cell = new BoardCell(target, this.#gates.of(target).rule, now);
      if (this.#cells.size >= cellsMax) this.#dropIdle();
      this.#cells.set(target.name, cell);
    }
    cell.target = target;
    return cell;
  }

  #dropIdle(): void {
    for (const [name, cell] of this.#cells)
      if (cell.inFlight === 0 && cell.health.health.state === 'healthy') this.#cells.delete(name);
  }

  #apply(cell: BoardCell, moved: Observed): void {
    cell.health = moved.cell;
    if (moved.transition === null) return;
    const { rule } = this.#gates.of(cell.target);
    const observed = this.#attributor.named(cell.target, moved, rule, this.#look());
    cell.health = observed.cell;
    if (observed.transition !== null) this.#options.onTransition(cell.target, observed.transition);
  }

  standing(target: Target): Standing {
    if (this.#keys.usable(target, noKeys) === undefined) return this.#keys.trouble(target);
    const cell = this.#cells.get(target.name);
    // Nearly always: it was never asked, or is healthy; what time alone moves of a healthy one is for `tick`.
    if (cell === undefined || cell.health.health.state === 'healthy') return open;
    const { rule, mode } = this.#gates.of(target);
    // First the time: when the clock has jumped, the cell follows it before it is judged by it.
    const now = this.#look();
    this.#apply(cell, advance(cell.health, rule, now));
    const admitted = admission(cell.health, rule, now, this.#options.random());
    switch (admitted.kind) {
      case 'open':
      case 'probe':
        return admitted;
      case 'out': {
        if (mode !== 'enforce') return open;
        const until = cell.health.health.state === 'ejected' ? cell.health.health.until : null;
        const { reason, words } = admitted;
        return { kind: 'out', reason, words, until, badness: badness(cell.health) };
      }
    }
  }

  admit(target: Target, asking: Asking): Ticket | Out {
    const standing = this.standing(target);
    if (standing.kind === 'out' && !passesNow(standing.reason, asking.panic)) return standing;
    const cell = this.#cell(target);
    const panic = standing.kind === 'out' && standing.reason !== 'ramping';
    if (panic && cell.inPanic >= Math.max(panicMin, target.provider.concurrencyMax * panicShare))
      return { ...standing, reason: 'at_capacity', words: `${cell.inPanic} calls pass its closed gate` };
    const probe = standing.kind === 'probe';
    if (probe) cell.health = startProbe(cell.health, this.#look());
    if (asking.triedKeys.size === 0) cell.budget = deposit(cell.budget, this.#look());
    return this.#hand(cell, asking, { probe, own: false, panic });
  }

  #hand(cell: BoardCell, asking: Asking, how: Handing): Ticket {
    const { target } = cell;
    const key = this.#keys.usable(target, asking.triedKeys) ?? target.provider.keys[0] ?? null;
    this.#keys.took();
    const startedAt = this.#look();
    const ticket: Ticket = {
      target,
      key,
      generation: how.generation ?? cell.health.generation,
      probe: how.probe,
      own: how.own,
      panic: how.panic,
      startedAt,
      callerKey: this.#callerKey(asking),
      requestKey: asking.request,
      feature: asking.feature,
      stream: asking.stream,
      slot: cell.waiting.enter(asking.stream, startedAt),
      bagIndex: -1,
    };
    cell.waiting.hold(ticket);
    cell.inFlight++;
    if (how.panic) cell.inPanic++;
    return ticket;
  }

  /** The person where one is named; else the key, unless it is the only one: then nothing tells callers apart. */
  #callerKey({ key, user }: Asking): string | null {
    if (user !== null) return `${key ?? ''}|${user}`;
    return this.#options.keysKnown() > 1 ? key : null;
  }

  wantingProbes(): readonly Target[] {
    const now = this.#look();
    const wanting: Target[] = [];
    for (const { target, health } of this.#cells.values())
      if (wantsProbe(health, this.#gates.of(target).rule, now)) wanting.push(target);
    return wanting;
  }

  admitProbe(target: Target): Ticket | null {
    const { rule } = this.#gates.of(target);
    const cell = this.#cell(target);
    const now = this.#look();
    this.#apply(cell, advance(cell.health, rule, now));
    if (!wantsProbe(cell.health, rule, now) || this.#keys.usable(target, noKeys) === undefined) return null;
    cell.health = startProbe(cell.health, now);
    return this.#hand(cell, ownAsking, { probe: true, own: true, panic: false });
  }

  admitOrdered(target: Target): Ticket | null {
    if (this.#keys.usable(target, noKeys) === undefined) return null;
    return this.#hand(this.#cell(target), ownAsking, { probe: false, own: true, panic: false, ...unheard });
  }

  began(ticket: Ticket): void {
    const cell = this.#cells.get(ticket.target.name);
    const wasLate = cell?.waiting.leave(ticket, 'good') ?? false;
    if (cell !== undefined && ticket.stream && !wasLate) this.#heardFrom(cell, ticket);
  }

  /** Its first token came, or has been waited for longer than it may take. */
  #heardFrom(cell: BoardCell, ticket: Ticket): void {
    const now = this.#look();
    const firstTokenMs = now - ticket.startedAt;
    // Longer than any answer may take: the clock jumped meanwhile.
    if (Math.abs(firstTokenMs) > firstTokenMsMax) return;
    const evidence = evidenceOfFirstToken(ticket, firstTokenMs);
    this.#apply(cell, observeFirstToken(cell.health, evidence, this.#gates.of(ticket.target).rule, now));
  }

  settle(ticket: Ticket, settlement: Settlement): void {
    const { target } = ticket;
    const cell = this.#cell(target);
    const now = this.#look();
    cell.inFlight--;
    if (ticket.panic) cell.inPanic--;
    const { outcome, doubted } = believed(ticket, settlement, {
      waiting: cell.waiting,
      usual: cell.health.firstToken,
      stallMs: this.#options.stallMs(),
    });
    if (doubted !== null) this.#options.onDisbelieved(target, doubted);
    if (settlement.firstTokenMs === null) cell.waiting.leave(ticket, endingOf(outcome));
    if (outcome === 'nobody') {
      if (ticket.probe) cell.health = dropProbe(cell.health, ticket.generation);
      return;
    }
    const soft = this.#heard(cell, ticket, settlement, outcome, now);
    const failure = outcome === 'good' || soft !== null ? null : outcome;
    const counts = this.#countsAgainst(ticket, failure);
    if (counts === 'target' || counts === 'provider') {
      if (soft !== null) this.#options.onSoft(target, soft);
      (ticket.own ? (cell.probes ??= new Tally()) : cell.traffic).count(failure?.class ?? null, now);
      const evidence = evidenceOf(ticket, failure, soft, settlement.firstTokenMs);
      this.#attributor.note(target, ticket.key?.name ?? null, failure !== null, cell.health, now);
      const rule = this.#attributor.tempered(
        cell.target,
        this.#gates.of(target).rule,
        now,
        cell.health.health.state === 'shedding',
      );
      this.#apply(cell, observe(cell.health, evidence, rule, now, this.#options.random()));
    } else if (ticket.probe) cell.health = dropProbe(cell.health, ticket.generation);
  }

  /** What an answer was like. */
  #heard(
    cell: BoardCell,
    ticket: Ticket,
    settlement: Settlement,
    outcome: Failure | 'good',
    now: Instant,
  ): SoftSignal | null {
    const { firstTokenMs } = settlement;
    const { target } = ticket;
    const { falseAlarmMs } = this.#gates.of(target).rule.failures;
    if (outcome === 'good' && !ticket.stream && firstTokenMs !== null) cell.waiting.sawWhole(firstTokenMs);
    const { soft, news, moves } =
      outcome === 'good'
        ? cell.signals.good(ticket, settlement, cell.health.firstToken, falseAlarmMs, now)
        : cell.signals.failed(ticket, outcome, falseAlarmMs, now);
    if (news !== null) this.#options.onNews(target, news);
    if (moves.length > 0) cell.warned = true;
    for (const move of moves) this.#options.onWarning(target, move);
    return soft;
  }

  /** A key's failure that is not believed is evidence against the target like any other. */
  #countsAgainst({ target, key, startedAt }: Ticket, failure: Failure | null): CountsAgainst {
    if (failure === null) {
      this.#keys.good(target, key, startedAt);
      return 'target';
    }
    const blame = this.#keys.failed(target, key, failure);
    if (blame !== 'disbelieved') return failureRow(failure.class).counts;
    this.#options.onDisbelieved(target, failure);
    return 'provider';
  }

  hasOtherKey(target: Target, triedKeys: ReadonlySet<string>): boolean {
    return target.provider.keys.length > 1 && this.#keys.usable(target, triedKeys) !== undefined;
  }

  hasRetry(target: Target): boolean {
    return withdraw(this.#cell(target).budget, this.#look()) !== null;
  }

  takeRetry(target: Target): void {
    const cell = this.#cell(target);
    cell.budget = withdraw(cell.budget, this.#look()) ?? cell.budget;
  }

  ramp(target: Target, words: string): void {
    const now = this.#look();
    const cell = this.#cells.get(target.name);
    // What was never asked has no traffic to ramp.
    if (cell !== undefined && isTouched(cell.health) && cell.health.health.state === 'healthy')
      this.#apply(cell, startRamp(cell.health, this.#gates.of(target).rule, now, { words, cause: 'person' }));
  }

  noteCanary(target: Target, finding: CanaryFinding, move: Omit<WarningMove, 'signal'> | null): void {
    this.#cell(target).signals.noteCanary(finding);
    if (move !== null) this.#options.onWarning(target, { ...move, signal: 'changed_answers' });
  }

  hold(target: Target, until: Instant, words: string): void {
    const now = this.#look();
    const cell = this.#cell(target);
    this.#apply(cell, holdOut(cell.health, until, now, words));
  }

  giveBack(target: Target, words: string): void {
    const now = this.#look();
    this.hold(target, now, words);
    const cell = this.#cell(target);
    this.#apply(cell, advance(cell.health, this.#gates.of(target).rule, now));
  }

  agreement(target: Target): GateRule {
    return this.#gates.of(target).gate;
  }

  columns(target: TargetName): Columns {
    const cell = this.#cells.get(target);
    const now = this.#look();
    return { traffic: cell?.traffic.read(now) ?? noCounts, probes: cell?.probes?.read(now) ?? noCounts };
  }

  known(): readonly Target[] {
    return [...this.#cells.values()].map(({ target }) => target);
  }

  unkept(all: boolean): readonly Kept[] {
    return [...this.#cells.values()].flatMap((cell) => cell.keep(all) ?? []);
  }

  restore(target: Target, kept: unknown): void {
    this.#cell(target).restore(kept, this.#gates.of(target).rule, this.#look());
  }

  view(target: Target): GateView {
    const known = this.#cells.get(target.name);
    const { rule, mode } = this.#gates.of(target);
    const cell = known?.health ?? freshCell(rule, this.#look());
    return { cell, mode, warnings: known?.signals.warnings ?? [] };
  }

  keyReplaced(key: string): void {
    this.#keys.forget(key);
  }

  inFlight(target: TargetName): number {
    return this.#cells.get(target)?.inFlight ?? 0;
  }

  tick(): void {
    const now = this.#look();
    for (const cell of this.#cells.values()) {
      const { rule } = this.#gates.of(cell.target);
      this.#apply(cell, advance(cell.health, rule, now));
      const { failures, firstToken } = cell.health;
      const waiting = cell.waiting.evidence(firstToken, failures.tuning.p0, now);
      if (waiting.nats > 0) this.#apply(cell, observeWaiting(cell.health, waiting, rule, now));
      for (const ticket of cell.waiting.late(limitOf(cell.health, rule), now)) this.#heardFrom(cell, ticket);
    }
    this.#shedWide(now);
  }

  /** What a wider scope's evidence condemns goes out with it, before its own would be enough; what is out already is not asked about. */
  #shedWide(now: Instant): void {
    const doubted = [...this.#cells.values()].filter(({ health }) => isDoubted(health, now));
    if (doubted.length < 2 || !doubted.some(({ health }) => health.health.state === 'healthy')) return;
    const since = Math.min(
      ...doubted.map(({ health }) => health.failures.excursion?.since ?? now),
    ) as Instant;
    for (const { targets, scope, runnerUp, failed, total } of this.#attributor.wide(since, now))
      for (const cell of doubted) {
        if (!targets.has(cell.target.name)) continue;
        const { rule } = this.#gates.of(cell.target);
        this.#apply(cell, shedWith(cell.health, { scope, runnerUp }, { failed, total, since }, rule, now));
      }
  }
}

export function createHealthBoard(options: HealthBoardOptions): HealthBoard {
  return new Board(options);
}
