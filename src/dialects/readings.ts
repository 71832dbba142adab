/** Readings without neutral events, made once: reading the caller's own dialect allocates nothing per event. */
import type { AnswerEvent } from './conversation.ts';
import type { ErrorWords, EventMeaning, ReadEvent } from './dialect.ts';

export type PlainMeaning = Exclude<EventMeaning['kind'], 'error'>;

const noEvents: readonly AnswerEvent[] = Object.freeze([]);

function plain(kind: PlainMeaning): ReadEvent {
  return Object.freeze({ meaning: Object.freeze({ kind }), events: noEvents });
}

export const readings = {
  preamble: plain('preamble'),
  liveness: plain('liveness'),
  content: plain('content'),
  progress: plain('progress'),
  terminal: plain('terminal'),
  truncated: plain('truncated'),
  malformed: plain('malformed'),
  unknown: plain('unknown'),
} as const satisfies Record<PlainMeaning, ReadEvent>;

export function errorReading(words: ErrorWords): ReadEvent {
  return { meaning: { kind: 'error', words }, events: noEvents };
}

/** A reading with the neutral events it gave. */
export function reading(kind: PlainMeaning, events: readonly AnswerEvent[]): ReadEvent {
  return events.length === 0 ? readings[kind] : { meaning: { kind }, events };
}
