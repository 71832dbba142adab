/**
 * What an answer to a fixed question was like, as a short list of numbers: how long, made of what, and which words, hashed
 * into a few buckets. Enough to tell that two sets of answers differ; the text itself is not kept and cannot be had back.
 * It refuses to say which answer is better.
 */
export type Traits = readonly number[];

const wordBuckets = 16;
const lengthWeight = 0.5;
const shareWeight = 2;
export const traitsLength = 6 + wordBuckets;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01_00_01_93);
  return value >>> 0;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
const countOf = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

export function traitsOf(text: string, isRefusal: boolean): Traits {
  const length = Math.max(1, text.length);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const buckets = Array<number>(wordBuckets).fill(0);
  for (const word of words) {
    const bucket = hash(word) % wordBuckets;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const share = (count: number): number => rounded(shareWeight * (count / length));
  return [
    rounded(lengthWeight * Math.log(1 + text.length)),
    rounded(lengthWeight * Math.log(1 + words.length)),
    share(countOf(text, /[.,;:!?()"'*_`#-]/g)),
    share(countOf(text, /\p{Lu}/gu)),
    share(countOf(text, /\n/g)),
    isRefusal ? 1 : 0,
    ...buckets.map((count) => rounded(Math.sqrt(count / Math.max(1, words.length)))),
  ];
}

/** How far apart two answers are. */
export function distance(one: Traits, other: Traits): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += ((one[index] ?? 0) - (other[index] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** The length of the text, as far as it can be told. */
export function lengthOf(traits: Traits): number {
  return Math.exp((traits[0] ?? 0) / lengthWeight) - 1;
}
