/**
 * What a request said that the neutral form has no place for: a lack when the answer depends on it, else a warning.
 * The words go into headers and records, so a caller's own word is cut to a short, harmless one.
 */
import type { Conversation } from './conversation.ts';
import type { JsonObject } from './dialect.ts';

type LeftOver = Conversation['leftOver'][number];

const wordLengthMax = 40;
/** Most dropped things named for one request. */
const wordsMax = 32;

function harmless(word: string): string {
  return word.replaceAll(/[^\w. -]/g, '_').slice(0, wordLengthMax);
}

export class LeftOvers {
  readonly #dropped = new Set<string>();
  #lacking: string | null = null;

  /** The answer does not depend on it. */
  drop(what: string): void {
    if (this.#dropped.size < wordsMax) this.#dropped.add(harmless(what));
  }

  /** Without it the request would mean something else. One is enough to rule a target out. */
  lack(what: string): void {
    this.#lacking ??= harmless(what);
  }

  list(): readonly LeftOver[] {
    const dropped = [...this.#dropped].map((what): LeftOver => ({ what, matters: false }));
    return this.#lacking === null ? dropped : [{ what: this.#lacking, matters: true }, ...dropped];
  }
}

/** Drops every field that is neither read elsewhere nor says nothing. */
export function dropUnread(body: JsonObject, isRead: ReadonlySet<string>, leftOvers: LeftOvers): void {
  for (const [key, value] of Object.entries(body)) {
    if (isRead.has(key) || value === null || value === undefined || value === false) continue;
    leftOvers.drop(key);
  }
}

export function lackOf(conversation: Conversation): string | null {
  return conversation.leftOver.find((each) => each.matters)?.what ?? null;
}

export function warningsOf(conversation: Conversation): readonly string[] {
  return conversation.leftOver.filter((each) => !each.matters).map((each) => each.what);
}
