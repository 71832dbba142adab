/**
 * Packs records for the worker. What most records of a feature have in common is written from a shape; the rest is turned
 * into text by the platform, record by record.
 */
import { leafPrefix } from '../core/merkle.ts';
import { recordToEntry } from '../core/record-json.ts';
import type { AttemptRecord, RequestRecord } from '../core/record.ts';
import type { RecordBatch } from './record-batch.ts';
import { columnNames, writeColumns } from './record-columns.ts';
import { RecordShapes, writeShaped } from './record-shapes.ts';
import type { Shape } from './record-shapes.ts';
import type { WordTable } from './words.ts';

const startBytes = 2_048;
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

/** Bytes that grow. */
class EntryWriter {
  readonly #salts: Uint8Array;
  #bytes: Buffer<ArrayBuffer>;
  #at = 0;

  constructor(records: number) {
    this.#bytes = Buffer.from(new ArrayBuffer(startBytes * records));
    this.#salts = crypto.getRandomValues(new Uint8Array(saltBytes * records));
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.from(new ArrayBuffer((this.#at + bytes) * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }

  /** The beginning of an entry: its prefix and its salt. */
  begin(index: number): void {
    this.#room(saltHead.length + saltBytes * 2 + saltTail.length);
    const bytes = this.#bytes;
    let at = writePiece(bytes, this.#at, saltHead);
    for (let from = index * saltBytes; from < (index + 1) * saltBytes; from++) {
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

  done(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer, 0, this.#at);
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

export class RecordPacker {
  readonly #words: WordTable;
  readonly #shapes: RecordShapes;

  constructor(words: WordTable) {
    this.#words = words;
    this.#shapes = new RecordShapes(words.idOf);
  }

  pack(records: readonly RequestRecord[]): RecordBatch {
    const { length: count } = records;
    const columns = new Int32Array(count * columnNames.length);
    const ids = new Uint8Array(count * idBytes);
    const writer = new EntryWriter(count);
    for (let index = 0; index < count; index++) {
      const record = records[index];
      if (record === undefined) continue;
      writeId(record.id, ids, index);
      writer.begin(index);
      this.#write(record, writer, columns, index);
    }
    return { count, inputs: writer.done(), ids, columns, words: this.#words.unsaved() };
  }

  #write(record: RequestRecord, writer: EntryWriter, columns: Int32Array, at: number): void {
    const shape = this.#shapes.of(record);
    const [attempt] = record.attempts;
    if (shape === null || attempt === undefined) {
      writer.text(JSON.stringify(recordToEntry(record)).slice(1));
      writeColumns(record, this.#words.idOf, columns, at);
      return;
    }
    writer.shaped(shape, record, attempt);
    writeShaped(shape, record, this.#words.idOf, columns, at);
  }
}
