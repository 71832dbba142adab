/**
 * Server-sent events, from bytes and to text.
 *
 * The parser gives every block with its exact bytes, so that a relay can pass on what it read: the raws, put one
 * after the other, are the input. It splits at bytes that cannot occur inside a UTF-8 character, so any cutting of
 * the input gives the same events. Searching is left to native `indexOf`; a chunk of whole events is not copied, and
 * a chunk that is one event of the usual form, which is how answers mostly arrive, is read without looking at its lines.
 *
 * A carriage return at the very end of a chunk waits for the next byte: it may be half of a CRLF.
 */
import { Buffer } from 'node:buffer';

export type SseEvent = {
  /** The exact bytes, with the blank line that ends the block. */
  readonly raw: Uint8Array;
  readonly event: string | null;
  /** The data lines, joined; null for a block without data (comments, blank lines). */
  readonly data: string | null;
  /** The block is over the limit: `raw` is its start, and the parser reads no further. */
  readonly oversized: boolean;
};

export type SseParser = {
  push(chunk: Uint8Array): readonly SseEvent[];
  /** The last block when it was not ended by a blank line; null when nothing is left. */
  end(): SseEvent | null;
};

const lineFeed = 10;
const carriageReturn = 13;
const space = 32;
const colon = 58;
const none: readonly SseEvent[] = [];
const dataName = Buffer.from('data');
const eventName = Buffer.from('event');
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const carryBytesFirst = 4096;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function startsWith(bytes: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length) return false;
  for (let index = 0; index < prefix.length; index += 1) {
    if (bytes[start + index] !== prefix[index]) return false;
  }
  return true;
}

/** The value of the line when it is a field of this name; null when it is not. */
function fieldValue(bytes: Buffer, start: number, end: number, name: Buffer): string | null {
  if (!startsWith(bytes, start, end, name)) return null;
  let valueStart = start + name.length;
  if (valueStart === end) return '';
  if (bytes[valueStart] !== colon) return null;
  valueStart += 1;
  if (valueStart < end && bytes[valueStart] === space) valueStart += 1;
  return bytes.toString('utf8', valueStart, end);
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** The chunk as an event, when it is exactly one `data: …` line, perhaps after an `event: …` line; else null. */
function soleEvent(chunk: Uint8Array): SseEvent | null {
  if (chunk[chunk.length - 1] !== lineFeed || chunk[chunk.length - 2] !== lineFeed) return null;
  const text = decoder.decode(chunk);
  const named = text.startsWith('event: ') ? text.indexOf('\n') : -1;
  const line = named + 1;
  if (!text.startsWith('data: ', line) || text.indexOf('\n', line) !== text.length - 2) return null;
  if (text.includes('\r')) return null;
  const event = named < 0 ? null : text.slice('event: '.length, named);
  return { raw: chunk, event, data: text.slice(line + 'data: '.length, -2), oversized: false };
}

class BlockParser implements SseParser {
  readonly #eventBytesMax: number;
  /** Bytes of an unfinished block; grows by doubling, so that tiny chunks cost no more than large ones. */
  #carry: Buffer = Buffer.alloc(0);
  #carryLength = 0;
  // Positions in the bytes at hand: where the current line starts, and how far it was searched.
  #lineStart = 0;
  #searched = 0;
  #event: string | null = null;
  #data: string | null = null;
  #atStart = true;
  #stopped = false;

  constructor(eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax;
  }

  push(chunk: Uint8Array): readonly SseEvent[] {
    if (this.#stopped || chunk.length === 0) return none;
    if (!this.#atStart && this.#carryLength === 0 && chunk.length <= this.#eventBytesMax) {
      const sole = soleEvent(chunk);
      if (sole !== null) return [sole];
    }
    const bytes = this.#carryLength === 0 ? asBuffer(chunk) : this.#append(chunk);
    const events: SseEvent[] = [];
    const blockStart = this.#readBlocks(bytes, false, events);
    if (this.#stopped) return events;
    if (bytes.length - blockStart > this.#eventBytesMax) {
      events.push(this.#oversized(bytes, blockStart));
      return events;
    }
    this.#keep(bytes, blockStart);
    return events;
  }

  end(): SseEvent | null {
    if (this.#stopped || this.#carryLength === 0) return null;
    const bytes = this.#carry.subarray(0, this.#carryLength);
    const events: SseEvent[] = [];
    this.#readBlocks(bytes, true, events);
    const [complete] = events;
    this.#stopped = true;
    if (complete !== undefined) return complete;
    if (this.#lineStart < bytes.length) this.#readLine(bytes, this.#lineStart, bytes.length);
    return this.#take(bytes, 0, bytes.length);
  }

  /** Reads every whole block into `events`; returns where the unfinished one starts. */
  #readBlocks(bytes: Buffer, isLast: boolean, events: SseEvent[]): number {
    let blockStart = 0;
    let nextReturn = bytes.indexOf(carriageReturn, this.#searched);
    for (;;) {
      const feed = bytes.indexOf(lineFeed, this.#searched);
      if (nextReturn >= 0 && nextReturn < this.#searched)
        nextReturn = bytes.indexOf(carriageReturn, this.#searched);
      const isReturn = nextReturn >= 0 && (feed < 0 || nextReturn < feed);
      const lineEnd = isReturn ? nextReturn : feed;
      if (lineEnd < 0 || (isReturn && lineEnd === bytes.length - 1 && !isLast)) {
        this.#searched = lineEnd < 0 ? bytes.length : lineEnd;
        return blockStart;
      }
      const nextLine = isReturn && feed === lineEnd + 1 ? lineEnd + 2 : lineEnd + 1;
      const isBlank = this.#readLine(bytes, this.#lineStart, lineEnd);
      this.#lineStart = nextLine;
      this.#searched = nextLine;
      if (!isBlank) continue;
      if (nextLine - blockStart > this.#eventBytesMax) {
        events.push(this.#oversized(bytes, blockStart));
        return blockStart;
      }
      events.push(this.#take(bytes, blockStart, nextLine));
      blockStart = nextLine;
    }
  }

  /** True when the line is blank. */
  #readLine(bytes: Buffer, from: number, end: number): boolean {
    let start = from;
    if (this.#atStart) {
      this.#atStart = false;
      if (startsWith(bytes, start, end, byteOrderMark)) start += byteOrderMark.length;
    }
    if (start === end) return true;
    const data = fieldValue(bytes, start, end, dataName);
    if (data !== null) this.#data = this.#data === null ? data : `${this.#data}\n${data}`;
    else this.#event = fieldValue(bytes, start, end, eventName) ?? this.#event;
    return false;
  }

  #take(bytes: Buffer, start: number, end: number): SseEvent {
    const block = { raw: bytes.subarray(start, end), event: this.#event, data: this.#data, oversized: false };
    this.#event = null;
    this.#data = null;
    return block;
  }

  #oversized(bytes: Buffer, start: number): SseEvent {
    this.#stopped = true;
    this.#carryLength = 0;
    const raw = bytes.subarray(start, start + this.#eventBytesMax);
    return { raw, event: null, data: null, oversized: true };
  }

  #append(chunk: Uint8Array): Buffer {
    const length = this.#carryLength + chunk.length;
    if (length > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#carry.length * 2, carryBytesFirst));
      larger.set(this.#carry.subarray(0, this.#carryLength));
      this.#carry = larger;
    }
    this.#carry.set(chunk, this.#carryLength);
    return this.#carry.subarray(0, length);
  }

  /** Keeps the unfinished block. Bytes already handed out as raws are never written to again. */
  #keep(bytes: Buffer, blockStart: number): void {
    const isCarry = this.#carryLength > 0;
    const length = bytes.length - blockStart;
    this.#carryLength = length;
    if (isCarry && blockStart === 0) return;
    this.#carry = length === 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(blockStart));
    this.#lineStart -= blockStart;
    this.#searched -= blockStart;
  }
}

export function createSseParser(options: { readonly eventBytesMax: number }): SseParser {
  return new BlockParser(options.eventBytesMax);
}

/** One server-sent event as text. */
export function sseText(event: string | null, data: string): string {
  const lines = /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join('\ndata: ') : data;
  return event === null ? `data: ${lines}\n\n` : `event: ${event}\ndata: ${lines}\n\n`;
}
