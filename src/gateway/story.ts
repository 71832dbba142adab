/** What happened to a request, derived from its exchange: for response headers, error bodies and the record alike. */
import type { Trouble } from '../core/caller-words.ts';
import type { FallbackReason } from '../core/fallback-reason.ts';
import type { BoundaryCrossing, Target } from '../core/target.ts';
import { boundaryBetween } from '../core/target.ts';
import { incidentsMet } from '../core/incident-hits.ts';
import { switchId } from '../core/ids.ts';
import type { IncidentId, SwitchId } from '../core/ids.ts';
import type { Exchange } from './exchange.ts';

/** What the caller asked for, in a word that users know: the model, also where the request named the feature. */
export function askedName({ facts, feature, preferred }: Exchange): string {
  return facts.model === feature.name ? preferred.model.name : facts.model;
}

/** Failures so far, in order. */
export function troublesOf(exchange: Exchange): readonly Trouble[] {
  return exchange.traces.flatMap((trace) =>
    trace.failure === null ? [] : [{ target: trace.ticket.target.name, failure: trace.failure.class }],
  );
}

/** What content crossed; a failed attempt that received the body has crossed too. */
export function boundaryOf(exchange: Exchange): readonly BoundaryCrossing[] {
  const crossed = new Set<BoundaryCrossing>();
  for (const trace of exchange.traces) {
    if (trace.payloadSent === 'none') continue;
    for (const crossing of boundaryBetween(exchange.preferred, trace.ticket.target, exchange.at))
      crossed.add(crossing);
  }
  return [...crossed];
}

/** Why the preferred target did not answer, as a reason code; null when it did. */
export function fallbackReason(exchange: Exchange, served: Target | null): FallbackReason | null {
  if (served !== null && served.name === exchange.preferred.name) return null;
  const failure = exchange.traces.findLast(
    (trace) => trace.ticket.target.name === exchange.preferred.name && trace.failure !== null,
  )?.failure;
  if (failure !== undefined && failure !== null) return failure.class;
  const excluded =
    exchange.candidates.find((candidate) => candidate.target === exchange.preferred.name)?.reason ?? null;
  return excluded ?? exchange.arranged ?? (served === null ? null : 'switched_off');
}

/** Incidents that the request has met so far. */
export function incidentsOf(exchange: Exchange): readonly IncidentId[] {
  const scopes = exchange.incidents();
  if (scopes.length === 0) return [];
  const touch = {
    at: exchange.at,
    preferred: exchange.preferred.name,
    attempts: exchange.traces.map((trace) => ({
      target: trace.ticket.target.name,
      failure: trace.failure?.class ?? null,
    })),
    candidates: exchange.candidates,
  };
  return incidentsMet(touch, scopes);
}

/** Switches that spoke when the route was decided, those that did since, and the one that cut the answer. */
export function switchesMet(
  { candidates }: Exchange,
  decided: readonly SwitchId[],
  cut: SwitchId | null,
): readonly SwitchId[] {
  const since = candidates.flatMap(({ reason, rule }) =>
    reason === 'switched_off' && rule !== null ? [switchId(rule)] : [],
  );
  if (cut !== null) since.push(cut);
  return since.length === 0 ? decided : [...new Set([...decided, ...since])];
}
