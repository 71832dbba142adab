/**
 * What is said of the ledger to the outside: signed checkpoints, proofs, exports; whether it is the one that was signed
 * before; and the two verbs that touch it, acknowledging what was found and erasing one user.
 */
import { z } from 'zod';

import {
  checkpointFromText,
  checkpointText,
  consistencyText,
  keyText,
  noteFromText,
  noteText,
  proofText,
} from '../core/checkpoint.ts';
import { heldWords } from '../core/hold.ts';
import type { Hash } from '../core/merkle.ts';
import type { KeptCheckpoint, Store } from '../store/store.ts';
import { sha256 } from './ledger-key.ts';
import type { LedgerKey } from './ledger-key.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput } from './verb.ts';
import type { ControlDependencies, ControlError, Result } from './verb.ts';

export type LedgerDependencies = ControlDependencies & { readonly signer: LedgerKey };

const fromHex = (hex: string): Hash => Uint8Array.fromHex(hex);

/** Signs the tree as it is now, and keeps that. */
export async function signCheckpoint({ store, now, signer }: LedgerDependencies): Promise<KeptCheckpoint> {
  const { size, root } = await store.treeHead();
  const text = checkpointText({ origin: signer.key.name, size, root: fromHex(root) });
  const checkpoint = { size, at: now(), note: noteText(sha256, text, signer.key, signer.sign) };
  await store.saveCheckpoint(checkpoint);
  return checkpoint;
}

/** A checkpoint that has the leaf: the last one, or one that is made. */
async function checkpointOver(index: number, dependencies: LedgerDependencies): Promise<KeptCheckpoint> {
  const [last] = await dependencies.store.loadCheckpoints(1);
  return last !== undefined && last.size > index ? last : signCheckpoint(dependencies);
}

export type Proof = { readonly text: string; readonly index: number; readonly erased: boolean };

/** That a record or a change is in the ledger, with the entry itself where it was not erased. */
export async function proveEntry(id: string, dependencies: LedgerDependencies): Promise<Proof | null> {
  const { store } = dependencies;
  const leaf = await store.leafOf(id);
  if (leaf === null) return null;
  const { size, note } = await checkpointOver(leaf.index, dependencies);
  const path = (await store.inclusionPath(leaf.index, size)).map(fromHex);
  const text = proofText({ index: leaf.index, path, entry: leaf.text, checkpoint: note });
  return { text, index: leaf.index, erased: leaf.text === null };
}

/** That the ledger of today begins with the one of then; null when there never was one so large. */
export async function proveConsistency(
  from: number,
  dependencies: LedgerDependencies,
): Promise<string | null> {
  const { size, note } = await signCheckpoint(dependencies);
  if (from > size) return null;
  return consistencyText(from, (await dependencies.store.consistencyPath(from, size)).map(fromHex), note);
}

const leavesAtATime = 500;
const checkpointsShown = 10_000;
export const exportFormat = 'breakwater-export/1';

const linesOf = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Everything that somebody needs who verifies the ledger without us: one JSON object a line, many lines a piece. */
export async function* exportLedger(dependencies: LedgerDependencies): AsyncGenerator<string> {
  const { store, signer } = dependencies;
  const { size, note } = await signCheckpoint(dependencies);
  const key = keyText(sha256, signer.key);
  const older = (await store.loadCheckpoints(checkpointsShown)).filter((each) => each.size < size);
  yield linesOf([
    { format: exportFormat, origin: signer.key.name, key, size },
    // Before the entries, so that each can be met on the way.
    ...older.toReversed().map((each) => ({ checkpoint: each.note })),
    { checkpoint: note },
  ]);
  for (let from = 0; from < size; from += leavesAtATime) {
    const leaves = await store.leavesFrom(from, Math.min(leavesAtATime, size - from));
    yield linesOf(leaves.map(({ index, hash, text }) => ({ index, hash, entry: text })));
  }
}

/** What the tree looks like beside the last checkpoint that is known. */
export type Standing =
  | { readonly kind: 'sound' }
  /** Entries that were there are gone. */
  | { readonly kind: 'truncated'; readonly size: number; readonly expected: number }
  /** As many entries, but not the same. */
  | { readonly kind: 'forked'; readonly size: number; readonly expected: number }
  /** Nothing can be written to where it is. */
  | { readonly kind: 'unwritable'; readonly words: string }
  /** It cannot be read; what traffic needs is known from elsewhere, or is not. */
  | { readonly kind: 'damaged'; readonly words: string; readonly isKnown: boolean };

/** Compares the tree with notes from before. Their signatures are not needed: they are compared, not believed. */
export async function standingOf(
  store: Pick<Store, 'treeHead' | 'rootAt'>,
  notes: readonly string[],
): Promise<Standing> {
  const { size } = await store.treeHead();
  for (const note of notes) {
    const checkpoint = checkpointFromText(noteFromText(note)?.text ?? '');
    if (checkpoint === null) continue;
    if (checkpoint.size > size) return { kind: 'truncated', size, expected: checkpoint.size };
    if ((await store.rootAt(checkpoint.size)) !== checkpoint.root.toHex())
      return { kind: 'forked', size, expected: checkpoint.size };
  }
  return { kind: 'sound' };
}

export function standingWords(standing: Standing): string {
  switch (standing.kind) {
    case 'sound':
      return 'The ledger is the one that was signed.';
    case 'truncated':
      return `The ledger was truncated: it has ${standing.size} entries, and a checkpoint was signed over ${standing.expected}. Nothing is written to it until somebody acknowledges that; traffic is not affected.`;
    case 'forked':
      return `The ledger was changed: its first ${standing.expected} entries are not those that were signed. Nothing is written to it until somebody acknowledges that; traffic is not affected.`;
    case 'unwritable':
      return `The store cannot be written (${standing.words}). Records wait on local disk where they can; it is tried again every few seconds; traffic is not affected.`;
    case 'damaged':
      return `The store is damaged (${standing.words}). ${standing.isKnown ? 'Traffic flows with the keys and switches that were known last' : 'Keys and switches are not known, because there is no copy of them'}; records wait on local disk, and nothing else is written. Restore it from a backup, or move it aside and begin a new one: breakwater audit acknowledge --reason "…"`;
  }
}

export const acknowledgeInput = z.strictObject({ reason });
export const eraseInput = z.strictObject({ user: z.string().min(1).max(256), reason });

type Acknowledging = LedgerDependencies & {
  readonly standing: () => Standing;
  readonly settle: (standing: Standing) => Promise<void>;
  /** Moves damaged files aside and begins a new store; says where they are. */
  readonly startAfresh: () => Promise<string>;
};

/** A person has seen that the ledger is not the one that was signed; writing goes on from here, and that is written first. */
export function acknowledgeLedger(
  input: unknown,
  actor: string,
  dependencies: Acknowledging,
): Promise<Result<Standing>> {
  return carryOut<Standing>({ actor, subject: 'ledger' }, dependencies, async () => {
    const parsed = parseInput(acknowledgeInput, input);
    if (parsed.kind === 'error') return parsed;
    const before = dependencies.standing();
    if (before.kind === 'sound' || before.kind === 'unwritable')
      return controlError('conflict', standingWords(before), 'There is nothing to acknowledge.');
    const { store } = dependencies;
    const aside = before.kind === 'damaged' ? await dependencies.startAfresh() : null;
    if (aside === null) {
      await store.setReadOnly(false);
      await store.mendLedger();
    }
    const head = await store.treeHead();
    const change = newChange(
      {
        kind: 'ledger.acknowledged',
        actor,
        subject: 'ledger',
        reason: parsed.value.reason,
        before,
        after: aside === null ? head : { ...head, moved_to: aside },
      },
      dependencies,
    );
    await store.appendChange(change);
    await dependencies.settle(before);
    return done(before);
  });
}

export type Erased = { readonly records: number; readonly contents: number };

export type Erasing = ControlDependencies & {
  /** Destroys the keys of what was captured of a user. */
  readonly content: {
    /** Holds that cover something captured of a user. */
    readonly heldBy: (user: string) => Promise<readonly string[]>;
    /** Destroys the keys of what was captured of a user. */
    readonly destroy: (user: string) => Promise<{ readonly keys: number; readonly contents: number }>;
  };
};

/**
 * Erases every record of a user, and what was captured. Leaves stay, so that the ledger still verifies and says that
 * something was there.
 */
export function eraseUser(input: unknown, actor: string, dependencies: Erasing): Promise<Result<Erased>> {
  return carryOut<Erased>({ actor, subject: 'records' }, dependencies, async () => {
    const parsed = parseInput(eraseInput, input);
    if (parsed.kind === 'error') return parsed;
    const refuse = (holds: readonly string[]): ControlError =>
      controlError('conflict', heldWords(holds), 'Release the hold first: breakwater hold list');
    const { user, reason: why } = parsed.value;
    const { store, content } = dependencies;
    const holds = await content.heldBy(user);
    if (holds.length > 0) return refuse(holds);
    // The name of who was erased is not written down.
    const facts = { actor, subject: 'user', reason: why, before: null } as const;
    const change = newChange({ ...facts, kind: 'records.erased', after: null }, dependencies);
    const outcome = await store.eraseUser(user, change);
    if (outcome.kind === 'held') return refuse(outcome.holds);
    const destroyed = await content.destroy(user);
    if (destroyed.keys > 0)
      await store.appendChange(
        newChange({ ...facts, kind: 'content.erased', after: destroyed }, dependencies),
      );
    return done({ records: outcome.records, contents: destroyed.contents });
  });
}
