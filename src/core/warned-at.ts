/** Which warnings about answers stood at a moment, read from what was written down. It judges nothing: it only finds them. */
import type { Instant } from './ids.ts';
import type { Change } from './record.ts';

export type Warned = { readonly target: string; readonly words: string };

/** `changes`: of warnings that came and went, in any order. */
export function warnedAt(
  changes: readonly Change[],
  targets: ReadonlySet<string>,
  at: Instant,
): readonly Warned[] {
  const standing = new Map<string, Warned>();
  const before = changes.filter((change) => change.at <= at && targets.has(change.subject));
  for (const { kind, subject, reason, before: was, after } of before.toSorted(
    (one, other) => one.at - other.at,
  )) {
    if (kind === 'quality.cleared') standing.delete(`${subject} ${String(was)}`);
    if (kind === 'quality.warned')
      standing.set(`${subject} ${String(after)}`, { target: subject, words: reason ?? '' });
  }
  return [...standing.values()];
}

export function warnedSentence({ target, words }: Warned): string {
  return `Of ${target} it was known then that its answers were not like before: ${words}.`;
}
