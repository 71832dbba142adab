/**
 * Words for people, shared by everything that explains: lists, durations, moments, hops, boundaries. Text in, text out;
 * what a value means is decided elsewhere.
 */
import type { BoundaryCrossing, Capability, Hop } from './target.ts';

/** `a`, `a and b`, `a, b and c`. */
export function listWords(list: readonly string[], joint = 'and'): string {
  if (list.length <= 1) return list.join('');
  return `${list.slice(0, -1).join(', ')} ${joint} ${list.at(-1) ?? ''}`;
}

/** `1 attempt`, `3 attempts`. */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. Rounds before it chooses the unit, so that it never says "60.0 s". */
export function durationWords(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  const tenths = Math.round(whole / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(whole / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** `2026-06-07T09:00:00.123Z` → `7 June 2026, 09:00:00 UTC`; any other text is left as it is. */
export function momentWords(rfc3339: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z$/.exec(rfc3339);
  const month = months[Number(match?.[2]) - 1];
  return match === null || month === undefined
    ? rfc3339
    : `${Number(match[3])} ${month} ${match[1]}, ${match[4]} UTC`;
}

/** What the hop leads to, to complete "it was answered by …". */
export const hopWords: Record<Hop, string> = {
  same_model: 'the same model at another provider',
  same_vendor: 'another model of the same vendor',
  other_vendor: "another vendor's model",
  local: 'a local model',
};

export const crossingWords: Record<BoundaryCrossing, string> = {
  entity: 'another company',
  region: 'another region',
  retention: 'longer or unknown retention',
};

export const capabilityWords: Record<Capability, string> = {
  tools: 'tool calls',
  vision: 'images',
  documents: 'documents',
  audio: 'audio',
  structured_output: 'answers in a fixed structure',
  thinking: 'thinking before it answers',
  streaming: 'answers in a stream',
};

/** `none`, `30d`, `unknown` → how long content is kept, in words. */
export function keptWords(retention: string): string {
  if (retention === 'none') return 'not kept there';
  const days = /^(\d+)d$/.exec(retention)?.[1];
  return days === undefined
    ? 'kept for an unknown time'
    : `kept there for up to ${countWords(Number(days), 'day')}`;
}
