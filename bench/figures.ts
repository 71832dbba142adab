/** Figures of many measurements. */

/** The middle one; the upper of two. NaN of none. */
export const median = (list: readonly number[]): number =>
  list.toSorted((one, other) => one - other)[list.length >> 1] ?? Number.NaN;
