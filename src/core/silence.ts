/**
 * Whether a caller who left was driven away. Callers hang up for reasons of their own all the time; but one who waited
 * longer than healthy answers ever make anybody wait tells of the target, and in real outages nearly half of all
 * requests ended like that. Before the first token, half the age is judged by what is usual, so that twofold slowness
 * drives nobody away; after it, silence counts from half the limit at which the gateway itself would have given up.
 */
import { stillWaiting } from './first-token.ts';
import type { FirstToken } from './first-token.ts';

/** One healthy request in fifty may still wait at that age. */
const usualShare = 0.02;
/** Whoever leaves sooner did not wait. */
const silentMsMin = 3_000;

export function leftBeforeFirstToken(known: FirstToken, silentMs: number): boolean {
  return silentMs >= silentMsMin && stillWaiting(known, silentMs / 2) < usualShare;
}

export function leftInStall(silentMs: number, stallMs: number): boolean {
  return silentMs >= silentMsMin && silentMs >= stallMs / 2;
}
