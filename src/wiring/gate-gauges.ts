/** A gate's sentence as numbers, for dashboards and alerts: words are for people, and no label can hold them. */
import { suspicion } from '../core/detector.ts';
import type { Transition } from '../core/gate-moves.ts';
import type { Target } from '../core/target.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const states = ['healthy', 'shedding', 'ejected', 'probing', 'ramping'] as const;

export function publishGate(target: Target, board: HealthBoard, metrics: Metrics): void {
  const labels = { target: target.name };
  const { cell, warnings } = board.view(target);
  for (const { signal } of warnings) metrics.set('breakwater_warning', { ...labels, signal }, 1);
  for (const state of states)
    metrics.set('breakwater_gate_state', { ...labels, state }, state === cell.health.state ? 1 : 0);
  const { trouble, failures } = cell;
  metrics.set('breakwater_gate_trouble_attempts', labels, trouble?.total ?? 0);
  metrics.set('breakwater_gate_trouble_failed', labels, trouble?.failed ?? 0);
  metrics.set('breakwater_gate_usual_rate', labels, failures.tuning.usual);
  metrics.set('breakwater_gate_suspicion', labels, Math.min(1, suspicion(failures)));
  metrics.set('breakwater_in_flight', labels, board.inFlight(target.name));
}

/** Counts a move. When the evidence says it is ourselves, somebody must look: that is an error, and has its own metric. */
export function countTransition(target: Target, transition: Transition, metrics: Metrics, log: Log): void {
  const { to, cause, scope, words } = transition;
  metrics.count('breakwater_gate_transitions_total', { target: target.name, to, cause });
  if (scope?.kind !== 'egress' || to === 'healthy' || to === 'ramping') return;
  metrics.count('breakwater_egress_suspected_total');
  log('error', { event: 'egress_suspected', target: target.name, words });
}
