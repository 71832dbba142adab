/**
 * Shares as people read them. What somebody wrote down is shown as written; what was counted is shown to two digits of
 * whichever is rarer, the thing or its absence, so that `99.95 %` is never rounded up to a whole that it is not, and
 * `0.3 %` not down to nothing. It refuses to decide anything.
 */

const decimalsMax = 4;
const least = 10 ** -decimalsMax;

/** A share that was agreed or promised, a fraction of 1: `12.5 %`, `99.95 %`. */
export const writtenShare = (share: number): string => `${Number((share * 100).toFixed(decimalsMax))} %`;

/** A share that was counted, a fraction of 1: `26 %`, `0.3 %`, `99.97 %`; `0 %` and `100 %` only where that is exact. */
export function countedShare(share: number): string {
  const percent = share * 100;
  if (percent <= 0 || percent >= 100) return `${Math.round(percent)} %`;
  const rare = Math.max(least, Math.min(percent, 100 - percent));
  const decimals = Math.min(decimalsMax, Math.max(0, 1 - Math.floor(Math.log10(rare))));
  const shown = Number(percent.toFixed(decimals));
  return `${Math.min(100 - least, Math.max(least, shown))} %`;
}
