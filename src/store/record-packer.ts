/**
 * Packs records for the worker. What most records of a feature have in common is written from a shape; the rest is turned
 * into text by the platform, record by record.
 */
import { leafPrefix } from '../core/merkle.ts';
import { recordToEntry } from '../core/record-json.ts';
import type { AttemptRecord, RequestRecord } from '../core/record.ts';
import type { RecordBatch, RecordRows } from './record-batch.ts';
import { columnNames, writeColumns } from './record-columns.ts';
import { RecordShapes, writeShaped } from './record-shapes.ts';
import type { Shape } from './record-shapes.ts';
import type { WordTable } from './words.ts';

const startBytes = 512 * 1_024;
/** More than this is given back: it was an exception. */
const keptBytesMax = 4 * 1_024 * 1_024;
const saltsAtOnce = 256;
/** Batches that are kept at once are few. */
const freeMax = 3;

const sharedBytes = (length: number): Buffer<SharedArrayBuffer> => Buffer.from(new SharedArrayBuffer(length));
const idBytes = 16;
const saltBytes = 16;
/** Longest form of one unit of text: an escape of six characters. */
const unitBytesMax = 6;
/** Longer texts are left to the platform; shorter ones are written here, which is faster than to call it. */
const shortMax = 128;
/** Longer pieces are copied by the platform. */
const shortPieceMax = 48;

const quote = 34;
const backslash = 92;
const saltHead = new TextEncoder().encode(`${String.fromCodePoint(leafPrefix)}{"salt":"`);
const saltTail = new TextEncoder().encode('",');
const hexDigits = new TextEncoder().encode('0123456789abcdef');

/** Writes text that needs no escape and says where it ends; -1 when there is other text. */
function writePlain(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text;
  if (length > shortMax) return -1;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code < 32 || code > 126 || code === quote || code === backslash) return -1;
    bytes[at + index] = code;
  }
  return at + length;
}

function writePiece(bytes: Uint8Array, at: number, piece: Uint8Array): number {
  const { length } = piece;
  if (length > shortPieceMax) bytes.set(piece, at);
  else for (let index = 0; index < length; index++) bytes[at + index] = piece[index] ?? 0;
  return at + length;
}

const wholeMax = 1_000_000_000;

/** Writes a figure and says where it ends. */
function writeFigure(bytes: Uint8Array, at: number, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= wholeMax)
    return writePlain(bytes, at, Number.isFinite(value) ? String(value) : 'null');
  let end = at + 1;
  for (let left = value; left >= 10; left = Math.trunc(left / 10)) end++;
  let left = value;
  for (let place = end - 1; place >= at; place--) {
    bytes[place] = 48 + (left % 10);
    left = Math.trunc(left / 10);
  }
  return end;
}

/**
 * Entries that are being written, one behind the other. Both threads see their memory, and it is used again once they are
 * kept: memory of half a megabyte a batch would grow old here, and there be copied.
 */
class EntryWriter {
  readonly #salts = new Uint8Array(saltBytes * saltsAtOnce);
  #salt = saltsAtOnce;
  readonly #free: Buffer<SharedArrayBuffer>[] = [];
  #bytes = sharedBytes(startBytes);
  #at = 0;

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = sharedBytes((this.#at + bytes) * 2);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }

  /** Where a salt lies that was never used. */
  #freshSalt(): number {
    if (this.#salt >= saltsAtOnce) {
      crypto.getRandomValues(this.#salts);
      this.#salt = 0;
    }
    return this.#salt++ * saltBytes;
  }

  /** The beginning of an entry: its prefix and its salt. */
  begin(): void {
    this.#room(saltHead.length + saltBytes * 2 + saltTail.length);
    const bytes = this.#bytes;
    const salt = this.#freshSalt();
    let at = writePiece(bytes, this.#at, saltHead);
    for (let from = salt; from < salt + saltBytes; from++) {
      const byte = this.#salts[from] ?? 0;
      bytes[at++] = hexDigits[byte >> 4] ?? 0;
      bytes[at++] = hexDigits[byte & 15] ?? 0;
    }
    this.#at = writePiece(bytes, at, saltTail);
  }

  /** Text as it is. */
  text(value: string): void {
    this.#room(value.length * unitBytesMax);
    this.#at += this.#bytes.write(value, this.#at);
  }

  shaped(shape: Shape, record: RequestRecord, attempt: AttemptRecord): void {
    const { pieces, slots } = shape;
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index] ?? saltTail;
      this.#room(piece.length + shortMax);
      const at = writePiece(this.#bytes, this.#at, piece);
      this.#at = at;
      const slot = slots[index];
      if (slot === undefined) return;
      const value = slot(record, attempt);
      if (value === null) continue;
      const bytes = this.#bytes;
      const end = typeof value === 'string' ? writePlain(bytes, at, value) : writeFigure(bytes, at, value);
      if (end < 0) this.text(JSON.stringify(value).slice(1, -1));
      else this.#at = end;
    }
  }

  /** What was written, and a fresh start. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = this.#free.pop() ?? sharedBytes(startBytes);
    this.#at = 0;
    return taken;
  }

  /** Of what was taken nothing is needed any more. */
  giveBack({ buffer }: Uint8Array): void {
    const isUsual = buffer instanceof SharedArrayBuffer && buffer.byteLength <= keptBytesMax;
    if (isUsual && this.#free.length < freeMax) this.#free.push(Buffer.from(buffer));
  }
}

/** Writes the UUID of an id. */
function writeId(id: string, ids: Uint8Array, index: number): void {
  let nibbles = 0;
  for (let at = 4; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code === 45) continue;
    const value = code < 58 ? code - 48 : code - 87;
    if (value < 0 || value > 15 || nibbles === idBytes * 2) break;
    const to = index * idBytes + (nibbles >> 1);
    ids[to] = ((ids[to] ?? 0) << 4) | value;
    nibbles++;
  }
  if (nibbles !== idBytes * 2) throw new Error(`the id of a record is not a UUID: ${id}`);
}

const startRows = 512;

/** Numbers of records that are being put together, column by column, in memory that is used again. */
class Rows {
  ids = new Uint8Array(startRows * idBytes);
  columns = new Int32Array(startRows * columnNames.length);
  count = 0;

  /** The place of the next one, which is counted when it is whole. */
  next(): number {
    const room = this.ids.length / idBytes;
    if (this.count === room) this.#grow(room * 2);
    return this.count;
  }

  #grow(room: number): void {
    const ids = new Uint8Array(room * idBytes);
    ids.set(this.ids);
    this.columns = this.#columnsOf(room);
    this.ids = ids;
  }

  #columnsOf(room: number): Int32Array<ArrayBuffer> {
    const columns = new Int32Array(room * columnNames.length);
    const step = this.columns.length / columnNames.length;
    for (let column = 0; column < columnNames.length; column++)
      columns.set(this.columns.subarray(column * step, column * step + this.count), column * room);
    return columns;
  }

  take(): RecordRows {
    const { count } = this;
    const taken = { count, ids: this.ids.slice(0, count * idBytes), columns: this.#columnsOf(count) };
    this.count = 0;
    return taken;
  }
}

/** Packs records one by one, as they come. */
export class RecordPacker {
  readonly #words: WordTable;
  readonly #writer = new EntryWriter();
  readonly #rows = new Rows();
  #shapes: RecordShapes;
  #edition: number;

  constructor(words: WordTable) {
    this.#words = words;
    this.#edition = words.edition;
    this.#shapes = new RecordShapes(words.idOf);
  }

  get count(): number {
    return this.#rows.count;
  }

  add(record: RequestRecord): void {
    if (this.#edition !== this.#words.edition) this.#shapes = new RecordShapes(this.#words.idOf);
    // Words of one edition say nothing in another: a batch is of the edition that it began in.
    if (this.count === 0) this.#edition = this.#words.edition;
    const at = this.#rows.next();
    writeId(record.id, this.#rows.ids, at);
    this.#writer.begin();
    this.#write(record, at);
    this.#rows.count++;
  }

  /** What was added since the last time. */
  take(): RecordBatch {
    return {
      ...this.#rows.take(),
      inputs: this.#writer.take(),
      words: this.#words.unsaved(),
      edition: this.#edition,
    };
  }

  /** A batch is kept: its text may be written over. */
  giveBack({ inputs }: RecordBatch): void {
    this.#writer.giveBack(inputs);
  }

  pack(records: readonly RequestRecord[]): RecordBatch {
    for (const record of records) this.add(record);
    return this.take();
  }

  #write(record: RequestRecord, at: number): void {
    const { columns } = this.#rows;
    const shape = this.#shapes.of(record);
    const [attempt] = record.attempts;
    if (shape === null || attempt === undefined) {
      this.#writer.text(JSON.stringify(recordToEntry(record)).slice(1));
      writeColumns(record, this.#words.idOf, columns, at);
      return;
    }
    this.#writer.shaped(shape, record, attempt);
    writeShaped(shape, record, this.#words.idOf, columns, at);
  }
}
