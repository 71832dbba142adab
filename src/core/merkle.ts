/**
 * The Merkle tree of RFC 6962 (and 9162): roots, inclusion proofs, consistency proofs, and their verification.
 *
 * The tree is what makes the ledger hard to change in silence: one hash of 32 bytes commits to every entry, its place and
 * their number. It is stated over full subtrees (`NodeAt`), so that a store that keeps leaves and a few higher hashes can
 * answer without the entries, which may have been erased. The hash is an argument: this module knows no platform.
 * It refuses to know what an entry is, and never shortens a proof.
 */
export type Hash = Uint8Array<ArrayBuffer>;
export type Sha256 = (bytes: Uint8Array) => Hash;

/** The hash of the full subtree of 2^level leaves that is number `position` of its level. */
export type NodeAt = (level: number, position: number) => Hash;

/** What stands before a leaf's bytes when they are hashed, so that a leaf is never taken for a node. */
export const leafPrefix = 0x00;
const nodePrefix = 0x01;
const hashBytes = 32;

/** Where a node's input is put together, because nodes are as many as entries; nothing of it outlives a call. */
const nodeInput = new Uint8Array(1 + hashBytes * 2).fill(nodePrefix, 0, 1);

export function hashNode(sha256: Sha256, left: Uint8Array, right: Uint8Array): Hash {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return sha256(nodeInput);
}

export function hashLeaf(sha256: Sha256, entry: Uint8Array): Hash {
  const input = new Uint8Array(1 + entry.length);
  input[0] = leafPrefix;
  input.set(entry, 1);
  return sha256(input);
}

const emptyRoot = (sha256: Sha256): Hash => sha256(new Uint8Array(0));

/** The largest power of two below a number of leaves, as its exponent. */
function splitLevel(count: number): number {
  let level = 0;
  while (2 ** (level + 1) < count) level++;
  return level;
}

function isFull(start: number, end: number): boolean {
  const count = end - start;
  return count === 2 ** Math.round(Math.log2(count)) && start % count === 0;
}

/** MTH(D[start:end]); a full subtree is asked for, anything else is put together. */
function rangeHash(sha256: Sha256, node: NodeAt, start: number, end: number): Hash {
  if (isFull(start, end)) {
    const level = Math.round(Math.log2(end - start));
    return node(level, start / 2 ** level);
  }
  const middle = start + 2 ** splitLevel(end - start);
  return hashNode(sha256, rangeHash(sha256, node, start, middle), rangeHash(sha256, node, middle, end));
}

export function treeRoot(sha256: Sha256, node: NodeAt, size: number): Hash {
  return size === 0 ? emptyRoot(sha256) : rangeHash(sha256, node, 0, size);
}

/** PATH(index, D[0:size]), from the leaf's sibling up. */
export function inclusionProof(sha256: Sha256, node: NodeAt, index: number, size: number): readonly Hash[] {
  const path: Hash[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + 2 ** splitLevel(end - start);
    if (index < middle) {
      path.push(rangeHash(sha256, node, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(sha256, node, start, middle));
      start = middle;
    }
  }
  return path.toReversed();
}

/** PROOF(from, D[0:to]); empty when the sizes are equal or the older tree is empty. */
export function consistencyProof(sha256: Sha256, node: NodeAt, from: number, to: number): readonly Hash[] {
  if (from === 0 || from === to) return [];
  const path: Hash[] = [];
  let [start, end, isWhole] = [0, to, true];
  while (from !== end) {
    const middle = start + 2 ** splitLevel(end - start);
    if (from <= middle) {
      path.push(rangeHash(sha256, node, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(sha256, node, start, middle));
      start = middle;
      isWhole = false;
    }
  }
  if (!isWhole) path.push(rangeHash(sha256, node, start, end));
  return path.toReversed();
}

export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** The root that a leaf at `index` of `size` leads to by this path; null when the path has the wrong length. */
export function rootOfInclusion(
  sha256: Sha256,
  leaf: Hash,
  index: number,
  size: number,
  path: readonly Hash[],
): Hash | null {
  if (index < 0 || index >= size) return null;
  let [at, last] = [index, size - 1];
  let hash = leaf;
  for (const step of path) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      hash = hashNode(sha256, step, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = hashNode(sha256, hash, step);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? hash : null;
}

export function verifyInclusion(
  sha256: Sha256,
  given: {
    readonly leaf: Hash;
    readonly index: number;
    readonly size: number;
    readonly path: readonly Hash[];
    readonly root: Hash;
  },
): boolean {
  const root = rootOfInclusion(sha256, given.leaf, given.index, given.size, given.path);
  return root !== null && sameHash(root, given.root);
}

/** Whether the tree of `to` leaves begins with the tree of `from` leaves (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  sha256: Sha256,
  given: {
    readonly from: number;
    readonly to: number;
    readonly fromRoot: Hash;
    readonly toRoot: Hash;
    readonly path: readonly Hash[];
  },
): boolean {
  const { from, to, fromRoot, toRoot } = given;
  if (from > to) return false;
  if (from === to) return given.path.length === 0 && sameHash(fromRoot, toRoot);
  if (from === 0) return given.path.length === 0 && sameHash(fromRoot, emptyRoot(sha256));
  const isPower = from === 2 ** Math.round(Math.log2(from));
  const [first, ...rest] = isPower ? [fromRoot, ...given.path] : given.path;
  if (first === undefined) return false;
  let [at, last] = [from - 1, to - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [older, newer] = [first, first];
  for (const step of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      older = hashNode(sha256, step, older);
      newer = hashNode(sha256, step, newer);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else newer = hashNode(sha256, newer, step);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(older, fromRoot) && sameHash(newer, toRoot);
}

/**
 * The right edge of a growing tree: one hash for each full subtree, largest first, as the binary digits of the size say.
 * Adding a leaf costs one hash on average.
 */
export class Frontier {
  readonly #sha256: Sha256;
  /** By level; null where the size has no digit. */
  readonly #edge: (Hash | null)[] = [];
  #size = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a full subtree at the right; smaller ones must not be there yet. `onNode` is told of each one that it completes. */
  add(hash: Hash, level = 0, onNode?: (level: number, position: number, hash: Hash) => void): void {
    let [carried, at] = [hash, level];
    for (let left = this.#edge[at] ?? null; left !== null; left = this.#edge[at] ?? null) {
      carried = hashNode(this.#sha256, left, carried);
      this.#edge[at] = null;
      at++;
      onNode?.(at, Math.floor(this.#size / 2 ** at), carried);
    }
    this.#edge[at] = carried;
    while (this.#edge.length < at) this.#edge.push(null);
    this.#size += 2 ** level;
  }

  root(): Hash {
    const parts = this.#edge.filter((hash) => hash !== null);
    const [smallest, ...larger] = parts;
    if (smallest === undefined) return emptyRoot(this.#sha256);
    return larger.reduce<Hash>((right, left) => hashNode(this.#sha256, left, right), smallest);
  }
}
