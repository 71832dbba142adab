/**
 * "What changed?" as one ledger that tells kinds of change apart: an outage is not a model that got worse, and a switch
 * of ours is neither. It is read from the audit entries, newest first, so that nothing is in it that was not written down.
 */
import type { SoftSignal, WarningSignal } from './evidence.ts';
import type { IncidentClass } from './incident.ts';
import type { Change, ChangeKind } from './record.ts';
import { scopeText } from './switches.ts';

export const changeCategories = [
  'outage',
  'capacity',
  'model_update',
  'quality_drift',
  'routing_change',
  'policy_change',
  'provider_notice',
] as const;
export type ChangeCategory = (typeof changeCategories)[number];

const ofClass: Readonly<Record<IncidentClass, ChangeCategory>> = {
  availability: 'outage',
  latency: 'outage',
  capacity: 'capacity',
  quality: 'quality_drift',
  safety: 'quality_drift',
  data_handling: 'policy_change',
  deprecation: 'model_update',
  own_change: 'policy_change',
};

type Digest = { readonly state?: unknown; readonly failure_class?: unknown };

function digest(value: unknown): Digest {
  return typeof value === 'object' && value !== null ? value : {};
}

function incidentCategory({ kind, before, after }: Change): ChangeCategory | null {
  const [was, is] = [digest(before), digest(after)];
  const isMove =
    kind !== 'incident.updated' || was.state !== is.state || was.failure_class !== is.failure_class;
  const failureClass = is.failure_class;
  return isMove && typeof failureClass === 'string' && Object.hasOwn(ofClass, failureClass)
    ? ofClass[failureClass as IncidentClass]
    : null;
}

/** Signals of a target that is slower than it was: that says nothing about how good its answers are. */
const paces: ReadonlySet<unknown> = new Set<SoftSignal>(['slow_first_token', 'slow_tokens']);

function categoryOfWarning(signal: unknown): ChangeCategory {
  // Other answers to the same questions: somebody changed the model under its name.
  if (signal === ('changed_answers' satisfies WarningSignal)) return 'model_update';
  if (signal === ('unclassified' satisfies WarningSignal)) return 'outage';
  return paces.has(signal) ? 'capacity' : 'quality_drift';
}

/** What kind of change an audit entry is; null when it changed nothing that anybody would feel. */
export function categoryOf(change: Change): ChangeCategory | null {
  const { kind, before } = change;
  if (kind.startsWith('incident.')) return incidentCategory(change);
  // A reminder changes nothing.
  if (kind === 'switch.overdue') return null;
  if (kind.startsWith('switch.') || kind.startsWith('gate.')) return 'routing_change';
  if (kind.startsWith('provider.')) return 'provider_notice';
  if (kind.startsWith('key.')) return 'policy_change';
  if (kind === 'model.signal') return before === null ? null : 'model_update';
  if (kind === 'quality.warned' || kind === 'quality.cleared')
    return categoryOfWarning(before ?? change.after);
  return kind === 'config.loaded' && before !== null ? 'policy_change' : null;
}

const words: Readonly<Record<ChangeCategory, string>> = {
  outage: 'Outage',
  capacity: 'Capacity',
  model_update: 'Model update',
  quality_drift: 'Quality',
  routing_change: 'Routing',
  policy_change: 'Policy',
  provider_notice: 'Provider',
};

/** What a switch that was changed is over; null for anything else. */
function scopeOf({ after }: Change): string | null {
  const scope = typeof after === 'object' && after !== null && 'scope' in after ? after.scope : null;
  return typeof scope === 'object' && scope !== null ? scopeText(scope) : null;
}

const over = (change: Change): string => `${scopeOf(change) ?? 'a scope'} (${change.subject})`;

function nowOf({ before, after }: Change): string {
  const [was, is] = [digest(before), digest(after)];
  return was.state === is.state ? `of class ${String(is.failure_class)}` : String(is.state);
}

/** What was done, as people say it; of every kind that has a category. */
const deeds: Readonly<Partial<Record<ChangeKind, (change: Change) => string>>> = {
  'switch.created': (change) => `${change.actor} made a switch over ${over(change)}`,
  'switch.released': (change) => `${change.actor} released the switch over ${over(change)}`,
  'switch.expired': (change) => `the switch over ${over(change)} came to its end`,
  'gate.transition': ({ subject, before, after }) =>
    `the gate of ${subject} went from ${String(before)} to ${String(after)}`,
  'gate.held': ({ actor, subject }) => `${actor} holds ${subject} out`,
  'gate.returned': ({ actor, subject }) => `${actor} gave ${subject} back to its gate`,
  'config.loaded': ({ subject }) => `another configuration is in force (${subject})`,
  'key.created': ({ actor, subject }) => `${actor} made the key ${subject}`,
  'key.revoked': ({ actor, subject }) => `${actor} revoked the key ${subject}`,
  'model.signal': ({ subject }) => `${subject} answers otherwise than before`,
  'quality.warned': ({ subject }) => `a warning of ${subject}`,
  'quality.cleared': ({ subject }) => `the warning of ${subject} is over`,
  'provider.announced': ({ actor }) => `${actor} announced a trouble of its own`,
  'provider.resolved': ({ actor }) => `${actor} says that its trouble is over`,
  'incident.opened': ({ actor, subject }) => `${actor} opened the incident ${subject}`,
  'incident.updated': (change) => `the incident ${change.subject} is now ${nowOf(change)}`,
  'incident.merged': ({ actor, subject }) => `${actor} merged the incident ${subject}`,
  'incident.split': ({ actor, subject }) => `${actor} split the incident ${subject}`,
};

export function changeSentence(change: Change, category: ChangeCategory): string {
  const { kind, actor, subject, reason } = change;
  const deed = deeds[kind]?.(change) ?? `${subject}, ${kind} by ${actor}`;
  return `${words[category]}: ${deed}${reason === null ? '' : `: ${reason}`}`;
}
