/**
 * Records on their way to the store: taken at once, written in batches, never waited for by an answer unless it asks to
 * (`durable`). A store that fails, or takes too long, is passed by: records go to a spool on local disk, and from there
 * to the store when it is back. Everything is bounded. When neither takes them, they wait in memory; when that is full,
 * they are dropped and counted aloud, or, where that is not allowed, no new work is taken (`accepts`).
 */
import type { RequestRecord } from '../core/record.ts';
import type { PackedRecords, RecordPacking, Store } from '../store/store.ts';
import type { Spool } from './spool.ts';

export type RecordPump = {
  /** Never throws, never waits. */
  push(record: RequestRecord): void;
  /** As `push`; resolves when the record is on disk, with false when it is not going to be. */
  durable(record: RequestRecord): Promise<boolean>;
  /** Whether a record that is pushed now has somewhere to go. */
  accepts(): boolean;
  /** Whether the store failed to take what it was last asked to keep; a slow one did not fail. */
  isFailing(): boolean;
  /** Resolves when everything pushed so far is in the store or the spool, or was given up. */
  flush(): Promise<void>;
  /** Writes what is left, for at most `limitMs`. */
  stop(limitMs: number): Promise<void>;
  counts(): RecordCounts;
};

export type RecordCounts = {
  readonly pending: number;
  readonly written: number;
  readonly dropped: number;
  /** In the spool now. */
  readonly spooled: number;
};

export type RecordPumpOptions = {
  readonly store: Pick<Store, 'packRecords' | 'appendPacked' | 'appendRecords'>;
  readonly spool?: Spool | null;
  readonly batchMax?: number;
  readonly lingerMs?: number;
  readonly pendingMax?: number;
  /** A store that takes longer for a batch is passed by. */
  readonly slowMs?: number;
  readonly onTrouble: (trouble: RecordTrouble) => void;
};

/**
 * `dropped`: so many records are lost. `store_failed`, `store_slow`: a batch of so many is tried again, or spooled.
 * `spool_full`, `spool_failed`: a batch of so many waits in memory. `caught_up`: so many went from the spool to the store.
 */
export type RecordTrouble = {
  readonly kind: 'dropped' | 'store_failed' | 'store_slow' | 'spool_full' | 'spool_failed' | 'caught_up';
  readonly count: number;
};

const retryMs = { first: 50, longest: 5_000 };
/** A batch of so many that were waited for: more will come. */
const companyMin = 8;
/** How long a batch then waits for them. */
const gatherMs = 1;

class Pump implements RecordPump {
  readonly #options: RecordPumpOptions;
  readonly #spool: Spool | null;
  readonly #batchMax: number;
  readonly #lingerMs: number;
  readonly #pendingMax: number;
  readonly #slowMs: number;
  /** Packed as they come: records that wait as objects grow old in memory, and are carried there long after they are written. */
  readonly #open: RecordPacking;
  #full: PackedRecords[] = [];
  #fullCount = 0;
  #writing = 0;
  #written = 0;
  #dropped = 0;
  #unreported = 0;
  #hasReported = false;
  #isRunning = false;
  #isStopped = false;
  /** What is spooled goes to the store first; until then new records follow it into the spool. */
  #isBehind = false;
  #isFailing = false;
  /** Neither the store nor the spool took the last batch. */
  #isStuck = false;
  #wake: (() => void) | null = null;
  /** Who waits for the records taken so far, in the order of asking. */
  #waiting: { readonly upTo: number; readonly resolve: (kept: boolean) => void }[] = [];
  #taken = 0;
  #settled = 0;

  constructor(options: RecordPumpOptions) {
    this.#options = options;
    this.#open = options.store.packRecords();
    this.#spool = options.spool ?? null;
    this.#batchMax = options.batchMax ?? 512;
    this.#lingerMs = options.lingerMs ?? 250;
    this.#pendingMax = options.pendingMax ?? 20_000;
    this.#slowMs = options.slowMs ?? 2_000;
    if (this.#spool !== null && this.#spool.pending > 0) {
      this.#isBehind = true;
      void this.#catchUp();
    }
  }

  push(record: RequestRecord): void {
    this.#take(record);
  }

  durable(record: RequestRecord): Promise<boolean> {
    return this.#take(record) ? this.#settledOf(this.#taken) : Promise.resolve(false);
  }

  accepts(): boolean {
    return !this.#isStuck && !this.#isStopped && this.#pending < this.#pendingMax;
  }

  isFailing(): boolean {
    return this.#isFailing;
  }

  /** Not begun to be written. */
  get #queued(): number {
    return this.#fullCount + this.#open.count;
  }

  get #pending(): number {
    return this.#queued + this.#writing;
  }

  #take(record: RequestRecord): boolean {
    if (this.#isStopped || this.#pending >= this.#pendingMax) {
      this.#drop(1);
      return false;
    }
    this.#open.add(record);
    this.#taken++;
    if (this.#open.count >= this.#batchMax) {
      this.#full.push(this.#open.take());
      this.#fullCount += this.#batchMax;
      if (this.#writing === 0) this.#wake?.();
    }
    if (!this.#isRunning) void this.#run();
    return true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Whoever asks in this turn of the loop shares the first batch.
    await Promise.resolve();
    let before = 0;
    while (this.#queued > 0) {
      if (this.#full.length === 0) await this.#gather(before);
      // Stopped meanwhile: what was left has gone to the spool.
      if (this.#queued === 0) break;
      const batch = this.#next();
      this.#writing = batch.count;
      const kept = await this.#keep(batch);
      this.#writing = 0;
      before = this.#settle(batch.count, kept);
    }
    this.#isRunning = false;
  }

  /**
   * Lets a batch fill: for long where nobody waits, not at all where few do, and for a moment where the last one was
   * waited for by many (`before`), because a commit costs about the same for one as for all of them.
   */
  #gather(before: number): Promise<unknown> | null {
    if (this.#waiting.length === 0) return this.#pause(this.#lingerMs);
    return before >= companyMin ? Bun.sleep(gatherMs) : null;
  }

  #next(): PackedRecords {
    const full = this.#full.shift();
    if (full === undefined) return this.#open.take();
    this.#fullCount -= full.count;
    return full;
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

  async #keep(batch: PackedRecords): Promise<boolean> {
    let again = false;
    for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.longest)) {
      if (!this.#isBehind || this.#isStuck) {
        const outcome = await this.#toStore(batch, again);
        if (outcome === 'kept') return this.#kept();
        this.#options.onTrouble({ kind: outcome, count: batch.count });
        this.#report();
        again = true;
      }
      if (await this.#toSpool(batch)) return this.#kept();
      this.#isStuck = true;
      if (this.#isStopped) {
        this.#drop(batch.count);
        return false;
      }
      await this.#pause(waitMs);
    }
  }

  #kept(): true {
    this.#isStuck = false;
    this.#report();
    return true;
  }

  async #toStore(batch: PackedRecords, again: boolean): Promise<'kept' | 'store_failed' | 'store_slow'> {
    const write = this.#options.store.appendPacked(batch, again).then(
      () => {
        this.#written += batch.count;
        this.#isFailing = false;
        return 'kept' as const;
      },
      () => {
        this.#isFailing = true;
        return 'store_failed' as const;
      },
    );
    if (this.#spool === null) return write;
    const { promise: slow, resolve } = Promise.withResolvers<'store_slow'>();
    const timer = setTimeout(() => resolve('store_slow'), this.#slowMs);
    const outcome = await Promise.race([write, slow]);
    clearTimeout(timer);
    return outcome;
  }

  async #toSpool(batch: PackedRecords): Promise<boolean> {
    if (this.#spool === null) return false;
    const outcome = await this.#spool.append(batch.records());
    if (outcome !== 'kept') {
      this.#options.onTrouble({
        kind: outcome === 'full' ? 'spool_full' : 'spool_failed',
        count: batch.count,
      });
      return false;
    }
    if (!this.#isBehind) {
      this.#isBehind = true;
      void this.#catchUp();
    }
    return true;
  }

  /** From the spool to the store, until nothing is left there. The same record twice is written once. */
  async #catchUp(): Promise<void> {
    let moved = 0;
    for (let waitMs = retryMs.first; this.#isBehind && !this.#isStopped;) {
      try {
        await this.#spool?.replay(async (records) => {
          await this.#options.store.appendRecords(records, true);
          moved += records.length;
          this.#written += records.length;
        });
        this.#isBehind = false;
        this.#isFailing = false;
        this.#options.onTrouble({ kind: 'caught_up', count: moved });
      } catch {
        await Bun.sleep(waitMs);
        waitMs = Math.min(waitMs * 2, retryMs.longest);
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

  /** How many waited for the batch. */
  #settle(count: number, kept: boolean): number {
    this.#settled += count;
    let told = 0;
    for (; this.#waiting[0] !== undefined && this.#waiting[0].upTo <= this.#settled; told++)
      this.#waiting.shift()?.resolve(kept);
    return told;
  }

  #settledOf(upTo: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ upTo, resolve });
    // Not while a batch is being written: a wait after a failure is not to be cut short.
    if (this.#writing === 0) this.#wake?.();
    return promise;
  }

  async flush(): Promise<void> {
    if (this.#settled < this.#taken) await this.#settledOf(this.#taken);
  }

  async stop(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    this.#wake?.();
    await Promise.race([this.flush(), promise]);
    clearTimeout(timer);
    this.#isStopped = true;
    const left: PackedRecords[] = [];
    while (this.#queued > 0) left.push(this.#next());
    let lost = 0;
    for (const batch of left) {
      const kept = await this.#toSpool(batch);
      if (!kept) lost += batch.count;
      this.#settle(batch.count, kept);
    }
    if (lost > 0) this.#drop(lost);
    this.#wake?.();
    await this.#spool?.close();
  }

  counts(): RecordCounts {
    return {
      pending: this.#pending,
      written: this.#written,
      dropped: this.#dropped,
      spooled: this.#spool?.pending ?? 0,
    };
  }
}

export function createRecordPump(options: RecordPumpOptions): RecordPump {
  return new Pump(options);
}
