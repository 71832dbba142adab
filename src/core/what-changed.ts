/**
 * "What changed?" as one ledger that tells kinds of change apart: an outage is not a model that got worse, and a switch
 * of ours is neither. It is read from the audit entries, newest first, so that nothing is in it that was not written down.
 */
import type { SoftSignal, WarningSignal } from './evidence.ts';
import type { IncidentClass } from './incident.ts';
import type { Change } from './record.ts';
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

const switchWords: Partial<Record<Change['kind'], string>> = {
  'switch.created': 'made a switch over',
  'switch.released': 'released the switch over',
  'switch.expired': 'let expire the switch over',
};

/** What a switch that was changed is over; null for anything else. */
function scopeOf({ after }: Change): string | null {
  const scope = typeof after === 'object' && after !== null && 'scope' in after ? after.scope : null;
  return typeof scope === 'object' && scope !== null ? scopeText(scope) : null;
}

export function changeSentence(change: Change, category: ChangeCategory): string {
  const move =
    typeof change.before === 'string' && typeof change.after === 'string' && change.kind.startsWith('gate.')
      ? ` from ${change.before} to ${change.after}`
      : '';
  const why = change.reason === null ? '' : `: ${change.reason}`;
  const of = scopeOf(change);
  const done = of === null ? undefined : switchWords[change.kind];
  return done === undefined
    ? `${words[category]}: ${change.subject}${move}, ${change.kind} by ${change.actor}${why}`
    : `${words[category]}: ${change.actor} ${done} ${of} (${change.subject})${why}`;
}
