/** What a request said that the neutral form has no place for: a lack when the answer depends on it, else a warning. */
import type { Conversation } from './conversation.ts';

export function lackOf(conversation: Conversation): string | null {
  return conversation.leftOver.find((each) => each.matters)?.what ?? null;
}

export function warningsOf(conversation: Conversation): readonly string[] {
  return [...new Set(conversation.leftOver.filter((each) => !each.matters).map((each) => each.what))];
}
