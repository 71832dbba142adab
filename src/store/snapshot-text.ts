/**
 * The text of a configuration held against the hash that records name it by, so that "which policy applied?" has an answer
 * that nobody can have written afterwards. Where files of texts belonged to it (`locales`), its own text is not all that was
 * hashed, and nothing is claimed.
 */
import type { Database } from 'bun:sqlite';

export const snapshotHash = (text: string): string => Bun.SHA256.hash(text, 'hex').slice(0, 16);

/** Null: that cannot be told. */
export function isIntact(hash: string, text: string): boolean | null {
  if (snapshotHash(text) === hash) return true;
  return /\blocales\b/.test(text) ? null : false;
}

/** Hashes of kept texts that were edited. */
export function editedSnapshots(database: Database): readonly string[] {
  const kept = database.query<{ hash: string; text: string }, []>(
    'SELECT hash, text FROM snapshots ORDER BY at',
  );
  const edited: string[] = [];
  // One at a time: each may be a megabyte, and there is one for every change of the configuration.
  for (const { hash, text } of kept.iterate()) if (isIntact(hash, text) === false) edited.push(hash);
  return edited;
}
