/**
 * Hedging: a stream whose target is still silent after a while is asked of a second target too, and whichever answers
 * first is the answer. The second call passes every rule that the first one passed: it goes to a target of the plan,
 * switches are looked at again, and it needs a place and a ticket of its own. Only one answer commits; the other call is
 * cancelled and recorded as cancelled. A budget keeps the extra load to a share of the feature's requests.
 */
import { deposit, fullBudget, hedgeRule, withdraw } from '../core/retry-budget.ts';
import type { RetryBudget } from '../core/retry-budget.ts';
import type { Instant } from '../core/ids.ts';
import type { Feature } from '../core/snapshot.ts';
import type { Exchange } from './exchange.ts';
import type { Sending, Sent } from './execute.ts';

export type HedgeBudgets = {
  /** A request that may be hedged earns its part. */
  earn(feature: Feature): void;
  /** Takes one hedge, if there is one left. */
  take(feature: Feature): boolean;
};

export function createHedgeBudgets(now: () => Instant): HedgeBudgets {
  const budgets = new Map<string, RetryBudget>();
  const of = ({ name }: Feature, share: number): RetryBudget =>
    budgets.get(name) ?? fullBudget(now(), hedgeRule(share));
  return {
    earn(feature) {
      const { hedge } = feature;
      if (hedge === null) return;
      budgets.set(feature.name, deposit(of(feature, hedge.budget), now(), hedgeRule(hedge.budget)));
    },
    take(feature) {
      const { hedge } = feature;
      if (hedge === null) return false;
      const left = withdraw(of(feature, hedge.budget), now(), hedgeRule(hedge.budget));
      if (left !== null) budgets.set(feature.name, left);
      return left !== null;
    },
  };
}

/** A first token this late is waited for; true: it is late now. */
function lateness(
  exchange: Exchange,
  afterMs: number,
): { readonly late: Promise<'late'>; readonly forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<'late'>();
  const watch = { dueAt: exchange.clock.now() + afterMs, expire: () => resolve('late') };
  exchange.watchdog.add(watch);
  return { late: promise, forget: () => exchange.watchdog.remove(watch) };
}

function isAnswer({ result }: Sent): boolean {
  return result.kind === 'committed' && result.soft === null;
}

/** Cancels the call that lost, and closes it when it has noticed. */
function cancel(exchange: Exchange, { sent, stopper, trace, place, ticket, flight }: Sending): void {
  stopper.stop({ kind: 'outrun' });
  // Now, not when the call has noticed: a short answer's record is made sooner than that.
  trace.endedAt = exchange.clock.now();
  trace.outcome = 'cancelled';
  void sent.then(({ result }) => {
    if (result.kind === 'committed') {
      exchange.watchdog.remove(result.answer.watch);
      result.answer.source.release();
    }
    exchange.flights.end(flight);
    exchange.board.settle(ticket, { outcome: 'nobody', firstTokenMs: null, silentMs: 0, answer: null });
    exchange.capacity.leave(place);
  });
}

/** Closes a call that failed while the other one goes on. */
function closeFailed(exchange: Exchange, { result, ticket, place, flight, trace }: Sent): void {
  const failure = result.kind === 'failed' ? result.failure : null;
  exchange.flights.end(flight);
  exchange.board.settle(ticket, {
    outcome: failure ?? 'nobody',
    firstTokenMs: null,
    silentMs: (trace.endedAt ?? exchange.clock.now()) - ticket.startedAt,
    answer: null,
  });
  exchange.capacity.leave(place);
  trace.endedAt ??= exchange.clock.now();
  trace.outcome = failure === null ? 'cancelled' : 'failed';
  trace.failure = failure;
}

/** What comes of the first call, or of a second one that was sent because the first stayed silent. */
export async function hedged(
  exchange: Exchange,
  first: Sending,
  afterMs: number,
  begin: () => Sending | null,
): Promise<Sent> {
  const { late, forget } = lateness(exchange, afterMs);
  const early = await Promise.race([first.sent, late]);
  forget();
  if (early !== 'late') return early;
  if (exchange.callerLeft || !exchange.hedges.take(exchange.feature)) return first.sent;
  const second = begin();
  if (second === null) return first.sent;
  exchange.stopCurrent = () => {
    for (const { stopper } of [first, second]) stopper.stop({ kind: 'caller_left' });
  };
  const sooner = await Promise.race([first.sent, second.sent]);
  const other = sooner.ticket === first.ticket ? second : first;
  if (isAnswer(sooner)) {
    cancel(exchange, other);
    return won(exchange, sooner, first);
  }
  // It is over now, and not when the other one is.
  sooner.trace.endedAt = exchange.clock.now();
  const later = await other.sent;
  // The first call's failure is the one that failover goes on from.
  const [kept, closed] = isAnswer(later) || later.ticket === first.ticket ? [later, sooner] : [sooner, later];
  closeFailed(exchange, closed);
  return won(exchange, kept, first);
}

function won(exchange: Exchange, winner: Sent, first: Sending): Sent {
  exchange.warnings.splice(0, exchange.warnings.length, ...winner.warnings);
  exchange.stopCurrent = () => winner.flight.stopper.stop({ kind: 'caller_left' });
  if (isAnswer(winner) && winner.ticket !== first.ticket) exchange.arranged = 'hedge';
  return winner;
}
