/**
 * Records on their way to the store: taken at once, written in batches, never waited for by an answer. The queue is
 * bounded; what does not fit is dropped and counted aloud. A store that fails is tried again, in order, with growing
 * waits.
 */
import type { RequestRecord } from '../core/record.ts';
import type { Store } from '../store/store.ts';

export type RecordPump = {
  /** Never throws, never waits. */
  push(record: RequestRecord): void;
  /** Resolves when everything pushed so far is in the store, or was given up. */
  flush(): Promise<void>;
  /** Writes what is left, for at most `limitMs`. */
  stop(limitMs: number): Promise<void>;
  counts(): { readonly pending: number; readonly written: number; readonly dropped: number };
};

export type RecordPumpOptions = {
  readonly store: Pick<Store, 'appendRecords'>;
  readonly batchMax?: number;
  readonly lingerMs?: number;
  readonly pendingMax?: number;
  readonly onTrouble: (trouble: {
    readonly kind: 'dropped' | 'store_failed';
    readonly count: number;
  }) => void;
};

const retryMs = { first: 50, longest: 5_000 };

class Pump implements RecordPump {
  readonly #options: RecordPumpOptions;
  readonly #batchMax: number;
  readonly #lingerMs: number;
  readonly #pendingMax: number;
  #queue: RequestRecord[] = [];
  #writing = 0;
  #written = 0;
  #dropped = 0;
  #running: Promise<void> | null = null;
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(options: RecordPumpOptions) {
    this.#options = options;
    this.#batchMax = options.batchMax ?? 64;
    this.#lingerMs = options.lingerMs ?? 20;
    this.#pendingMax = options.pendingMax ?? 20_000;
  }

  push(record: RequestRecord): void {
    if (this.#stopped || this.#queue.length + this.#writing >= this.#pendingMax) {
      this.#dropped++;
      this.#options.onTrouble({ kind: 'dropped', count: 1 });
      return;
    }
    this.#queue.push(record);
    if (this.#queue.length >= this.#batchMax) this.#wake?.();
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await this.#linger(this.#lingerMs);
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#batchMax);
      this.#writing = batch.length;
      await this.#write(batch);
      this.#writing = 0;
    }
    this.#running = null;
  }

  async #linger(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }

  async #write(batch: readonly RequestRecord[]): Promise<void> {
    for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.longest)) {
      try {
        await this.#options.store.appendRecords(batch);
        this.#written += batch.length;
        return;
      } catch {
        this.#options.onTrouble({ kind: 'store_failed', count: batch.length });
        if (this.#stopped) {
          this.#dropped += batch.length;
          return;
        }
        await this.#linger(waitMs);
      }
    }
  }

  async flush(): Promise<void> {
    this.#wake?.();
    await this.#running;
  }

  async stop(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([this.flush(), promise]);
    clearTimeout(timer);
    this.#stopped = true;
    this.#wake?.();
  }

  counts(): { readonly pending: number; readonly written: number; readonly dropped: number } {
    return { pending: this.#queue.length + this.#writing, written: this.#written, dropped: this.#dropped };
  }
}

export function createRecordPump(options: RecordPumpOptions): RecordPump {
  return new Pump(options);
}
