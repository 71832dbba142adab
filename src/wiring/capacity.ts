/** Capacity with the process's clock: ticks while somebody waits, and says how full targets are. */
import { createCapacity, waitingTickMs } from '../gateway/capacity.ts';
import type { Capacity } from '../gateway/capacity.ts';
import type { Clock } from '../gateway/clock.ts';
import type { GatewayState } from '../gateway/state.ts';
import type { Watch, Watchdog } from '../gateway/watchdog.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export function capacityOf(state: GatewayState, clock: Clock, watchdog: Watchdog): Capacity {
  const watch: Watch = {
    dueAt: 0,
    expire: () => {
      capacity.tick();
      if (capacity.waiting > 0) arm();
    },
  };
  const arm = (): void => {
    watch.dueAt = clock.now() + waitingTickMs;
    watchdog.add(watch);
  };
  const capacity = createCapacity({
    ...clock,
    features: () => state.snapshot.features,
    onWaiting: arm,
  });
  return capacity;
}

/** Sets the gauges of the targets that features use. */
export function publishCapacity(state: GatewayState, capacity: Capacity, metrics: Metrics): void {
  const routed = new Set([...state.snapshot.features.values()].flatMap((feature) => feature.route));
  for (const target of routed) {
    const { limit, waiting } = capacity.view(target);
    metrics.set('breakwater_concurrency_limit', { target: target.name }, limit);
    metrics.set('breakwater_waiting', { target: target.name }, waiting);
  }
}
