/**
 * Whether a playbook fits the configuration beside it: the channels it tells and the scopes it speaks of. A name that
 * nobody has is found now, and not when the playbook is needed.
 *
 * It refuses to stop a playbook: what it can still do is better than nothing.
 */
import { didYouMean } from './nearest.ts';
import type { Playbook } from './playbook.ts';
import type { Snapshot } from './snapshot.ts';
import { reach, scopeText } from './switches.ts';
import type { Scope } from './switches.ts';

const isVariable = (value: string): boolean => value.startsWith('$');

/** What does not fit, each as a sentence. */
export function unfitWords({ name, match, decide }: Playbook, snapshot: Snapshot): readonly string[] {
  const { channels } = snapshot;
  const found = new Set<string>();
  const checkScope = (scope: Scope, what: string): void => {
    if (Object.values(scope).some(isVariable) || reach(scope, snapshot).length > 0) return;
    found.add(`Playbook ${name} ${what} ${scopeText(scope)}, and no target is meant by that.`);
  };
  checkScope(match.scope, 'waits for');
  for (const { steps } of decide)
    for (const step of steps) {
      if (step.kind === 'switch') checkScope(step.scope, 'switches');
      if (step.kind !== 'notify' || channels.has(step.channel)) continue;
      const hint = didYouMean(step.channel, channels.keys());
      found.add(
        `Playbook ${name} tells the channel ${step.channel}, and there is none of this name${hint === '' ? '' : ` (${hint})`}.`,
      );
    }
  return [...found];
}

export const twiceWords = (path: string, name: string): string =>
  `${path}: error: another file has a playbook ${name}; rename one of them`;

export const noneWords = (pattern: string): string => `There is no playbook at ${pattern}.`;
