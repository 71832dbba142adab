/**
 * Records on their way to the worker: their text, each behind the byte that the Merkle tree hashes before a leaf, and
 * their searchable columns as whole numbers. Three flat arrays cross the thread for a fraction of what cloning the
 * values costs (0.5 against 19 µs of processor time a record, measured here).
 */
import { leafPrefix } from '../core/merkle.ts';
import type { NumberedWord } from './words.ts';

/** What is known of records beside their text. */
export type RecordRows = {
  readonly count: number;
  /** 16 bytes each, the UUID of the id. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** Column by column: `count` numbers of the first, then of the second. */
  readonly columns: Int32Array<ArrayBuffer>;
};

export type RecordBatch = RecordRows & {
  /** Leaf inputs, one after the other: `0x00`, then one line of JSON with its salt. Memory that both threads see. */
  readonly inputs: Uint8Array;
  readonly words: readonly NumberedWord[];
  /** Of the words that its numbers mean. */
  readonly edition: number;
};

const saltBytes = 16;
const salts = (count: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(saltBytes * count))).toString('hex');
const saltAt = (all: string, index: number): string =>
  all.slice(index * saltBytes * 2, (index + 1) * saltBytes * 2);

/** JSON texts → leaf inputs, each with a salt of its own, so that a leaf alone says nothing of an erased entry. */
export function leafInputs(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const all = salts(texts.length);
  let joined = '';
  texts.forEach((text, index) => {
    joined += `${String.fromCodePoint(leafPrefix)}{"salt":"${saltAt(all, index)}",${text.slice(1)}`;
  });
  return new TextEncoder().encode(joined);
}

/** The UUID behind a prefix, as bytes; null when there is none. */
export function uuidBytes(id: string): Uint8Array<ArrayBuffer> | null {
  const hex = id.slice(id.indexOf('_') + 1).replaceAll('-', '');
  return /^[\da-f]{32}$/.test(hex) ? Uint8Array.fromHex(hex) : null;
}
