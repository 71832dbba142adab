/** The key that signs checkpoints: Ed25519, from the configuration or made with the store and kept there. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { CheckSignature, NoteKey } from '../core/checkpoint.ts';
import type { Hash, Sha256 } from '../core/merkle.ts';
import type { Secret } from '../core/secret.ts';
import type { Store } from '../store/store.ts';

export const sha256: Sha256 = (bytes) => Bun.SHA256.hash(bytes) as Hash;

export type LedgerKey = { readonly key: NoteKey; readonly sign: (bytes: Uint8Array) => Uint8Array };

const publicBytes = 32;
/** What stands before the bytes of a public key in DER. */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');

export const checkSignature: CheckSignature = ({ publicKey }, text, signature) => {
  const der = Buffer.concat([spkiHead, publicKey]);
  return verify(null, text, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
};

/** A PKCS #8 PEM; a string says why it cannot be used. */
function readKey(pem: string): KeyObject | string {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : 'is not an Ed25519 key';
  } catch {
    return 'is not a private key in PEM';
  }
}

export function madeKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
}

const madeOrigin = (): string => `breakwater.invalid/${Bun.randomUUIDv7().slice(-12)}`;

export async function ledgerKey(
  store: Pick<Store, 'ledgerKey' | 'ledgerOrigin'>,
  given: { readonly origin: string | null; readonly signingKey: Secret | null },
): Promise<LedgerKey | string> {
  const read = readKey(given.signingKey?.reveal() ?? (await store.ledgerKey(madeKey())));
  if (typeof read === 'string')
    return `audit.signingKey ${read}. Make one with: openssl genpkey -algorithm ed25519`;
  const name = given.origin ?? (await store.ledgerOrigin(madeOrigin()));
  const der = createPublicKey(read).export({ format: 'der', type: 'spki' });
  return {
    key: { name, publicKey: new Uint8Array(der.subarray(-publicBytes)) },
    sign: (bytes) => sign(null, bytes, read),
  };
}
