/**
 * The bulletin of what a playbook says: a notice for one channel, or a question for everybody who answers questions. From
 * the audit entry alone, like every bulletin.
 */
import { bounded } from './bulletin.ts';
import type { Bulletin } from './bulletin.ts';
import type { Change } from './record.ts';
import { messageId } from './switch-bulletin.ts';

type Notified = {
  readonly run: string;
  readonly playbook: string;
  /** Null: a question, for every channel that wants it. */
  readonly channel: string | null;
  readonly text: string;
};

function isNotified(value: unknown): value is Notified {
  return (
    typeof value === 'object' && value !== null && 'run' in value && 'text' in value && 'channel' in value
  );
}

/** The one channel a notice is for; null for every one that wants it. */
export function channelOf(change: Change): string | null {
  return change.kind === 'playbook.notified' && isNotified(change.after) ? change.after.channel : null;
}

export function playbookBulletin(change: Change): Bulletin | null {
  if (change.kind !== 'playbook.notified' || !isNotified(change.after)) return null;
  const { run, playbook, channel, text } = change.after;
  const isQuestion = channel === null;
  return bounded({
    id: messageId(change),
    type: 'playbook.notified',
    at: change.at,
    subject: run,
    stage: 'goes_on',
    severity: isQuestion ? 'error' : 'warning',
    title: isQuestion ? `A decision is needed: ${text}` : text,
    text: isQuestion
      ? `Playbook ${playbook} asks: ${text} Answer with: breakwater playbook answer ${run} approve --reason "…"`
      : `Playbook ${playbook}: ${text}`,
    facts: [
      { name: 'Playbook', value: playbook },
      { name: 'Run', value: run },
    ],
    page: null,
  });
}
