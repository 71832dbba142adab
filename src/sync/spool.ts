/**
 * Records on local disk while the store cannot take them: frames of compressed lines, each with its length and checksum,
 * flushed before they count. A frame that was cut (power loss, full disk) ends what is read, and is taken off when the
 * spool is opened, so that what is there is always a number of whole batches.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { recordFromJson, recordToJson } from '../core/record-json.ts';
import type { RecordJson } from '../core/record-json.ts';
import type { RequestRecord } from '../core/record.ts';

export type SpoolOutcome = 'kept' | 'full' | 'failed';

export type Spool = {
  /** Records that wait here. */
  readonly pending: number;
  /** On disk when the promise resolves with `kept`. */
  append(records: readonly RequestRecord[]): Promise<SpoolOutcome>;
  /** Hands every batch to `write`, oldest first, and empties the spool; stops, and keeps the rest, when one fails. */
  replay(write: (records: readonly RequestRecord[]) => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

export type SpoolOpened = {
  readonly spool: Spool;
  /** What was found from before, and what of it was cut and is lost. */
  readonly found: { readonly records: number; readonly cutBytes: number };
};

const magic = 0x42_57_53_31;
const headBytes = 16;
const frameBytesMax = 64 * 1_048_576;

type Head = { readonly length: number; readonly checksum: number; readonly count: number };

function headOf(bytes: Uint8Array): Head | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes || view.getUint32(0) !== magic) return null;
  const length = view.getUint32(4);
  if (length > frameBytesMax) return null;
  return { length, checksum: view.getUint32(8), count: view.getUint32(12) };
}

function frame(records: readonly RequestRecord[]): Uint8Array {
  const lines = records.map((record) => JSON.stringify(recordToJson(record))).join('\n');
  const payload = Bun.zstdCompressSync(new TextEncoder().encode(lines), { level: 1 });
  const bytes = new Uint8Array(headBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, payload.length);
  view.setUint32(8, Bun.hash.crc32(payload));
  view.setUint32(12, records.length);
  bytes.set(payload, headBytes);
  return bytes;
}

function recordsIn(payload: Uint8Array<ArrayBuffer>): readonly RequestRecord[] {
  return new TextDecoder()
    .decode(Bun.zstdDecompressSync(payload))
    .split('\n')
    .map((line) => recordFromJson(JSON.parse(line) as RecordJson));
}

/** Where the last whole frame ends, and how many records there are. */
function survey(file: number): { readonly end: number; readonly records: number } {
  const { size } = fstatSync(file);
  let end = 0;
  let records = 0;
  while (end < size) {
    const head = new Uint8Array(headBytes);
    readSync(file, head, 0, headBytes, end);
    const read = headOf(head);
    if (read === null || end + headBytes + read.length > size) break;
    const payload = new Uint8Array(read.length);
    readSync(file, payload, 0, read.length, end + headBytes);
    if (Bun.hash.crc32(payload) !== read.checksum) break;
    end += headBytes + read.length;
    records += read.count;
  }
  return { end, records };
}

class FileSpool implements Spool {
  readonly #file: FileHandle;
  readonly #bytesMax: number;
  #turn: Promise<unknown> = Promise.resolve();
  #head = 0;
  #tail: number;
  #pending: number;

  constructor(file: FileHandle, bytesMax: number, tail: number, pending: number) {
    this.#file = file;
    this.#bytesMax = bytesMax;
    this.#tail = tail;
    this.#pending = pending;
  }

  get pending(): number {
    return this.#pending;
  }

  /** One after the other: emptying the file must not meet a write. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  append(records: readonly RequestRecord[]): Promise<SpoolOutcome> {
    const bytes = frame(records);
    return this.#inTurn(() => this.#write(bytes, records.length));
  }

  async #write(bytes: Uint8Array, count: number): Promise<SpoolOutcome> {
    if (this.#tail + bytes.length > this.#bytesMax) return 'full';
    try {
      const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, this.#tail);
      if (bytesWritten !== bytes.length) throw new Error('the disk is full');
      await this.#file.datasync();
    } catch {
      // What was written of it is overwritten by the next, or cut off when the spool is opened.
      return 'failed';
    }
    this.#tail += bytes.length;
    this.#pending += count;
    return 'kept';
  }

  async replay(write: (records: readonly RequestRecord[]) => Promise<void>): Promise<void> {
    for (let emptied = false; !emptied; emptied = await this.#inTurn(() => this.#empty()))
      while (this.#head < this.#tail) {
        const records = await this.#next();
        await write(records.list);
        this.#head = records.end;
        this.#pending -= records.list.length;
      }
  }

  async #empty(): Promise<boolean> {
    if (this.#head < this.#tail) return false;
    await this.#file.truncate(0);
    this.#head = 0;
    this.#tail = 0;
    return true;
  }

  async #next(): Promise<{ readonly list: readonly RequestRecord[]; readonly end: number }> {
    const head = new Uint8Array(headBytes);
    await this.#file.read(head, 0, headBytes, this.#head);
    const read = headOf(head);
    if (read === null) throw new Error('the spool was changed by somebody else');
    const payload = new Uint8Array(read.length);
    await this.#file.read(payload, 0, read.length, this.#head + headBytes);
    return { list: recordsIn(payload), end: this.#head + headBytes + read.length };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Opens a spool and cuts off what is not whole. Throws when the file cannot be used. */
export async function openSpool(path: string, bytesMax: number): Promise<SpoolOpened> {
  const raw = openSync(path, 'a+', 0o600);
  const { size } = fstatSync(raw);
  const { end, records } = survey(raw);
  if (end < size) ftruncateSync(raw, end);
  closeSync(raw);
  const file = await open(path, 'r+');
  return {
    spool: new FileSpool(file, bytesMax, end, records),
    found: { records, cutBytes: size - end },
  };
}
