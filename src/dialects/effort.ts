/** How much a model is asked to think, in the words that OpenAI's formats share with the neutral form. */
import type { Effort } from './conversation.ts';
import { textOf } from './json-value.ts';
import type { LeftOvers } from './left-over.ts';

const efforts: ReadonlySet<string> = new Set([
  'none',
  'minimal',
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
] satisfies readonly Effort[]);

/** A word that is not known is dropped, and named. */
export function readEffort(value: unknown, leftOvers: LeftOvers): Effort | null {
  const effort = textOf(value);
  if (effort === null) return null;
  if (efforts.has(effort)) return effort as Effort;
  leftOvers.drop('reasoning_effort');
  return null;
}
