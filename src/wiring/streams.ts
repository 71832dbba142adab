/**
 * Records and changes on their way elsewhere, beside the request path: each stream reads the ledger from where it stands,
 * sends, and moves on only when what it sent was taken. What fails is tried again, less and less often. A stream that is
 * new begins with what is written from then on.
 */
import { streamedEntry } from '../core/audit-stream.ts';
import type { StreamedEntry, StreamWindow } from '../core/audit-stream.ts';
import type { AuditStream } from '../core/configure-stream.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { Engine } from '../engine.ts';
import { sendWindow } from '../notify/stream-send.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store, StreamPosition } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

export type StreamDesk = {
  /** Sends what is due. Comes back at once; a round that is still under way goes on. */
  readonly look: () => void;
  readonly stop: () => Promise<void>;
};

/** Entries in one piece, pieces in one round. */
const entriesMax = { webhook: 500, otlp: 500, s3: 20_000 } as const;
const readMax = 1_000;
const piecesMax = 20;
const longestWaitMs = 300_000;
/** How long a stop waits for what is being sent; it is sent again after the next start. */
const stopMs = 3_000;

type Progress = {
  dueAt: number;
  failures: number;
  round: Promise<void> | null;
  /** Known here before it is kept, so that a store that takes nothing makes nobody receive the same for ever. */
  position: StreamPosition | null;
};

type Sources = { readonly engine: Engine; readonly store: Store; readonly log: Log };

async function entriesFrom(store: Store, from: number, most: number): Promise<readonly StreamedEntry[]> {
  const entries: StreamedEntry[] = [];
  while (entries.length < most) {
    const leaves = await store.leavesFrom(from + entries.length, Math.min(readMax, most - entries.length));
    if (leaves.length === 0) break;
    entries.push(...leaves.map(streamedEntry));
  }
  return entries;
}

class Desk implements StreamDesk {
  readonly #sources: Sources;
  readonly #progress = new Map<string, Progress>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  get #streams(): readonly AuditStream[] {
    return this.#sources.engine.state.snapshot.audit.streams;
  }

  look(): void {
    const now = this.#sources.engine.clock.now();
    for (const stream of this.#streams) {
      const progress = this.#progress.get(stream.name) ?? {
        dueAt: 0,
        failures: 0,
        round: null,
        position: null,
      };
      this.#progress.set(stream.name, progress);
      if (progress.round !== null || now < progress.dueAt) continue;
      progress.round = this.#round(stream, progress)
        .catch((error: unknown) => {
          // A store in trouble says so elsewhere; what is to be sent waits in it.
          if (!(error instanceof StoreUnavailable)) this.#sources.engine.onBug(error);
        })
        .finally(() => {
          progress.round = null;
        });
    }
  }

  async #start(stream: AuditStream, now: Instant): Promise<StreamPosition> {
    const { store } = this.#sources;
    const kept = await store.loadStream(stream.name);
    if (kept !== null) return kept;
    const { size } = await store.treeHead();
    const begun = { next: size, until: now };
    await store.saveStream(stream.name, begun);
    return begun;
  }

  /** Sends one piece; null when it was not taken. */
  async #send(stream: AuditStream, window: StreamWindow, progress: Progress): Promise<StreamPosition | null> {
    const { engine, store, log } = this.#sources;
    const trouble = await sendWindow(stream, window, window.until);
    const result = trouble === null ? 'sent' : 'failed';
    engine.metrics.count('breakwater_stream_batches_total', { stream: stream.name, result });
    if (trouble !== null) {
      progress.failures++;
      const waitMs = Math.min(longestWaitMs, stream.everyMs * 2 ** progress.failures);
      progress.dueAt = engine.clock.now() + waitMs;
      log('error', { event: 'stream', stream: stream.name, trouble });
      return null;
    }
    progress.failures = 0;
    const position = { next: window.next, until: window.until };
    progress.position = position;
    await store.saveStream(stream.name, position);
    return position;
  }

  async #round(stream: AuditStream, progress: Progress): Promise<void> {
    const { engine, store } = this.#sources;
    const { clock, records, metrics } = engine;
    progress.dueAt = clock.now() + stream.everyMs;
    let position = progress.position ?? (await this.#start(stream, clock.now()));
    progress.position = position;
    await records.flush();
    for (let piece = 0; piece < piecesMax; piece++) {
      const entries = await entriesFrom(store, position.next, entriesMax[stream.kind]);
      // A window without entries is told of, once a round.
      if (entries.length === 0 && (stream.kind !== 's3' || piece > 0)) break;
      const from = position.next;
      // A window has a place by when it begins: no two may begin together, whatever the clock says.
      const span = { since: position.until, until: instant(Math.max(clock.now(), position.until + 1)) };
      const moved = await this.#send(
        stream,
        { ...span, from, next: from + entries.length, entries },
        progress,
      );
      if (moved === null) break;
      position = moved;
      if (entries.length < entriesMax[stream.kind]) break;
    }
    const { size } = await store.treeHead();
    metrics.set('breakwater_stream_behind', { stream: stream.name }, size - position.next);
  }

  async stop(): Promise<void> {
    const rounds = [...this.#progress.values()].flatMap(({ round }) => round ?? []);
    await Promise.race([Promise.all(rounds), Bun.sleep(stopMs)]);
  }
}

/** Looks at once, so that a stream that is new has its place before anything is answered. */
export function createStreamDesk(sources: Sources): StreamDesk {
  const desk = new Desk(sources);
  desk.look();
  return desk;
}
