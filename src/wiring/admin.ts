/** Gives the admin API what it stands on. */
import { placeHold, releaseHold } from '../control/holds.ts';
import { createKey, revokeKey } from '../control/keys.ts';
import { createSwitch, hypotheticalSwitch, releaseSwitch } from '../control/switches.ts';
import { openIncident, updateIncident } from '../control/incidents.ts';
import { dismissIncident, mergeIncident, splitIncident } from '../control/incident-merging.ts';
import { readIncident } from '../control/incident-queries.ts';
import { controlError, done, recordRejection, withStore } from '../control/verb.ts';
import type { Result } from '../control/verb.ts';
import type { SecretSource } from '../core/compile-provider.ts';
import { coverage } from '../core/coverage.ts';
import { instant, switchId } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { previewSwitch } from '../core/preview.ts';
import type { Preview } from '../core/preview.ts';
import type { RequestRecord } from '../core/record.ts';
import { keyLimits } from '../core/keys.ts';
import { reach } from '../core/switches.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { stateToWire } from '../http/state-view.ts';
import type { Json } from '../http/wire.ts';
import { explain } from './explain.ts';
import { gateAdmin } from './gates.ts';
import type { GateDesk } from './gates.ts';
import { isIntact } from '../store/snapshot-text.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Page, Store } from '../store/store.ts';
import { compileText, pathText } from '../sync/config-file.ts';
import type { Log } from '../telemetry/log.ts';
import { readable, upToDate } from './records.ts';
import { reportDesk } from './reports.ts';
import { insightVerbs } from './diagnosis.ts';
import type { FeedDesk } from './feeds.ts';
import type { IncidentDesk } from './incidents.ts';

export type AdminWiring = {
  readonly verify: (token: string) => boolean;
  readonly secrets: SecretSource;
  readonly log: Log;
  /** What other pieces of the composition bring along. */
  readonly desks: Pick<
    AdminDependencies,
    'canaries' | 'channels' | 'playbooks' | 'messages' | 'ledger' | 'content' | 'statusCopy'
  >;
  readonly gatesSettled: GateDesk['settled'];
  readonly incidents: IncidentDesk;
  readonly feeds: FeedDesk;
};

const replica = `r_${process.pid}`;

/** How far a preview looks back, and at how many requests. */
const previewWindowMs = 15 * 60_000;
const previewRecordsMax = 5_000;

async function recentRecords(store: Store, since: Instant): Promise<readonly RequestRecord[]> {
  const records: RequestRecord[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RequestRecord> = await store.listRecords({
      since,
      limit: pageSizeMax,
      ...(cursor === null ? {} : { cursor }),
    });
    records.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && records.length < previewRecordsMax);
  return records;
}

function preview(input: unknown, engine: Engine, store: Store): Promise<Result<Preview>> {
  return withStore<Preview>(async () => {
    const entry = hypotheticalSwitch(input, engine.switchDependencies(store));
    if (entry.kind === 'error') return entry;
    await engine.records.flush();
    const now = engine.clock.now();
    const records = await recentRecords(store, instant(now - previewWindowMs));
    // Where more was asked than is looked at, the window is as long as what was.
    const oldest = records.at(-1)?.at ?? now;
    const windowMs = records.length < previewRecordsMax ? previewWindowMs : Math.max(1, now - oldest);
    const keys = new Map([...engine.state.keys.byHash.values()].map((key) => [key.id, key]));
    const result = previewSwitch(entry.value, records, windowMs, engine.state.snapshot, {
      switches: engine.state.switches,
      standing: (target) => engine.board.standing(target),
      keyLimits: (key) => keyLimits(key === null ? null : (keys.get(key) ?? null), engine.state.snapshot),
      now,
    });
    return done(result);
  });
}

function configView(engine: Engine): Json {
  const { snapshot } = engine.state;
  return {
    snapshot: snapshot.hash,
    providers: [...snapshot.providers.values()].map((provider) => ({
      id: provider.id,
      api: provider.api,
      base_url: provider.baseUrl,
      keys: provider.keys.length,
      local: provider.local,
    })),
    features: [...snapshot.features.values()].map((feature) => ({
      name: feature.name,
      title: feature.title,
      route: feature.route.map((target) => target.name),
      fallback: feature.fallback,
      data_class: feature.dataClass,
    })),
    data_classes: [...snapshot.dataClasses.keys()],
    limits: Object.fromEntries(
      Object.entries(snapshot.limits).map(([name, value]) => [
        name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      ]),
    ),
  };
}

function checkConfig(text: string, secrets: SecretSource, now: Instant): Json {
  const loaded = compileText(text, secrets, now);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  return {
    ok: loaded.ok,
    snapshot: loaded.ok ? loaded.snapshot.hash : null,
    problems: problems.map((problem) => ({
      severity: problem.severity,
      path: pathText(problem.path),
      line: problem.line,
      column: problem.column,
      message: problem.message,
      remedy: problem.remedy,
    })),
  };
}

function incidentVerbs({ dependencies }: IncidentDesk, store: Store): AdminDependencies['incidents'] {
  return {
    read: (id) =>
      readIncident(id, {
        store,
        now: dependencies.now(),
        titleOf: (feature) => dependencies.featureTitle(feature) ?? feature,
      }),
    open: (input, actor) => openIncident(input, actor, dependencies),
    update: (telling, actor) => updateIncident(telling, actor, dependencies),
    merge: (telling, actor) => mergeIncident(telling, actor, dependencies),
    split: (telling, actor) => splitIncident(telling, actor, dependencies),
    dismiss: (telling, actor) => dismissIncident(telling, actor, dependencies),
  };
}

/** Switches, told to incidents at once. */
function switchVerbs(
  engine: Engine,
  store: Store,
  { log, incidents }: AdminWiring,
): AdminDependencies['switches'] {
  return {
    list: () => engine.state.switches,
    find: (id) => store.findSwitch(switchId(id)),
    create: async (input, actor) => {
      const result = await createSwitch(input, actor, engine.switchDependencies(store));
      if (result.kind === 'done') await engine.flights.settle(result.value.scope);
      incidents.look().catch(engine.onBug);
      if (result.kind === 'done')
        log('warn', {
          event: 'switch',
          action: 'created',
          id: result.value.id,
          scope: JSON.stringify(result.value.scope),
          actor,
        });
      return result;
    },
    preview: (input) => preview(input, engine, store),
    release: async (releasing, actor) => {
      const result = await releaseSwitch(releasing, actor, engine.switchDependencies(store));
      if (result.kind === 'done') {
        if (result.value.release?.ramp === true) engine.returned(result.value);
        incidents.look().catch(engine.onBug);
        log('warn', {
          event: 'switch',
          action: 'released',
          id: result.value.id,
          scope: JSON.stringify(result.value.scope),
          actor,
        });
      }
      return result;
    },
    expand: (scope) => reach(scope, engine.state.snapshot).map(({ name }) => name),
    acks: () => [{ replica, rev: engine.rev(), at: new Date(engine.clock.now()).toISOString() }],
  };
}

export function adminDependencies(engine: Engine, store: Store, wiring: AdminWiring): AdminDependencies {
  const { incidents, feeds } = wiring;
  const { now } = engine.clock;
  return {
    now,
    roleOf: (token) => (wiring.verify(token) ? 'admin' : null),
    recordRejection: async (message, facts) => {
      await recordRejection(controlError('invalid', message, ''), facts, engine.control(store));
    },
    onBug: engine.onBug,
    store: readable(upToDate(store, engine.records), () => wiring.desks.ledger.standing().kind === 'damaged'),
    state: () =>
      stateToWire({
        felt: (view) => engine.pulse.felt(view, now()),
        snapshot: engine.state.snapshot,
        switches: engine.state.switches,
        board: engine.board,
        capacity: engine.capacity,
        now: now(),
        replica,
        rev: engine.rev(),
        incidents: incidents.dependencies.current(),
        says: (target) => feeds.says(target),
      }),
    incidents: incidentVerbs(incidents, store),
    insight: insightVerbs({ engine, store, incidents, feeds }),
    switches: switchVerbs(engine, store, wiring),
    gates: gateAdmin(engine, store, wiring.gatesSettled),
    holds: {
      list: (cursor, limit) => store.listHolds(cursor, limit),
      place: (input, actor) => placeHold(input, actor, engine.control(store)),
      release: (releasing, actor) => releaseHold(releasing, actor, engine.control(store)),
    },
    keys: {
      create: (input, actor) => createKey(input, actor, engine.keyDependencies(store)),
      revoke: (revoking, actor) => revokeKey(revoking, actor, engine.keyDependencies(store)),
    },
    ...wiring.desks,
    reports: reportDesk(engine, store, wiring.desks.ledger),
    config: {
      view: () => configView(engine),
      snapshot: async (hash) => {
        const text = await store.findSnapshot(hash);
        return text === null ? null : { text, intact: isIntact(hash, text) };
      },
      check: (text) => checkConfig(text, wiring.secrets, now()),
    },
    explain: (input) => explain(input, engine),
    coverage: () => coverage(engine.state.snapshot, now()),
  };
}
