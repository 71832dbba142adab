/** What is to be told of a change; null when nothing is. */
import type { Bulletin } from '../core/bulletin.ts';
import { incidentBulletin, messageBulletin } from '../core/incident-bulletin.ts';
import { playbookBulletin } from '../core/playbook-bulletin.ts';
import type { Change } from '../core/record.ts';
import { switchBulletin } from '../core/switch-bulletin.ts';

export function bulletinOf(change: Change): Bulletin | null {
  return (
    switchBulletin(change) ?? incidentBulletin(change) ?? messageBulletin(change) ?? playbookBulletin(change)
  );
}
