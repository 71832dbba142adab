/**
 * Whether a caller who left was driven away. Callers hang up for reasons of their own all the time; but one who waited
 * for a first token longer than healthy answers ever make anybody wait tells of the target, and in real outages nearly
 * half of all requests ended like that. Half the age is judged, so that twofold slowness drives nobody away.
 */
import { stillWaiting } from './first-token.ts';
import type { FirstToken } from './first-token.ts';

/** One healthy request in fifty may still wait at that age. */
const usualShare = 0.02;
/** Whoever leaves sooner did not wait. */
const ageMsMin = 3_000;

export function leftInSilence(known: FirstToken, ageMs: number): boolean {
  return ageMs >= ageMsMin && stillWaiting(known, ageMs / 2) < usualShare;
}
