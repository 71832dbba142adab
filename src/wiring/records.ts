/** Records from the data plane to the store: counted, written in batches, and waited for where the policy is strict. */
import type { ChangeFacts } from '../control/verb.ts';
import type { Change, RequestRecord } from '../core/record.ts';
import type { Clock } from '../gateway/clock.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import type { GatewayState } from '../gateway/state.ts';
import type { Watchdog } from '../gateway/watchdog.ts';
import type { RequestId } from '../core/ids.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { RecordFilter, Store, TallyAsked } from '../store/store.ts';
import { contentFirst } from '../sync/content-first.ts';
import type { ContentPump } from '../sync/push-content.ts';
import { createRecordPump } from '../sync/push-records.ts';
import type { RecordPump } from '../sync/push-records.ts';
import { openSpool } from '../sync/spool.ts';
import type { Spool } from '../sync/spool.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export type Recording = Pick<GatewayDependencies, 'record' | 'canRecord'> & {
  readonly pump: RecordPump;
  /** Shows every record from now on, on its way to the store. */
  readonly watch: (watcher: (record: RequestRecord) => void) => void;
};

type Sources = {
  readonly state: GatewayState;
  readonly store: Store;
  readonly spool: Spool | null;
  readonly content: Pick<ContentPump, 'keeping'>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly watchdog: Watchdog;
  readonly change: (facts: ChangeFacts) => Change;
  readonly onBug: (error: unknown) => void;
};

/** How long a strict answer waits for its record: sooner than its caller gives up, later than any disk that works. */
const strictWaitMs = 10_000;

/** Whether a record is on disk in time. One that is there later tells of an answer that was not given: that is a change. */
function inTime(id: RequestId, kept: Promise<boolean>, sources: Sources): Promise<boolean> {
  const { clock, watchdog, log } = sources;
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let isLate = false;
  const watch = {
    dueAt: clock.now() + strictWaitMs,
    expire: () => {
      isLate = true;
      log('error', { event: 'records', trouble: 'withheld', count: 1 });
      resolve(false);
    },
  };
  watchdog.add(watch);
  kept.then((isKept) => {
    if (!isLate) watchdog.remove(watch);
    else if (isKept) writeDown(sources.change(withheld(id)), sources);
    resolve(isKept);
  }, reject);
  return promise;
}

/** The spool may have taken a record while the store takes nothing yet: then it is tried again, for ten minutes. */
function writeDown(change: Change, sources: Pick<Sources, 'store' | 'onBug'>, triesLeft = 600): void {
  sources.store.appendChange(change).catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable) || triesLeft === 0) sources.onBug(error);
    else setTimeout(() => writeDown(change, sources, triesLeft - 1), 1_000).unref();
  });
}

const withheld = (id: RequestId): ChangeFacts => ({
  kind: 'answer.withheld',
  actor: 'system',
  subject: id,
  reason:
    'Its record was not on disk in time: whoever asked was told that instead of the answer, or of its end.',
  before: null,
  after: null,
});

/** The spool beside the store; without one, records that the store does not take wait in memory. */
export async function spoolAt(path: string | null, bytesMax: number, log: Log): Promise<Spool | null> {
  if (path === null) return null;
  try {
    const { spool, found } = await openSpool(path, bytesMax);
    if (found.cutBytes > 0) log('warn', { event: 'records', trouble: 'spool_cut', count: found.cutBytes });
    if (found.records > 0) log('warn', { event: 'records', trouble: 'spool_found', count: found.records });
    return spool;
  } catch {
    log('error', { event: 'records', trouble: 'spool_unusable', count: 0 });
    return null;
  }
}

function logUnclassified(entry: RequestRecord, log: Log): void {
  for (const attempt of entry.attempts)
    if (attempt.failure === 'unclassified')
      log('warn', {
        event: 'unclassified_failure',
        target: attempt.target,
        status: attempt.status,
        code: attempt.providerCode,
      });
}

export function createRecording(sources: Sources): Recording {
  const { state, store, spool, content, metrics, log } = sources;
  const written = createRecordPump({
    store,
    spool,
    onTrouble: ({ kind, count }) =>
      log(kind === 'caught_up' ? 'info' : 'error', { event: 'records', trouble: kind, count }),
  });
  const pump = contentFirst(written, content.keeping);
  const watchers: ((record: RequestRecord) => void)[] = [];
  const isStrict = (): boolean => state.snapshot.audit.mode === 'strict';
  return {
    pump,
    watch: (watcher) => void watchers.push(watcher),
    canRecord: () => !isStrict() || pump.accepts(),
    record: (entry) => {
      metrics.observeRequest(entry);
      logUnclassified(entry, log);
      for (const watcher of watchers) watcher(entry);
      if (isStrict()) return inTime(entry.id, pump.durable(entry), sources);
      pump.push(entry);
      return null;
    },
  };
}

/** Longest wait of a reader for what was just answered; with a store in trouble it sees what is there. */
const readersWaitMs = 1_000;

/** The store as a reader sees it: what was answered before the question is in it. */
export function upToDate<S extends Pick<Store, 'findRecord' | 'listRecords' | 'tallyRecords'>>(
  store: S,
  pump: RecordPump,
): S {
  const written = (): Promise<void> => Promise.race([pump.flush(), Bun.sleep(readersWaitMs)]);
  return {
    ...store,
    findRecord: async (id) => {
      const found = await store.findRecord(id);
      if (found !== null) return found;
      await written();
      return store.findRecord(id);
    },
    listRecords: async (filter) => {
      await written();
      return store.listRecords(filter);
    },
    tallyRecords: async (asked) => {
      if (asked.below === null) await written();
      return store.tallyRecords(asked);
    },
  };
}

/** What stands in for a damaged store knows no records, and must not say that there are none. */
export function readable<
  S extends Pick<Store, 'findRecord' | 'listRecords' | 'tallyRecords' | 'listChanges'>,
>(store: S, isDamaged: () => boolean): S {
  const guarded =
    <A extends unknown[], R>(read: (...given: A) => Promise<R>) =>
    (...given: A): Promise<R> =>
      isDamaged() ? Promise.reject(new StoreUnavailable('failed', 'the store is damaged')) : read(...given);
  return {
    ...store,
    findRecord: guarded((id: string) => store.findRecord(id)),
    listRecords: guarded((filter: RecordFilter) => store.listRecords(filter)),
    tallyRecords: guarded((asked: TallyAsked) => store.tallyRecords(asked)),
    listChanges: guarded((...given: Parameters<Store['listChanges']>) => store.listChanges(...given)),
  };
}

export function publishRecording(pump: RecordPump, metrics: Metrics): void {
  const { pending, written, dropped, spooled } = pump.counts();
  metrics.set('breakwater_records_pending', {}, pending);
  metrics.total('breakwater_records_written_total', written);
  metrics.total('breakwater_records_dropped_total', dropped);
  metrics.set('breakwater_records_spooled', {}, spooled);
}
