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

  constructor(batch: RecordBatch, hits: readonly HitRow[]) {
    this.batch = batch;
    this.hits = hits;
  }

  get count(): number {
    return this.batch.count;
  }

  records(): readonly RequestRecord[] {
    const { inputs, count } = this.batch;
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
    return new Packed(this.#packer.take(), hits);
  }
}

export function packed(records: readonly RequestRecord[], packing: Packing): Packed {
  for (const record of records) packing.add(record);
  return packing.take();
}
