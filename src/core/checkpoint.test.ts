import { describe, expect, test } from 'bun:test';
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';

import {
  checkpointFromText,
  checkpointText,
  keyFromText,
  keyIdOf,
  keyText,
  noteFromText,
  noteText,
  proofFromText,
  proofText,
  signedCheckpoint,
} from './checkpoint.ts';
import type { CheckSignature, NoteKey } from './checkpoint.ts';
import type { Hash, Sha256 } from './merkle.ts';

const sha256: Sha256 = (bytes) => Bun.SHA256.hash(bytes) as Hash;
const derHead = Uint8Array.fromHex('302a300506032b6570032100');
const check: CheckSignature = ({ publicKey }, text, signature) =>
  verify(
    null,
    text,
    createPublicKey({ key: Buffer.concat([derHead, publicKey]), format: 'der', type: 'spki' }),
    signature,
  );

/** The example of the Go implementation of signed notes. */
const peterKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const peterNote = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

describe("notes of others' making", () => {
  test('are read, and their signatures hold', () => {
    const key = keyFromText(sha256, peterKey);
    const note = noteFromText(peterNote);
    if (key === null || note === null) throw new Error('not read');
    expect(keyText(sha256, key)).toBe(peterKey);
    const [signature] = note.signatures;
    expect(signature?.name).toBe('PeterNeumann');
    expect(check(key, new TextEncoder().encode(note.text), signature?.signature ?? new Uint8Array())).toBe(
      true,
    );
    expect(new Uint8Array(keyIdOf(sha256, key)).toHex()).toBe('c74f20a3');
  });

  test("the standard's example of a checkpoint is read", () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const note = noteFromText(
      `${text}\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n`,
    );
    expect(note?.text).toBe(text);
    const checkpoint = checkpointFromText(text);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(checkpoint === null ? '' : checkpointText(checkpoint)).toBe(text);
  });
});

const pair = generateKeyPairSync('ed25519');
const key: NoteKey = {
  name: 'example.com/ledger',
  publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
};
const root = sha256(Uint8Array.of(1));
const note = noteText(sha256, checkpointText({ origin: key.name, size: 7, root }), key, (bytes) =>
  sign(null, bytes, pair.privateKey),
);

test('a checkpoint that was signed is read again; one that was touched is not', () => {
  expect(signedCheckpoint(sha256, note, key, check)).toEqual({ origin: key.name, size: 7, root });
  expect(signedCheckpoint(sha256, note.replace('\n7\n', '\n8\n'), key, check)).toBe('not signed by this key');
  expect(signedCheckpoint(sha256, note, { ...key, name: 'other' }, check)).toBe('not signed by this key');
  expect(signedCheckpoint(sha256, 'hello', key, check)).toBe('not a checkpoint');
});

test('a proof is read as it was written', () => {
  const proof = { index: 3, path: [root, sha256(root)], entry: '{"id":"req_ü"}', checkpoint: note };
  expect(proofFromText(proofText(proof))).toEqual(proof);
  expect(proofFromText(proofText({ ...proof, entry: null, path: [] }))).toEqual({
    ...proof,
    entry: null,
    path: [],
  });
  expect(proofFromText(proofText(proof).replace('index 3', 'index 03'))).toBeNull();
});
