import { describe, expect, test } from 'bun:test';

import fc from 'fast-check';

import {
  consistencyProof,
  Frontier,
  hashLeaf,
  hashNode,
  inclusionProof,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';
import type { Hash, NodeAt, Sha256 } from './merkle.ts';

const sha256: Sha256 = (bytes) => Bun.SHA256.hash(bytes) as Hash;

function nodesOf(leaves: readonly Hash[]): NodeAt {
  const node: NodeAt = (level, position) =>
    level === 0
      ? (leaves[position] ?? new Uint8Array(32))
      : hashNode(sha256, node(level - 1, position * 2), node(level - 1, position * 2 + 1));
  return node;
}

/** The inputs of the test vectors of Certificate Transparency (RFC 6962's reference implementation). */
const inputs = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Uint8Array.fromHex(hex));
const vectorLeaves = inputs.map((input) => hashLeaf(sha256, input));
const vectorNode = nodesOf(vectorLeaves);
const hex = (hashes: readonly Hash[]): readonly string[] => hashes.map((hash) => hash.toHex());

describe('vectors of Certificate Transparency', () => {
  test.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('the root of %i leaves', (size, root) => {
    expect(treeRoot(sha256, vectorNode, size).toHex()).toBe(root);
    const frontier = new Frontier(sha256);
    for (const leaf of vectorLeaves.slice(0, size)) frontier.add(leaf);
    expect(frontier.root().toHex()).toBe(root);
  });

  test.each([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  ])('the way from leaf %i in a tree of %i', (index, size, path) => {
    expect(hex(inclusionProof(sha256, vectorNode, index, size))).toEqual(path);
  });

  test.each([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('from %i leaves to %i', (from, to, path) => {
    expect(hex(consistencyProof(sha256, vectorNode, from, to))).toEqual(path);
  });
});

const flipped = (hash: Hash): Hash => Uint8Array.from(hash, (byte, index) => (index === 0 ? byte ^ 1 : byte));

test('every proof holds, and none that was touched', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, at, before) => {
      const leaves = Array.from({ length: size }, (_, index) => hashLeaf(sha256, Uint8Array.of(index)));
      const node = nodesOf(leaves);
      const [index, from] = [at % size, before % (size + 1)];
      const root = treeRoot(sha256, node, size);
      const leaf = leaves[index];
      if (leaf === undefined) throw new Error('no such leaf');
      const path = inclusionProof(sha256, node, index, size);
      const given = { leaf, index, size, path, root };
      expect(verifyInclusion(sha256, given)).toBe(true);
      expect(verifyInclusion(sha256, { ...given, leaf: flipped(leaf) })).toBe(false);
      expect(verifyInclusion(sha256, { ...given, path: [...path, leaf] })).toBe(false);
      if (size > 1) expect(verifyInclusion(sha256, { ...given, index: (index + 1) % size })).toBe(false);
      const proof = consistencyProof(sha256, node, from, size);
      const fromRoot = treeRoot(sha256, node, from);
      const both = { from, to: size, fromRoot, toRoot: root, path: proof };
      expect(verifyConsistency(sha256, both)).toBe(true);
      expect(verifyConsistency(sha256, { ...both, toRoot: flipped(root) })).toBe(from === 0);
      expect(verifyConsistency(sha256, { ...both, fromRoot: flipped(fromRoot) })).toBe(false);
      expect(verifyConsistency(sha256, { ...both, path: [...proof, leaf] })).toBe(false);
    }),
  );
});
