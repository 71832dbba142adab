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
  readonly onTrouble: (trouble: RecordTrouble) => void;
};

/** `dropped`: so many records are lost. `store_failed`: a batch of so many could not be written and is tried again. */
export type RecordTrouble = { readonly kind: 'dropped' | 'store_failed'; readonly count: number };

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
  #unreported = 0;
  #hasReported = false;
  #isRunning = false;
  #isStopped = false;
  #wake: (() => void) | null = null;
  /** Who waits for the records taken so far, in the order of asking. */
  #waiting: { readonly upTo: number; readonly resolve: () => void }[] = [];
  #taken = 0;
  #settled = 0;

  constructor(options: RecordPumpOptions) {
    this.#options = options;
    this.#batchMax = options.batchMax ?? 128;
    this.#lingerMs = options.lingerMs ?? 20;
    this.#pendingMax = options.pendingMax ?? 20_000;
  }

  push(record: RequestRecord): void {
    if (this.#isStopped || this.#queue.length + this.#writing >= this.#pendingMax) {
      this.#drop(1);
      return;
    }
    this.#queue.push(record);
    this.#taken++;
    if (this.#queue.length >= this.#batchMax && this.#writing === 0) this.#wake?.();
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queue.length > 0) {
      if (this.#queue.length < this.#batchMax && this.#waiting.length === 0)
        await this.#pause(this.#lingerMs);
      const batch = this.#queue.splice(0, this.#batchMax);
      this.#writing = batch.length;
      await this.#write(batch);
      this.#writing = 0;
      this.#settle(batch.length);
    }
    this.#isRunning = false;
  }

  /** Waits, unless somebody wakes it. */
  async #pause(ms: number): Promise<void> {
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
        this.#report();
        return;
      } catch {
        this.#options.onTrouble({ kind: 'store_failed', count: batch.length });
        this.#report();
        if (this.#isStopped) {
          this.#drop(batch.length);
          return;
        }
        await this.#pause(waitMs);
      }
    }
  }

  /** The first loss is told at once; those that follow are told together when the next write has ended. */
  #drop(count: number): void {
    this.#dropped += count;
    this.#unreported += count;
    if (!this.#hasReported) this.#report();
    this.#hasReported = true;
  }

  #report(): void {
    if (this.#unreported > 0) this.#options.onTrouble({ kind: 'dropped', count: this.#unreported });
    this.#unreported = 0;
    this.#hasReported = false;
  }

  #settle(count: number): void {
    this.#settled += count;
    while (this.#waiting[0] !== undefined && this.#waiting[0].upTo <= this.#settled)
      this.#waiting.shift()?.resolve();
  }

  flush(): Promise<void> {
    if (this.#settled === this.#taken) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ upTo: this.#taken, resolve });
    this.#wake?.();
    return promise;
  }

  async stop(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([this.flush(), promise]);
    clearTimeout(timer);
    this.#isStopped = true;
    const left = this.#queue.splice(0).length;
    if (left > 0) this.#drop(left);
    this.#settle(left);
    this.#wake?.();
  }

  counts(): { readonly pending: number; readonly written: number; readonly dropped: number } {
    return { pending: this.#queue.length + this.#writing, written: this.#written, dropped: this.#dropped };
  }
}

export function createRecordPump(options: RecordPumpOptions): RecordPump {
  return new Pump(options);
}
