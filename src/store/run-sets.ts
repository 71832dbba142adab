/**
 * Which entries of a run have something: a bit for each of its 4,096 places. On disk a set is its places, two bytes each,
 * or all the bits where that is shorter, so none is longer than 512 bytes, however many entries have a word.
 */
export const runLeaves = 2 ** 12;
const maskBytes = runLeaves / 8;

/** A bit for each place, the lowest first. */
export type Mask = Uint8Array<ArrayBuffer>;

export const emptyMask = (): Mask => new Uint8Array(maskBytes);

export function mark(mask: Mask, place: number): void {
  mask[place >> 3] = (mask[place >> 3] ?? 0) | (1 << (place & 7));
}

/** Places in rising order → the shorter form. */
export function packedPlaces(places: readonly number[]): Uint8Array<ArrayBuffer> {
  if (places.length * 2 < maskBytes) return new Uint8Array(new Uint16Array(places).buffer);
  const mask = emptyMask();
  for (const place of places) mark(mask, place);
  return mask;
}

/** Adds a packed set to a mask. */
export function addPacked(mask: Mask, packed: Uint8Array): void {
  if (packed.length === maskBytes)
    for (let at = 0; at < maskBytes; at++) mask[at] = (mask[at] ?? 0) | (packed[at] ?? 0);
  else
    for (let at = 0; at < packed.length; at += 2)
      mark(mask, (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8));
}

export function isEmpty(mask: Mask): boolean {
  for (let at = 0; at < maskBytes; at++) if (mask[at] !== 0) return false;
  return true;
}

/** Keeps what is in both; says whether anything is. */
export function narrow(mask: Mask, other: Mask): boolean {
  let some = 0;
  for (let at = 0; at < maskBytes; at++) some |= mask[at] = (mask[at] ?? 0) & (other[at] ?? 0);
  return some !== 0;
}

/** Takes out what is in another. */
export function exclude(mask: Mask, other: Mask): void {
  for (let at = 0; at < maskBytes; at++) mask[at] = (mask[at] ?? 0) & ~(other[at] ?? 0);
}

/** Places below a bound, the highest first. */
export function placesIn(mask: Mask, below = runLeaves): number[] {
  const places: number[] = [];
  const end = Math.min(below, runLeaves);
  for (let at = ((end + 7) >> 3) - 1; at >= 0; at--) {
    const bits = mask[at] ?? 0;
    if (bits === 0) continue;
    for (let bit = 7; bit >= 0; bit--) if ((bits >> bit) & 1 && at * 8 + bit < end) places.push(at * 8 + bit);
  }
  return places;
}
