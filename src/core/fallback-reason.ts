/**
 * Why the preferred target did not answer: how it failed, why it was no candidate, or why another one was asked first
 * although nothing was wrong with it. One closed vocabulary, for headers, records, filters and documents.
 *
 * It refuses to say what happened in a request; `gateway/story.ts` does.
 */
import { arrangements } from './arrangement.ts';
import { failureClasses } from './failure.ts';
import { exclusionReasons } from './record.ts';

export const fallbackReasons = [...new Set([...failureClasses, ...exclusionReasons, ...arrangements])];
export type FallbackReason = (typeof fallbackReasons)[number];
