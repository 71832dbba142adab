/**
 * Where the second half of an answer is joined to the first, when another model carries on after a cut.
 *
 * A model that is asked to go on often repeats the last words first. What it repeats is found by the longest overlap: the
 * longest beginning of the new text that is also the end of the old one. A chance letter in common must not eat a letter
 * of a cut word, so an overlap counts only where it begins a word of the old text, or is too long for chance (which also
 * serves writing without spaces).
 *
 * The new text comes in pieces, so it is held back for as long as a longer overlap is still possible, and no longer. It
 * refuses to guess beyond that: nothing is ever cut from the old text, which the caller already has.
 */

/** The end of the old text that is looked at. */
export const overlapMax = 4_000;
/** An overlap this long is no chance, wherever it begins. */
const sureLength = 12;

const wordCharacter = /[\p{L}\p{N}\p{M}]/u;

function beginsWord(old: string, at: number): boolean {
  return at === 0 || !wordCharacter.test(old.charAt(at - 1)) || !wordCharacter.test(old.charAt(at));
}

/** How much of the beginning of `fresh` repeats the end of `old`. */
export function overlapOf(old: string, fresh: string): number {
  const longest = Math.min(old.length, fresh.length, overlapMax);
  for (let length = longest; length > 0; length--) {
    const at = old.length - length;
    if (!old.endsWith(fresh.slice(0, length))) continue;
    if (length >= sureLength || beginsWord(old, at)) return length;
  }
  return 0;
}

/** Whether more of the new text could still make a longer overlap: all of it so far stands in the old text. */
function mayGrow(old: string, held: string): boolean {
  return old.slice(-overlapMax, -1).includes(held);
}

export type Seam = {
  readonly old: string;
  /** New text that is held back until the seam is found. */
  readonly held: string;
  /** How many characters were cut; null until the seam is found. */
  readonly overlap: number | null;
};

export function openSeam(old: string): Seam {
  return { old, held: '', overlap: null };
}

export type SeamStep = { readonly seam: Seam; readonly text: string };

function found(seam: Seam, held: string): SeamStep {
  const overlap = overlapOf(seam.old, held);
  return { seam: { ...seam, held: '', overlap }, text: held.slice(overlap) };
}

/** Takes a piece of the new text; gives what may go out. */
export function pushSeam(seam: Seam, piece: string): SeamStep {
  if (seam.overlap !== null) return { seam, text: piece };
  const held = seam.held + piece;
  if (held !== '' && mayGrow(seam.old, held)) return { seam: { ...seam, held }, text: '' };
  return held === '' ? { seam, text: '' } : found(seam, held);
}

/** The new text has ended: what was held back goes out, without what it repeats. */
export function closeSeam(seam: Seam): SeamStep {
  return seam.overlap === null ? found(seam, seam.held) : { seam, text: '' };
}
