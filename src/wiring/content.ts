/** Captured content, from the data plane to where it is kept, to who may look, to its end. */
import { listLooks, readContent } from '../control/content.ts';
import type { ContentDependencies } from '../control/content.ts';
import { captureKeyBytes } from '../core/configure-capture.ts';
import type { Instant } from '../core/ids.ts';
import type { Engine } from '../engine.ts';
import type { GatewayState } from '../gateway/state.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { contentStore } from '../store/content-store.ts';
import type { ContentStore } from '../store/content-store.ts';
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

/** Destroys the keys of what was captured of a user. */
export async function destroyUser(
  { pump, content }: Capturing,
  user: string,
): Promise<{ readonly keys: number; readonly contents: number }> {
  await pump.flush();
  let [keys, contents] = [0, 0];
  for (;;) {
    const some = await content.keysOf({ user }, 0);
    if (some.length === 0) return { keys, contents };
    keys += some.length;
    contents += await content.destroy(some.map(({ id }) => id));
  }
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
    for (let batch = 0; batch < batchesMax; batch++) {
      const keys = await content.overdue(now, settings()?.retentionMs ?? null, 0);
      if (keys.length === 0) return;
      const contents = await content.destroy(keys.map(({ id }) => id));
      const after = { keys: keys.length, contents };
      const facts = { kind: 'content.expired', actor: 'system', subject: 'content', before: null } as const;
      await store.appendChange(engine.change({ ...facts, reason: 'audit.capture.retention', after }));
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
