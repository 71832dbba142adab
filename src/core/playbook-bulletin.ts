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
  /** The step of the run, as its key. */
  readonly step: string;
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

/** The step that asks people; null for anything else. */
export function questionOf(change: Change): string | null {
  return change.kind === 'playbook.notified' && isNotified(change.after) && change.after.channel === null
    ? change.after.step
    : null;
}

/** `answerPage` is where a question can be answered; null where there is no such page. */
export function playbookBulletin(change: Change, answerPage: string | null): Bulletin | null {
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
    page: isQuestion ? answerPage : null,
  });
}
