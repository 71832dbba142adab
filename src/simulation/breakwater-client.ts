/**
 * The strategy that is rehearsed: the product's own core. `decide` chooses, `next` fails over, the health board gates,
 * capacity protects; only the calls are simulated. Nothing is decided here.
 */
import { afterRound, freshCanary, levelFor } from '../core/canary.ts';
import type { Canary } from '../core/canary.ts';
import { isAtRest } from '../core/health-cell.ts';
import type { TargetName } from '../core/ids.ts';
import { decide } from '../core/routing.ts';
import type { RoutingDecision } from '../core/routing.ts';
import { plainRequest } from '../core/rules.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Scope } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { createCapacity, waitingTickMs } from '../gateway/capacity.ts';
import type { Capacity, CapacityOptions } from '../gateway/capacity.ts';
import { createHealthBoard } from '../gateway/health-board.ts';
import { createHedgeBudgets } from '../gateway/hedge.ts';
import type { HedgeBudgets } from '../gateway/hedge.ts';
import type { HealthBoard, Kept } from '../gateway/board.ts';
import type { Ticket } from '../gateway/ticket.ts';
import type { Arena, Arrival, Client } from './arena.ts';
import type { Course } from './lane.ts';
import { settlementOf } from './rehearsed-call.ts';
import { RehearsedRequest } from './rehearsed-request.ts';
import type { FeatureFacts, Gateway } from './rehearsed-request.ts';

export class BreakwaterClient implements Client, Gateway {
  readonly arena: Arena;
  /** Every error of ours says `x-should-retry: false`. */
  readonly stopsRetries: boolean;
  readonly #protected: boolean;
  /** As agreed; a configuration that is read again may change them. */
  gates: readonly GateRule[];
  board: HealthBoard;
  capacity: Capacity;
  readonly hedges: HedgeBudgets;
  requests = 0;
  open = 0;
  unheard = 0;
  readonly used = (target: Target): number => this.capacity.used(target);
  readonly #canaries = new Map<Target, Canary>();
  readonly #facts = new Map<Course, Map<TargetName | null, FeatureFacts>>();

  /** `unprotected`: routing and gates alone, to show what protecting is for. */
  constructor(arena: Arena, unprotected: { readonly stopsRetries: boolean } | null = null) {
    this.arena = arena;
    this.stopsRetries = unprotected?.stopsRetries ?? true;
    this.#protected = unprotected === null;
    this.gates = arena.rehearsal.snapshot.gates;
    this.board = this.#newBoard();
    this.capacity = this.#newCapacity();
    this.hedges = createHedgeBudgets(() => arena.clock);
    this.#askCanaries();
  }

  /** As the canary desk does, a round for each target when it is due. */
  #askCanaries(): void {
    const { arena } = this;
    const { canaries } = arena.rehearsal.snapshot;
    if (canaries === null) return;
    const level = levelFor(canaries.everyMs, canaries.falseAlarmMs);
    arena.after(canaries.everyMs, () => {
      for (const target of canaries.targets) {
        if (this.board.view(target).cell.health.state !== 'healthy') continue;
        const known = this.#canaries.get(target) ?? freshCanary;
        const asked = { at: arena.clock, level, random: arena.random };
        const { canary, move } = afterRound(known, arena.askCanary(target), asked);
        this.#canaries.set(target, canary);
        if (move !== null) this.board.noteCanary(target, canary.finding, move);
      }
      if (arena.now < arena.rehearsal.scenario.durationMs) this.#askCanaries();
    });
  }

  #newBoard(): HealthBoard {
    const { arena } = this;
    const { snapshot } = arena.rehearsal;
    const board: HealthBoard = createHealthBoard({
      now: () => arena.clock,
      random: arena.random,
      gates: () => this.gates,
      onTransition: (target, transition) => {
        // A board that a restart has replaced speaks for nobody.
        if (board !== this.board) return;
        arena.tally.transitions.push({ ...transition, target: target.name, atMs: arena.now });
      },
      keysKnown: () => 2,
      stallMs: () => snapshot.defaults.timeouts.stallMs,
      onSoft: () => {},
      onNews: (target, news) => {
        if (board === this.board) arena.tally.news.push({ ...news, target: target.name, atMs: arena.now });
      },
      onWarning: (target, move) => {
        if (board === this.board)
          arena.tally.warnings.push({ ...move, target: target.name, atMs: arena.now });
      },
      onDisbelieved: () => {},
    });
    return board;
  }

  #newCapacity(): Capacity {
    const { arena } = this;
    const options: CapacityOptions = {
      now: () => arena.clock,
      random: arena.random,
      features: () => arena.rehearsal.snapshot.features,
      onWaiting: () => this.#tickWhileWaiting(),
    };
    return this.#protected ? createCapacity(options) : createBoundlessCapacity(options);
  }

  #tickWhileWaiting(): void {
    this.arena.after(waitingTickMs, () => {
      this.capacity.tick();
      if (this.capacity.waiting > 0) this.#tickWhileWaiting();
    });
  }

  /** The process ends and another begins, which reads what was kept of the gates. Requests under way speak to nobody. */
  restart(kept: readonly Kept[]): void {
    this.board = this.#newBoard();
    this.capacity = this.#newCapacity();
    const { targets } = this.arena.rehearsal.snapshot;
    for (const { target: name, cell } of kept) {
      const target = targets.get(name);
      if (target !== undefined) this.board.restore(target, cell);
    }
  }

  tick(): void {
    this.board.tick();
    for (const target of this.board.wantingProbes()) {
      const ticket = this.board.admitProbe(target);
      if (ticket !== null) this.#probe(target, ticket);
    }
    this.capacity.tick();
  }

  rests(): boolean {
    const { board } = this;
    if (this.unheard > 0 || this.capacity.waiting > 0) return false;
    return board.known().every((target) => isAtRest(board.view(target).cell));
  }

  /** A small question of the gateway's own, as production sends it. */
  #probe(target: Target, ticket: Ticket): void {
    const { arena, board } = this;
    const startedAt = arena.now;
    let firstTokenMs: number | null = null;
    this.open++;
    this.unheard++;
    arena.probe(target, ticket.key?.name ?? null, {
      firstToken: () => {
        firstTokenMs = arena.now - startedAt;
        this.unheard--;
        board.began(ticket);
      },
      ended: (failure, answer) => {
        this.open--;
        if (firstTokenMs === null) this.unheard--;
        board.settle(ticket, settlementOf(failure, firstTokenMs, answer));
      },
    });
  }

  released(scope: Scope): void {
    for (const target of this.arena.covered(scope)) this.board.ramp(target, 'the switch is over');
  }

  factsOf({ course, agreedTo }: Arrival): FeatureFacts {
    let ofCourse = this.#facts.get(course);
    if (ofCourse === undefined) this.#facts.set(course, (ofCourse = new Map()));
    let facts = ofCourse.get(agreedTo);
    if (facts === undefined) {
      const { feature, demand, profile } = course;
      const { inputTokens } = profile;
      facts = {
        request: plainRequest(feature, {
          demand,
          inputTokensEstimate: inputTokens,
          consentedTarget: agreedTo,
        }),
        claim: { priority: feature.priority, tenant: null, inputTokens },
        switches: [],
        remembered: new Map(),
        off: new Map(),
        sheds: false,
        standings: [],
      };
      ofCourse.set(agreedTo, facts);
    }
    return facts;
  }

  arrive(arrival: Arrival): void {
    const facts = this.factsOf(arrival);
    const { switches } = this.arena;
    if (facts.switches !== switches) {
      facts.switches = switches;
      facts.sheds = switches.some(({ effect }) => effect.kind === 'shed');
      facts.remembered.clear();
      facts.off.clear();
    }
    const decision = this.#decide(facts);
    switch (decision.kind) {
      case 'ask':
        this.arena.ask(arrival, decision.offers);
        return;
      case 'refuse':
        this.arena.close(
          arrival,
          decision.code === 'no_eligible_target' ? 'failed' : 'refused',
          this.arena.now,
        );
        return;
      case 'route':
        new RehearsedRequest(this, arrival, facts, decision).begin();
    }
  }

  /** `decide` is pure: with the same switches and the same targets open it decides the same, so it is asked once. */
  #decide(facts: FeatureFacts): RoutingDecision {
    const { board, arena } = this;
    const { request, standings } = facts;
    const { route } = request;
    let standing = 0;
    for (let index = 0; index < route.length; index++) {
      const target = route[index];
      if (target === undefined) continue;
      const found = board.standing(target);
      standings[index] = found;
      standing = standing * 3 + standingDigits[found.kind];
    }
    const known = facts.sheds ? undefined : facts.remembered.get(standing);
    if (known !== undefined) return known;
    const decision = decide(request, {
      switches: arena.switches,
      standing: (target) => standings[route.indexOf(target)] ?? { kind: 'open' },
      now: arena.clock,
      random: arena.random(),
    });
    // Which of several closed gates is the least bad changes by itself: a decision made in panic is not kept.
    if (!facts.sheds && (decision.kind !== 'route' || !decision.panic))
      facts.remembered.set(standing, decision);
    return decision;
  }
}

/** Places without end. */
function createBoundlessCapacity(options: CapacityOptions): Capacity {
  const never: Pick<Capacity, 'wait'> = {
    wait: () => {
      throw new Error('nobody waits where there is room for all');
    },
  };
  return {
    ...never,
    waiting: 0,
    enter: (target, claim) => ({ target, claim, startedAt: options.now(), openAtStart: 0 }),
    seen: () => {},
    leave: () => {},
    retryAfterMs: () => 0,
    used: () => 0,
    view: () => ({ open: 0, waiting: 0, limit: Number.POSITIVE_INFINITY, learnt: false }),
    tick: () => {},
  };
}

const standingDigits = { open: 0, probe: 1, out: 2 } as const;
