/**
 * The ledger: every entry (a record or a change) in the order it was written, in compressed blocks, with the Merkle tree
 * over them. A leaf's hash stays for ever; its entry may be erased, and the tree still verifies.
 *
 * A block is the leaf inputs of its entries one after the other, each behind `0x00`: what is hashed is what is stored, so
 * nothing has to be made again to be proved. An erased entry is the `0x00` alone. Hashes of full subtrees of 256, 65,536, …
 * leaves are kept, so that any proof reads a few hundred hashes at most.
 */
import type { Database } from 'bun:sqlite';

import {
  consistencyProof,
  Frontier,
  hashNode,
  inclusionProof,
  leafPrefix,
  treeRoot,
} from '../core/merkle.ts';
import type { Hash, Sha256 } from '../core/merkle.ts';

export const sha256: Sha256 = (bytes) => Bun.SHA256.hash(bytes) as Hash;

const hashBytes = 32;
/** Kept subtrees are this many levels apart. */
const levelStep = 8;
const tileLeaves = 2 ** levelStep;
/** Larger ones compress no better, and reading one entry reads its block. */
const blockEntriesMax = 64;
/** Fuller blocks are left alone; smaller ones are put together when their 256 leaves are complete. */
const smallBlockMax = 32;
const blocksCachedMax = 64;
const compression = { level: 1 } as const;

type BlockRow = {
  readonly first: number;
  readonly count: number;
  readonly leaves: Uint8Array<ArrayBuffer>;
  readonly entries: Uint8Array<ArrayBuffer> | null;
};

/** Where each leaf input begins; one more for the end. */
export function inputBounds(inputs: Uint8Array, count: number): Uint32Array {
  const bounds = new Uint32Array(count + 1);
  let at = 0;
  for (let index = 0; index < count; index++) {
    bounds[index] = at;
    const next = inputs.indexOf(leafPrefix, at + 1);
    at = next < 0 ? inputs.length : next;
  }
  bounds[count] = inputs.length;
  return bounds;
}

function hashesIn(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): Hash[] {
  return Array.from({ length: to - from }, (_, index) =>
    bytes.subarray((from + index) * hashBytes, (from + index + 1) * hashBytes),
  );
}

function folded(hashes: readonly Hash[]): Hash {
  let level = hashes;
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, index) =>
      hashNode(sha256, level[index * 2] ?? missing(), level[index * 2 + 1] ?? missing()),
    );
  return level[0] ?? missing();
}

function missing(): never {
  throw new Error('the ledger lacks hashes of its tree');
}

type Opened = {
  readonly bounds: Uint32Array;
  readonly inputs: Uint8Array<ArrayBuffer>;
  readonly leaves: Uint8Array<ArrayBuffer>;
};

export class Ledger {
  readonly #database: Database;
  /** Null: to be read again, at the start and after a write that failed. */
  #frontier: Frontier | null = null;
  readonly #opened = new Map<number, Opened>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** A transaction was taken back: what is in memory may be ahead of the file. */
  forget(): void {
    this.#frontier = null;
    this.#opened.clear();
  }

  get #edge(): Frontier {
    this.#frontier ??= this.#load();
    return this.#frontier;
  }

  get size(): number {
    return this.#edge.size;
  }

  root(size = this.size): Hash {
    return size === this.size
      ? this.#edge.root()
      : treeRoot(sha256, (level, position) => this.node(level, position), size);
  }

  #load(): Frontier {
    const frontier = new Frontier(sha256);
    const top = this.#database
      .query<{ top: number | null }, []>('SELECT max(level) AS top FROM subtrees')
      .get()?.top;
    for (let level = top ?? 0; level > 0; level -= levelStep) {
      const from = frontier.size / 2 ** level;
      for (const { hash } of this.#database
        .query<{ hash: Hash }, [number, number]>(
          'SELECT hash FROM subtrees WHERE level = ? AND position >= ? ORDER BY position',
        )
        .all(level, from))
        frontier.add(hash, level);
    }
    const from = frontier.size;
    const end = this.#end();
    if (end > from) for (const hash of this.#leaves(from, end)) frontier.add(hash);
    return frontier;
  }

  #end(): number {
    return (
      this.#database
        .query<{ end: number }, []>('SELECT first + count AS end FROM blocks ORDER BY first DESC LIMIT 1')
        .get()?.end ?? 0
    );
  }

  /** Adds leaf inputs in blocks; inside the caller's transaction. Says the index of the first. */
  append(inputs: Uint8Array<ArrayBuffer>, count: number): number {
    const edge = this.#edge;
    const first = edge.size;
    const bounds = inputBounds(inputs, count);
    const leaves = new Uint8Array(count * hashBytes);
    let completed = false;
    const onNode = (level: number, position: number, hash: Hash): void => {
      if (level % levelStep !== 0) return;
      this.#database
        .query('INSERT INTO subtrees (level, position, hash) VALUES (?, ?, ?)')
        .run(level, position, hash);
      completed = true;
    };
    for (let index = 0; index < count; index++) {
      const hash = leaves.subarray(index * hashBytes, (index + 1) * hashBytes);
      Bun.SHA256.hash(inputs.subarray(bounds[index], bounds[index + 1]), hash);
      edge.add(hash, 0, onNode);
    }
    for (let at = 0; at < count; at += blockEntriesMax) {
      const end = Math.min(count, at + blockEntriesMax);
      const part = inputs.subarray(bounds[at], bounds[end]);
      this.#insertBlock(first + at, end - at, leaves.subarray(at * hashBytes, end * hashBytes), part);
    }
    if (completed) this.#join(Math.floor(edge.size / tileLeaves) * tileLeaves);
    return first;
  }

  #insertBlock(
    first: number,
    count: number,
    leaves: Uint8Array,
    inputs: Uint8Array<ArrayBuffer> | null,
  ): void {
    this.#database
      .query('INSERT INTO blocks (first, count, leaves, entries) VALUES (?, ?, ?, ?)')
      .run(first, count, leaves, inputs === null ? null : Bun.zstdCompressSync(inputs, compression));
  }

  /** Puts small neighbours of the last complete 256 leaves together: at low traffic every entry comes as its own block. */
  #join(end: number): void {
    const start = end - tileLeaves;
    const rows = this.#database
      .query<BlockRow, [number, number, number]>(
        'SELECT first, count, leaves, entries FROM blocks WHERE first >= ? AND first + count <= ? AND count < ? ORDER BY first',
      )
      .all(start, end, smallBlockMax);
    for (let at = 0; at < rows.length;) {
      const group = [rows[at] ?? missing()];
      for (let next = rows[++at]; next !== undefined; next = rows[++at]) {
        const last = group.at(-1) ?? missing();
        const entries = group.reduce((total, { count }) => total + count, next.count);
        if (last.first + last.count !== next.first || entries > blockEntriesMax) break;
        group.push(next);
      }
      if (group.length > 1) this.#replace(group);
    }
  }

  #replace(group: readonly BlockRow[]): void {
    const [head] = group;
    if (head === undefined) return;
    const remove = this.#database.query('DELETE FROM blocks WHERE first = ?');
    for (const { first } of group) {
      remove.run(first);
      this.#opened.delete(first);
    }
    const inputs = group.map(inputsOf);
    this.#insertBlock(
      head.first,
      group.reduce((total, { count }) => total + count, 0),
      Buffer.concat(group.map(({ leaves }) => leaves)),
      new Uint8Array(Buffer.concat(inputs)),
    );
  }

  #block(index: number): BlockRow | null {
    const row = this.#database
      .query<BlockRow, [number]>(
        'SELECT first, count, leaves, entries FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1',
      )
      .get(index);
    return row !== null && index < row.first + row.count ? row : null;
  }

  #open(index: number): (Opened & { readonly first: number }) | null {
    for (const [first, opened] of this.#opened)
      if (index >= first && index < first + opened.bounds.length - 1) return { first, ...opened };
    const row = this.#block(index);
    if (row === null) return null;
    const inputs = inputsOf(row);
    const opened = { inputs, bounds: inputBounds(inputs, row.count), leaves: row.leaves };
    if (this.#opened.size >= blocksCachedMax) {
      const [oldest] = this.#opened.keys();
      if (oldest !== undefined) this.#opened.delete(oldest);
    }
    this.#opened.set(row.first, opened);
    return { first: row.first, ...opened };
  }

  /** The text of an entry, salt included; null when it was erased or never was. */
  entry(index: number): string | null {
    const opened = this.#open(index);
    if (opened === null) return null;
    const { first, bounds, inputs } = opened;
    const start = (bounds[index - first] ?? 0) + 1;
    const end = bounds[index - first + 1] ?? start;
    return end <= start ? null : new TextDecoder().decode(inputs.subarray(start, end));
  }

  #leaves(from: number, to: number): Hash[] {
    const hashes: Hash[] = [];
    for (let at = from; at < to;) {
      const block =
        this.#database
          .query<Omit<BlockRow, 'entries'>, [number]>(
            'SELECT first, count, leaves FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1',
          )
          .get(at) ?? missing();
      const end = Math.min(to, block.first + block.count);
      if (end <= at) missing();
      hashes.push(...hashesIn(block.leaves, at - block.first, end - block.first));
      at = end;
    }
    return hashes;
  }

  leafHash(index: number): Hash {
    const { first, leaves } = this.#open(index) ?? missing();
    return hashesIn(leaves, index - first, index - first + 1)[0] ?? missing();
  }

  node(level: number, position: number): Hash {
    const base = level - (level % levelStep);
    const count = 2 ** (level - base);
    const from = position * count;
    if (base === 0) return folded(this.#leaves(from, from + count));
    const rows = this.#database
      .query<{ hash: Hash }, [number, number, number]>(
        'SELECT hash FROM subtrees WHERE level = ? AND position >= ? AND position < ? ORDER BY position',
      )
      .all(base, from, from + count);
    if (rows.length !== count) missing();
    return folded(rows.map(({ hash }) => hash));
  }

  inclusion(index: number, size: number): readonly Hash[] {
    return inclusionProof(sha256, (level, position) => this.node(level, position), index, size);
  }

  consistency(from: number, to: number): readonly Hash[] {
    return consistencyProof(sha256, (level, position) => this.node(level, position), from, to);
  }

  /** Erases entries and their salts; hashes stay. Inside the caller's transaction; says how many were there. */
  erase(indexes: readonly number[]): number {
    const gone = new Set(indexes);
    let erased = 0;
    for (const index of gone) {
      const row = this.#block(index);
      if (row === null || row.entries === null) continue;
      const inputs = inputsOf(row);
      const bounds = inputBounds(inputs, row.count);
      const kept: Uint8Array[] = [];
      let left = false;
      for (let at = 0; at < row.count; at++) {
        const input = inputs.subarray(bounds[at], bounds[at + 1]);
        const isGone = gone.delete(row.first + at);
        if (isGone && input.length > 1) erased++;
        kept.push(isGone ? input.subarray(0, 1) : input);
        left ||= !isGone && input.length > 1;
      }
      this.#database
        .query('UPDATE blocks SET entries = ? WHERE first = ?')
        .run(left ? Bun.zstdCompressSync(Buffer.concat(kept), compression) : null, row.first);
      this.#opened.delete(row.first);
    }
    return erased;
  }
}

/** The leaf inputs of a block; those of one that was erased whole are empty. */
export function inputsOf({ entries, count }: Pick<BlockRow, 'entries' | 'count'>): Uint8Array<ArrayBuffer> {
  if (entries === null) return new Uint8Array(count).fill(leafPrefix);
  const { buffer, byteOffset, length } = Bun.zstdDecompressSync(entries);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
}
