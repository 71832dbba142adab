/** The parts that live as long as the process: gateway state, health, records, metrics, and how control reaches them. */
import type { KeyDependencies } from './control/keys.ts';
import type { SwitchDependencies } from './control/switches.ts';
import { newChange } from './control/verb.ts';
import type { ChangeFacts, ControlDependencies } from './control/verb.ts';
import { gateFor } from './core/gate-match.ts';
import { requestId } from './core/ids.ts';
import type { Instant, TargetName } from './core/ids.ts';
import { inOpenIncident } from './core/incident-hits.ts';
import type { IncidentScope } from './core/incident-hits.ts';
import { replacedKeys } from './core/key-health.ts';
import { keyTable } from './core/keys.ts';
import type { ApiKey } from './core/keys.ts';
import type { Change } from './core/record.ts';
import type { Snapshot } from './core/snapshot.ts';
import { isInForce, reach, tookOut } from './core/switches.ts';
import type { Switch } from './core/switches.ts';
import type { Transition } from './core/gate-moves.ts';
import type { Target } from './core/target.ts';
import type { Capacity } from './gateway/capacity.ts';
import type { Clock, Time } from './gateway/clock.ts';
import { createFlights } from './gateway/flights.ts';
import type { Flights } from './gateway/flights.ts';
import type { GatewayDependencies } from './gateway/handle.ts';
import { createHedgeBudgets } from './gateway/hedge.ts';
import { createHealthBoard } from './gateway/health-board.ts';
import type { HealthBoard } from './gateway/board.ts';
import { createAllowances } from './gateway/allowance.ts';
import { createMediaFetcher } from './gateway/media-fetch.ts';
import type { GatewayState } from './gateway/state.ts';
import { createReachability } from './gateway/upstream.ts';
import { createWatchdog } from './gateway/watchdog.ts';
import type { Watchdog } from './gateway/watchdog.ts';
import { StoreUnavailable } from './store/store.ts';
import type { Store } from './store/store.ts';
import type { Spool } from './sync/spool.ts';
import type { RecordPump } from './sync/push-records.ts';
import { bugPlace } from './telemetry/log.ts';
import { createFeaturePulse } from './sync/feature-pulse.ts';
import type { FeaturePulse } from './sync/feature-pulse.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { keyFinder } from './wiring/caller-keys.ts';
import { capacityOf, publishCapacity } from './wiring/capacity.ts';
import { createCapturing } from './wiring/content.ts';
import type { Capturing } from './wiring/content.ts';
import { createKeptPolicy } from './wiring/kept-policy.ts';
import type { KeptPolicy } from './wiring/kept-policy.ts';
import { createRecording, publishRecording } from './wiring/records.ts';
import type { Recording } from './wiring/records.ts';
import { countTransition, publishGate } from './wiring/gate-gauges.ts';
import { answerTellers } from './wiring/answer-tellers.ts';

export type Engine = {
  readonly clock: Time;
  readonly state: GatewayState;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly flights: Flights;
  readonly watchdog: Watchdog;
  readonly records: RecordPump;
  readonly capturing: Capturing;
  readonly metrics: Metrics;
  readonly gateway: GatewayDependencies;
  /** Grows with every change of what is in force. */
  readonly rev: () => number;
  readonly control: (store: Store) => ControlDependencies;
  readonly switchDependencies: (store: Store) => SwitchDependencies;
  readonly keyDependencies: (store: Store) => KeyDependencies;
  readonly change: (facts: ChangeFacts) => Change;
  readonly replaceSnapshot: (snapshot: Snapshot) => void;
  readonly replaceIncidents: (incidents: readonly IncidentScope[]) => void;
  /** A switch is over: what it covered comes back by a ramp. */
  readonly returned: (entry: Switch) => void;
  /** Writes down what policy must remember. */
  readonly keepPolicy: () => Promise<void>;
  readonly publishGauges: () => void;
  /** Tells every move of a gate from now on. */
  readonly watchGates: (watch: GateWatch) => void;
  readonly watchRecords: Recording['watch'];
  /** What callers of each feature have lately met. */
  readonly pulse: FeaturePulse;
  readonly onBug: (error: unknown) => void;
};

type GateWatch = (target: Target, transition: Transition) => void;

export type EngineOptions = {
  readonly clock: Time;
  readonly log: Log;
  readonly host: string;
  readonly isLoopback: (host: string) => boolean;
  /** Where records go when the store cannot take them. */
  readonly spool: Spool | null;
  /** Where captured content lies; null beside a store in memory. */
  readonly contentPath: string | null;
};

function isKnownName(snapshot: Snapshot, name: string): boolean {
  return snapshot.features.has(name) || snapshot.models.has(name) || snapshot.targets.has(name as TargetName);
}

function fingerprinter(key: string): GatewayDependencies['fingerprint'] {
  const keyed = new Bun.CryptoHasher('sha256', key);
  return () => keyed.copy();
}

type Live = {
  readonly clock: Time;
  readonly state: GatewayState;
  readonly metrics: Metrics;
  readonly flights: Flights;
  readonly log: Log;
  readonly store: Store;
  readonly gateWatches: GateWatch[];
  rev: number;
};

const controlFor = ({ now }: Clock, store: Store): ControlDependencies => ({
  store,
  now,
  newId: (prefix) => `${prefix}_${Bun.randomUUIDv7('hex', now())}`,
});

function boardOf(live: Live, onBug: (error: unknown) => void): HealthBoard {
  const change = (facts: ChangeFacts): Change => newChange(facts, controlFor(live.clock, live.store));
  const tellers = answerTellers({ ...live, now: live.clock.now, change, onBug });
  return createHealthBoard({
    ...live.clock,
    gates: () => live.state.snapshot.gates,
    keysKnown: () => live.state.keys.byHash.size,
    stallMs: () => live.state.snapshot.defaults.timeouts.stallMs,
    onNews: (target, news) => tellers.news(target, news),
    onWarning: (target, move) => tellers.warning(target, move),
    onSoft: (target, signal) =>
      live.metrics.count('breakwater_soft_failures_total', {
        provider: target.provider.id,
        model: target.model.name,
        signal,
      }),
    onDisbelieved: (target, failure) =>
      live.metrics.count('breakwater_disbelieved_total', {
        provider: target.provider.id,
        failure: failure.class,
      }),
    onTransition: (target, transition) => {
      const { mode } = gateFor(live.state.snapshot.gates, target);
      // Whoever reads it must not believe that requests were moved when the gate only looks on.
      const words =
        mode === 'enforce' ? transition.words : `${transition.words} (mode ${mode}: routing is unchanged)`;
      live.log(mode === 'observe' ? 'info' : 'warn', {
        event: 'gate',
        target: target.name,
        from: transition.from,
        to: transition.to,
        words,
      });
      countTransition(target, transition, live.metrics, live.log);
      const facts: ChangeFacts = {
        kind: 'gate.transition',
        actor: 'system',
        subject: target.name,
        reason: words,
        before: transition.from,
        after: transition.to,
      };
      live.store.appendChange(change(facts)).catch(onBug);
      for (const watch of live.gateWatches) watch(target, transition);
    },
  });
}

function applySnapshot(live: Live, board: HealthBoard, next: Snapshot): void {
  for (const key of replacedKeys(live.state.snapshot.providers, next.providers)) board.keyReplaced(key);
  live.state.snapshot = next;
  live.rev++;
}

function applySwitches(live: Live, list: readonly Switch[]): void {
  live.state.switches = list;
  live.rev++;
  live.flights.sweep(list, live.clock.now());
}

function applyKeys(live: Live, list: readonly ApiKey[]): void {
  live.state.keys = keyTable(list);
  live.rev++;
}

function applyIncidents(live: Live, next: readonly IncidentScope[], { consents }: KeptPolicy): void {
  live.state.incidents = next;
  consents.incidents(inOpenIncident(next));
}

type GatewayParts = {
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly watchdog: Watchdog;
  readonly recording: Recording;
  readonly capturing: Capturing;
  readonly fingerprintKey: string;
  readonly kept: KeptPolicy;
  readonly openLoopback: boolean;
  readonly onBug: (error: unknown) => void;
};

function gatewayOf(live: Live, parts: GatewayParts): GatewayDependencies {
  const { board, watchdog, recording, onBug } = parts;
  const { clock } = live;
  return {
    clock,
    watchdog,
    board,
    capacity: parts.capacity,
    hedges: createHedgeBudgets(clock.now),
    flights: live.flights,
    reachability: createReachability(clock.now),
    fetchMedia: createMediaFetcher(),
    incidents: () => live.state.incidents,
    state: live.state,
    consents: parts.kept.consents,
    spending: parts.kept.spending,
    newRequestId: (at) => requestId(`req_${Bun.randomUUIDv7('hex', at)}`),
    record: recording.record,
    canRecord: recording.canRecord,
    capture: (exchange, request) => parts.capturing.pump.begin(exchange, request),
    fingerprint: fingerprinter(parts.fingerprintKey),
    keyFor: keyFinder(live.state, parts.openLoopback, () =>
      live.metrics.count('breakwater_unauthenticated_total'),
    ),
    mayStart: createAllowances(parts.kept.spending),
    onBug,
  };
}

const bugTeller =
  (metrics: Metrics, log: Log) =>
  (error: unknown): void => {
    // A store in trouble is no bug of ours, whoever asked it.
    if (error instanceof StoreUnavailable)
      return log('error', { event: 'store', trouble: 'unavailable', reason: error.reason });
    metrics.count('breakwater_unhandled_errors_total');
    log('error', { event: 'bug', ...bugPlace(error) });
  };

function switchHands(live: Live): Pick<SwitchDependencies, 'current' | 'publish'> {
  const { state } = live;
  return {
    current: () => state.switches,
    publish: (list) => applySwitches(live, list),
  };
}

function keyHands(live: Live): Pick<KeyDependencies, 'features' | 'dataClasses' | 'publish'> {
  const { state } = live;
  return {
    features: () => [...state.snapshot.features.keys(), 'default'],
    dataClasses: () => [...state.snapshot.dataClasses.keys()],
    publish: (list) => applyKeys(live, list),
  };
}

export async function createEngine(
  snapshot: Snapshot,
  store: Store,
  options: EngineOptions,
): Promise<Engine> {
  const { log, clock } = options;
  const control = (using: Store): ControlDependencies => controlFor(clock, using);
  const [switches, keys, fingerprintKey] = await Promise.all([
    store.loadSwitches(),
    store.loadKeys(),
    store.fingerprintKey(),
  ]);
  const state: GatewayState = { snapshot, switches, keys: keyTable(keys), incidents: [] };
  const metrics = createMetrics((name) => isKnownName(state.snapshot, name));
  const live: Live = { clock, state, metrics, flights: createFlights(), log, store, gateWatches: [], rev: 1 };
  const onBug = bugTeller(metrics, log);
  const watchdog = createWatchdog(clock.now);
  const change = (facts: ChangeFacts): Change => newChange(facts, control(store));
  const board = boardOf(live, onBug);
  const capacity = capacityOf(state, clock, watchdog);
  const kept = await createKeptPolicy({ store, state, clock, key: fingerprintKey, onBug });
  const capturing = createCapturing(options.contentPath, { state, metrics, log });
  const beside = { spool: options.spool, content: capturing.pump };
  const recording = createRecording({ ...live, ...beside, watchdog, change, onBug });
  const pulse = createFeaturePulse();
  recording.watch(pulse.saw);
  const openLoopback = options.isLoopback(options.host);
  const parts = { board, capacity, watchdog, recording, capturing };
  const gateway = gatewayOf(live, { ...parts, fingerprintKey, kept, openLoopback, onBug });
  return {
    clock,
    state,
    board,
    capacity,
    flights: live.flights,
    watchdog,
    records: recording.pump,
    capturing,
    metrics,
    gateway,
    rev: () => live.rev,
    control,
    switchDependencies: (using) => ({ ...control(using), ...switchHands(live) }),
    keyDependencies: (using) => ({ ...control(using), ...keyHands(live) }),
    change,
    replaceSnapshot: (next) => applySnapshot(live, board, next),
    replaceIncidents: (next) => applyIncidents(live, next, kept),
    returned: (entry) => {
      if (!tookOut(entry)) return;
      for (const target of reach(entry.scope, state.snapshot))
        board.ramp(target, `switch ${entry.id} is over`);
    },
    keepPolicy: kept.keep,
    watchGates: (watch) => void live.gateWatches.push(watch),
    publishGauges: () =>
      publishGauges({ now: clock.now(), state, metrics, board, capacity, pump: recording.pump, capturing }),
    watchRecords: recording.watch,
    pulse,
    onBug,
  };
}

type GaugeSources = {
  readonly now: Instant;
  readonly state: GatewayState;
  readonly metrics: Metrics;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly pump: RecordPump;
  readonly capturing: Capturing;
};

function publishGauges({ now, state, metrics, board, capacity, pump, capturing }: GaugeSources): void {
  publishCapacity(state, capacity, metrics);
  const routed = new Set([...state.snapshot.features.values()].flatMap((feature) => feature.route));
  for (const target of routed) publishGate(target, board, metrics);
  metrics.set(
    'breakwater_switches_in_force',
    {},
    state.switches.filter((entry) => isInForce(entry, now)).length,
  );
  publishRecording(pump, metrics);
  metrics.total('breakwater_content_kept_total', capturing.pump.counts().kept);
}
