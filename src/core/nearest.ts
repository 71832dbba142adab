/** The known name nearest to one that is not known, for "did you mean". Levenshtein distance; no guess when far off. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const replaced = (previous[column - 1] ?? 0) + (same ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Longer names are not compared. */
const lengthMax = 100;

export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > lengthMax) return null;
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    if (candidate.length > lengthMax) continue;
    const apart = distance(name.toLowerCase(), candidate.toLowerCase());
    if (best === null || apart < best.distance) best = { name: candidate, distance: apart };
  }
  return best !== null && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.name : null;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = nearest(name, known);
  return found === null ? '' : `did you mean "${found}"?`;
}
