/**
 * Checkpoints and proofs as text that others can read: signed notes, checkpoints and proofs of the C2SP (c2sp.org/signed-note,
 * tlog-checkpoint, tlog-proof, tlog-witness for consistency). Text to value and back; signing and checking of signatures are
 * arguments. A note is read only so far as its form: whoever takes it for true checks a signature first.
 */
import type { Hash, Sha256 } from './merkle.ts';

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash };

export type NoteSignature = {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
};
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** Who signs: a name and an Ed25519 public key of 32 bytes. */
export type NoteKey = { readonly name: string; readonly publicKey: Uint8Array };

const ed25519 = 0x01;
const keyIdBytes = 4;
/** Every note that has more is refused. */
const signaturesMax = 16;

const utf8 = new TextEncoder();
export const base64 = (bytes: Uint8Array): string => new Uint8Array(bytes).toBase64();

function fromBase64(text: string): Hash | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

export function keyIdOf(sha256: Sha256, { name, publicKey }: NoteKey): Uint8Array {
  const input = Uint8Array.from([...utf8.encode(`${name}\n`), ed25519, ...publicKey]);
  return sha256(input).subarray(0, keyIdBytes);
}

/** `name+0123abcd+AQ…`, as tools for notes take keys. */
export function keyText(sha256: Sha256, key: NoteKey): string {
  const id = new Uint8Array(keyIdOf(sha256, key)).toHex();
  return `${key.name}+${id}+${base64(Uint8Array.from([ed25519, ...key.publicKey]))}`;
}

/** Null when it is not one, or its id is not its own. */
export function keyFromText(sha256: Sha256, text: string): NoteKey | null {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  const bytes = fromBase64(rest.join('+'));
  if (bytes === null || bytes[0] !== ed25519 || bytes.length !== 33 || name === '') return null;
  const key = { name, publicKey: bytes.subarray(1) };
  return new Uint8Array(keyIdOf(sha256, key)).toHex() === id ? key : null;
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${base64(root)}\n`;
}

export function checkpointFromText(text: string): Checkpoint | null {
  const [origin = '', sizeText = '', rootText = ''] = text.split('\n');
  const root = fromBase64(rootText);
  if (origin === '' || !/^(?:0|[1-9]\d{0,15})$/.test(sizeText) || root === null || root.length !== 32)
    return null;
  return { origin, size: Number(sizeText), root };
}

export function noteText(
  sha256: Sha256,
  text: string,
  key: NoteKey,
  sign: (bytes: Uint8Array) => Uint8Array,
): string {
  const signature = Uint8Array.from([...keyIdOf(sha256, key), ...sign(utf8.encode(text))]);
  return `${text}\n— ${key.name} ${base64(signature)}\n`;
}

/** Null when it has not the form of a note. */
export function noteFromText(note: string): Note | null {
  const split = note.lastIndexOf('\n\n');
  if (split < 0) return null;
  const lines = note.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > signaturesMax) return null;
  const signatures = lines.flatMap((line): readonly NoteSignature[] => {
    const [, name = '', encoded = ''] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    return bytes === null || bytes.length <= keyIdBytes
      ? []
      : [{ name, keyId: bytes.subarray(0, keyIdBytes), signature: bytes.subarray(keyIdBytes) }];
  });
  return signatures.length === lines.length ? { text: note.slice(0, split + 1), signatures } : null;
}

export type CheckSignature = (key: NoteKey, text: Uint8Array, signature: Uint8Array) => boolean;

/** Whether the key signed the note; signatures of others are not looked at. */
export function isSignedBy(sha256: Sha256, note: Note, key: NoteKey, check: CheckSignature): boolean {
  const id = new Uint8Array(keyIdOf(sha256, key)).toHex();
  const own = note.signatures.filter(
    ({ name, keyId }) => name === key.name && new Uint8Array(keyId).toHex() === id,
  );
  return own.length > 0 && own.every(({ signature }) => check(key, utf8.encode(note.text), signature));
}

/** The checkpoint of a note that the key signed; otherwise why there is none. */
export function signedCheckpoint(
  sha256: Sha256,
  noteAsText: string,
  key: NoteKey,
  check: CheckSignature,
): Checkpoint | 'not a checkpoint' | 'not signed by this key' {
  const note = noteFromText(noteAsText);
  const checkpoint = note === null ? null : checkpointFromText(note.text);
  if (note === null || checkpoint === null) return 'not a checkpoint';
  return isSignedBy(sha256, note, key, check) ? checkpoint : 'not signed by this key';
}

export type InclusionProof = {
  readonly index: number;
  readonly path: readonly Hash[];
  /** The entry itself, so that the proof needs nothing beside it. */
  readonly entry: string | null;
  /** A signed note. */
  readonly checkpoint: string;
};

const proofHead = 'c2sp.org/tlog-proof@v1';

export function proofText({ index, path, entry, checkpoint }: InclusionProof): string {
  const extra = entry === null ? [] : [`extra ${base64(utf8.encode(entry))}`];
  return [proofHead, ...extra, `index ${index}`, ...path.map(base64), '', checkpoint].join('\n');
}

export function proofFromText(text: string): InclusionProof | null {
  const split = text.indexOf('\n\n');
  const [head, ...lines] = text.slice(0, split).split('\n');
  if (split < 0 || head !== proofHead) return null;
  const extra = lines[0]?.startsWith('extra ') === true ? fromBase64(lines.shift()?.slice(6) ?? '') : null;
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  const path = lines.flatMap((line) => fromBase64(line) ?? []);
  if (index === undefined || path.length !== lines.length || path.some(({ length }) => length !== 32))
    return null;
  return {
    index: Number(index),
    path,
    entry: extra === null ? null : new TextDecoder().decode(extra),
    checkpoint: text.slice(split + 2),
  };
}

/** As a witness is asked (tlog-witness): the older size, the proof, the newer checkpoint. */
export function consistencyText(from: number, path: readonly Hash[], checkpoint: string): string {
  return [`old ${from}`, ...path.map(base64), '', checkpoint].join('\n');
}
