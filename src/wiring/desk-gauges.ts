/** What the desks are at, as gauges: set anew each time, so that what is over goes back to zero. */
import { incidentStates, isOpen } from '../core/incident.ts';
import type { Incident } from '../core/incident.ts';
import type { Run } from '../core/playbook-run.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const openStates = incidentStates.filter(isOpen);
const runStates = ['running', 'asking', 'paused'] as const satisfies readonly Run['state'][];

export function publishDesks(
  incidents: readonly Incident[],
  runs: readonly Run[],
  metrics: Pick<Metrics, 'set'>,
): void {
  for (const state of openStates)
    metrics.set('breakwater_incidents', { state }, incidents.filter((each) => each.state === state).length);
  for (const state of runStates)
    metrics.set('breakwater_playbook_runs', { state }, runs.filter((run) => run.state === state).length);
}
