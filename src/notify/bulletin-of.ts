/** What is to be told of a change; null when nothing is. */
import type { Bulletin } from '../core/bulletin.ts';
import { incidentBulletin, messageBulletin } from '../core/incident-bulletin.ts';
import { playbookBulletin, questionOf } from '../core/playbook-bulletin.ts';
import type { Change } from '../core/record.ts';
import { switchBulletin } from '../core/switch-bulletin.ts';
import { warningBulletin } from '../core/warning-bulletin.ts';

/** `answerPage` is where a playbook's question can be answered. */
export function bulletinOf(change: Change, answerPage: (step: string) => string): Bulletin | null {
  const question = questionOf(change);
  return (
    switchBulletin(change) ??
    incidentBulletin(change) ??
    messageBulletin(change) ??
    warningBulletin(change) ??
    playbookBulletin(change, question === null ? null : answerPage(question))
  );
}
