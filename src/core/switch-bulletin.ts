/**
 * The bulletin of a switch: what was taken out or given back, by whom, why, until when. From the audit entry alone, so that
 * what is told is what was written down. A switch that only observes is nobody's news.
 */
import { instant } from './ids.ts';
import { momentText } from './moment.ts';
import { bounded } from './bulletin.ts';
import type { Bulletin, BulletinFact, BulletinType } from './bulletin.ts';
import type { Change } from './record.ts';
import { scopeText } from './switches.ts';
import type { Effect, Switch } from './switches.ts';
import { momentWords } from './words.ts';

type SwitchKind = Extract<BulletinType, `switch.${string}`>;
const kinds: readonly SwitchKind[] = [
  'switch.created',
  'switch.released',
  'switch.expired',
  'switch.overdue',
];

function isSwitch(value: unknown): value is Switch {
  return typeof value === 'object' && value !== null && 'scope' in value && 'effect' in value;
}

function effectWords(effect: Effect): string {
  switch (effect.kind) {
    case 'off':
      return 'Switched off';
    case 'last_resort':
      return 'Made the last resort';
    case 'shed':
      return `Relieved of ${effect.percent} %`;
  }
}

function titleOf(kind: SwitchKind, entry: Switch): string {
  const scope = scopeText(entry.scope);
  switch (kind) {
    case 'switch.created':
      return `${effectWords(entry.effect)}: ${scope}`;
    case 'switch.released':
      return `Switched on again: ${scope}`;
    case 'switch.expired':
      return `Switch has expired: ${scope}`;
    case 'switch.overdue':
      return `Still switched, though its time is over: ${scope}`;
  }
}

const stages: Readonly<Record<SwitchKind, Bulletin['stage']>> = {
  'switch.created': 'begins',
  'switch.overdue': 'goes_on',
  'switch.released': 'ends',
  'switch.expired': 'ends',
};

/** The id of a message comes from the id of the change it tells of. */
export const messageId = (change: Pick<Change, 'id'>): string => change.id.replace(/^chg_/, 'msg_');

export function switchBulletin(change: Change): Bulletin | null {
  const type = kinds.find((kind) => kind === change.kind);
  const entry = change.after;
  if (type === undefined || !isSwitch(entry) || entry.mode === 'observe') return null;
  const facts: readonly BulletinFact[] = [
    { name: 'By', value: change.actor },
    { name: 'Scope', value: scopeText(entry.scope) },
    ...(entry.failureClass === null ? [] : [{ name: 'Failure class', value: entry.failureClass }]),
    ...(type === 'switch.created' && entry.expiresAt !== null
      ? [{ name: 'Until', value: momentWords(momentText(instant(entry.expiresAt))) }]
      : []),
  ];
  return bounded({
    id: messageId(change),
    type,
    at: change.at,
    subject: entry.id,
    stage: stages[type],
    severity: type === 'switch.created' || type === 'switch.overdue' ? 'warning' : 'info',
    title: titleOf(type, entry),
    text: change.reason ?? '',
    facts,
    page: null,
  });
}
