/** Records on their way to the store, in the form in which they are written: text and numbers instead of objects. */
import type { RequestRecord } from '../core/record.ts';
import { hitRowsOf } from './incident-rows.ts';
import type { HitRow } from './incident-rows.ts';
import { inputBounds } from './ledger.ts';
import type { RecordBatch } from './record-batch.ts';
import { RecordPacker } from './record-packer.ts';
import { recordFromEntry } from './rows.ts';
import type { PackedRecords, RecordPacking } from './store.ts';
import type { WordTable } from './words.ts';

const decoder = new TextDecoder();

export class Packed implements PackedRecords {
  readonly batch: RecordBatch;
  readonly hits: readonly HitRow[];
  #onKept: (() => void) | null;
  #writes = 0;
  #isKept = false;

  constructor(batch: RecordBatch, hits: readonly HitRow[], onKept: () => void) {
    this.batch = batch;
    this.hits = hits;
    this.#onKept = onKept;
  }

  get isKept(): boolean {
    return this.#isKept;
  }

  /**
   * Writes it, unless it is kept already: a write that was given up may still end well. What such a one reads stays as it
   * is until it has ended.
   */
  async write(write: () => Promise<void>): Promise<void> {
    if (this.#isKept) return;
    this.#writes++;
    try {
      await write();
      this.#isKept = true;
    } finally {
      this.#writes--;
      if (this.#isKept && this.#writes === 0) {
        this.#onKept?.();
        this.#onKept = null;
      }
    }
  }

  get count(): number {
    return this.batch.count;
  }

  records(): readonly RequestRecord[] {
    if (this.#onKept === null) throw new Error('these records are kept, and their memory is in use again');
    const { count } = this.batch;
    const inputs = new Uint8Array(this.batch.inputs);
    const bounds = inputBounds(inputs, count);
    return Array.from({ length: count }, (_, at) =>
      // Behind the byte that the tree hashes before a leaf.
      recordFromEntry(decoder.decode(inputs.subarray((bounds[at] ?? 0) + 1, bounds[at + 1]))),
    );
  }
}

export class Packing implements RecordPacking {
  readonly #packer: RecordPacker;
  #hits: HitRow[] = [];

  constructor(words: WordTable) {
    this.#packer = new RecordPacker(words);
  }

  get count(): number {
    return this.#packer.count;
  }

  add(record: RequestRecord): void {
    this.#packer.add(record);
    if (record.incidents.length > 0) this.#hits.push(...hitRowsOf(record));
  }

  take(): Packed {
    const hits = this.#hits;
    this.#hits = [];
    const batch = this.#packer.take();
    return new Packed(batch, hits, () => this.#packer.giveBack(batch));
  }
}

export function packed(records: readonly RequestRecord[], packing: Packing): Packed {
  for (const record of records) packing.add(record);
  return packing.take();
}
