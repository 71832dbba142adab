/** Captured content, from the data plane to where it is kept, to who may look, to its end. */
import { listLooks, readContent } from '../control/content.ts';
import type { ContentDependencies } from '../control/content.ts';
import type { Erasing } from '../control/ledger.ts';
import { captureKeyBytes } from '../core/configure-capture.ts';
import { fitsKey } from '../core/hold.ts';
import type { Hold } from '../core/hold.ts';
import type { Instant } from '../core/ids.ts';
import type { Engine } from '../engine.ts';
import type { GatewayState } from '../gateway/state.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { contentStore } from '../store/content-store.ts';
import type { ContentKey, ContentStore } from '../store/content-store.ts';
import type { Store } from '../store/store.ts';
import { createContentPump } from '../sync/push-content.ts';
import type { ContentPump } from '../sync/push-content.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { upToDate } from './records.ts';

export type Capturing = { readonly pump: ContentPump; readonly content: ContentStore };

/** `path`: where content lies; null beside a store in memory. */
export function createCapturing(
  path: string | null,
  { state, metrics, log }: { readonly state: GatewayState; readonly metrics: Metrics; readonly log: Log },
): Capturing {
  const content = contentStore(path ?? ':memory:');
  const pump = createContentPump({
    settings: () => state.snapshot.audit.capture,
    store: content,
    onLost: (count) => {
      metrics.count('breakwater_content_lost_total', {}, count);
      log('error', { event: 'content', trouble: 'lost', count });
    },
  });
  return { pump, content };
}

/** Whether what a key opens is under a hold, incidents included. */
async function coveredBy(
  holds: readonly Hold[],
  key: ContentKey,
  { content, store }: { readonly content: ContentStore; readonly store: Pick<Store, 'incidentsOf'> },
): Promise<readonly string[]> {
  const fitting = holds.filter(({ scope }) => fitsKey(scope, key));
  const whole = fitting.filter(({ scope }) => scope.incident === null).map(({ id }) => id);
  if (whole.length > 0 || fitting.length === 0) return whole;
  const byIncident = new Map(fitting.map(({ id, scope }) => [String(scope.incident), id]));
  for (let after = 0; ;) {
    const rows = await content.requestsUnder(key.id, after);
    const hits = await store.incidentsOf(rows.map(({ request }) => request));
    const found = [...hits.values()].flat().flatMap((incident) => byIncident.get(incident) ?? []);
    if (found.length > 0) return [...new Set(found)];
    const last = rows.at(-1);
    if (last === undefined) return [];
    after = last.row;
  }
}

/** What was captured of a user: under hold, or to be destroyed. */
export function contentOfUsers({ pump, content }: Capturing, store: Store): Erasing['content'] {
  return {
    heldBy: async (user) => {
      const holds = await store.loadHolds();
      await pump.flush();
      for (let after = 0; holds.length > 0;) {
        const keys = await content.keysOf({ user }, after);
        for (const key of keys) {
          const found = await coveredBy(holds, key, { content, store });
          if (found.length > 0) return found;
        }
        const last = keys.at(-1);
        if (last === undefined) break;
        after = last.id;
      }
      return [];
    },
    destroy: async (user) => {
      await pump.flush();
      let [keys, contents] = [0, 0];
      for (;;) {
        const some = await content.keysOf({ user }, 0);
        if (some.length === 0) return { keys, contents };
        keys += some.length;
        contents += await content.destroy(some.map(({ id }) => id));
      }
    },
  };
}

export type ContentDesk = {
  readonly admin: AdminDependencies['content'];
  /** Destroys keys whose time is over, when the time to look has come. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Keys destroyed in one go, and goes at one look. */
const batchesMax = 20;
const lookEveryMs = 60_000;

export function createContentDesk(engine: Engine, store: Store): ContentDesk {
  const { pump, content } = engine.capturing;
  const settings = () => engine.state.snapshot.audit.capture;
  const dependencies: ContentDependencies = {
    ...engine.control(upToDate(store, engine.records)),
    content,
    masterKey: () => captureKeyBytes(settings()?.key.reveal() ?? ''),
  };
  let lookedAt = 0;
  const expire = async (now: Instant): Promise<void> => {
    const holds = await store.loadHolds();
    let after = 0;
    for (let batch = 0; batch < batchesMax; batch++) {
      const keys = await content.overdue(now, settings()?.retentionMs ?? null, after);
      after = keys.at(-1)?.id ?? after;
      if (keys.length === 0) return;
      const free: number[] = [];
      for (const key of keys)
        if ((await coveredBy(holds, key, { content, store })).length === 0) free.push(key.id);
      if (free.length === 0) continue;
      const contents = await content.destroy(free);
      const facts = { kind: 'content.expired', actor: 'system', subject: 'content', before: null } as const;
      const words = { reason: 'audit.capture.retention', after: { keys: free.length, contents } };
      await store.appendChange(engine.change({ ...facts, ...words }));
    }
  };
  return {
    admin: {
      read: async (id, input, actor) => {
        await pump.flush();
        return readContent(id, input, actor, dependencies);
      },
      looks: (request, cursor, limit) => listLooks(store, request, cursor, limit),
    },
    look: () => {
      const now = engine.clock.now();
      if (now - lookedAt < lookEveryMs) return Promise.resolve();
      lookedAt = now;
      return expire(now).catch(engine.onBug);
    },
    stop: async () => {
      await pump.flush();
      await content.close();
    },
  };
}
