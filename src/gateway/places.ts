/** What a request does about places: waits for one, gives up waiting when its caller leaves, says how its call went. */
import { timedSign } from '../core/concurrency-limit.ts';
import type { NonEmpty } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { AttemptResult } from './attempt.ts';
import type { Trace } from './trace.ts';
import { loadSign } from './capacity.ts';
import type { Place } from './capacity.ts';
import { isEvidence } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** What a call showed about how busy its target is. Models that think first keep no pace to compare with. */
export function showLoad(exchange: Exchange, place: Place, result: AttemptResult, trace: Trace): void {
  if (!isEvidence(exchange)) return;
  const { facts, capacity, clock, watchdog } = exchange;
  const absentMs = watchdog.absentMs() - trace.absentBeforeMs;
  if (result.kind === 'failed')
    capacity.seen(place, loadSign(result.failure.class, clock.now() - trace.startedAt, absentMs));
  if (result.kind !== 'committed') return;
  const paced = facts.stream && !facts.needs.has('thinking') && facts.mayThink !== true;
  const ms = (trace.firstTokenAt ?? clock.now()) - trace.startedAt;
  capacity.seen(place, paced ? timedSign(ms, absentMs) : 'none');
}

export function wait(ms: number, exchange: Exchange): Promise<void> {
  const { clock, watchdog } = exchange;
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = { dueAt: clock.now() + ms, expire: resolve };
  watchdog.add(watch);
  exchange.stopCurrent = () => {
    watchdog.remove(watch);
    resolve();
  };
  return promise;
}

/** Waits for a place at one of these; null when there is none in time, or the caller leaves. */
export function waitForPlace(exchange: Exchange, targets: NonEmpty<Target>): Promise<Place | null> {
  const { promise, resolve } = Promise.withResolvers<Place | null>();
  const { capacity, claim, deadline } = exchange;
  const giveUp = capacity.wait(targets, claim, deadline, (place) => {
    exchange.stopCurrent = null;
    // Who left while the place came free does not keep it.
    if (place !== null && exchange.callerLeft) capacity.leave(place);
    resolve(exchange.callerLeft ? null : place);
  });
  exchange.stopCurrent = () => {
    giveUp();
    resolve(null);
  };
  return promise;
}
