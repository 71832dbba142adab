/**
 * How incidents go on: an incident follows what routing does, looked at again and again, so that a missed event cannot
 * leave it wrong. Users on a backup is mitigated, a ramp is restoring, everything as agreed is resolved, with the moment
 * for each feature. What a person has said about the state stands until a gate acts anew.
 *
 * It never dismisses by itself, and never says that routing is normal for a feature whose usual target is only probed.
 */
import type { HealthState } from './health-cell.ts';
import { isOpen } from './incident.ts';
import type {
  Incident,
  IncidentFeature,
  IncidentState,
  IncidentStep,
  IncidentTarget,
  Severity,
} from './incident.ts';
import { said, stepOf } from './incident-steps.ts';
import type { Added } from './incident-steps.ts';
import { followMoved, followSwitches, holds, ownSwitches } from './incident-switches.ts';
import type { StandingSwitch } from './incident-switches.ts';
import type { Instant, SwitchId, TargetName } from './ids.ts';
import { graver, gravity } from './felt.ts';
import type { FeatureStatus, FeatureView } from './status.ts';

/** How routing stands now, as an incident follows it. */
export type World = {
  readonly now: Instant;
  readonly targets: ReadonlyMap<
    TargetName,
    { readonly gate: HealthState; readonly since: Instant | null; readonly offBy: readonly SwitchId[] }
  >;
  readonly features: readonly FeatureView[];
  /** Switches in force, of any effect and for anybody. */
  readonly switches: readonly StandingSwitch[];
};

/** To complete "Meeting notes: …". */
const statusWords: Readonly<Record<FeatureStatus, string>> = {
  normal: 'normal routing has resumed',
  backup: 'answered by a backup model',
  slow: 'slower than usual',
  partial: 'some requests fail or need consent',
  paused: 'paused by us',
  unavailable: 'not available',
};

function featureWords(view: FeatureView): string {
  const by = view.status === 'backup' && view.serving !== null ? `, ${view.serving}` : '';
  return `${view.title}: ${statusWords[view.status]}${by}.`;
}

type Followed = { readonly features: readonly IncidentFeature[]; readonly added: readonly Added[] };

/** Whether a feature's usual target is one that the incident, or a switch made for it, has taken out. */
function isConcerned({ targets, moved }: Incident, view: FeatureView): boolean {
  return [...targets, ...moved].some(({ target, until }) => target === view.preferred && until === null);
}

function followFeatures(incident: Incident, world: World): Followed {
  const features = [...incident.features];
  const added: Added[] = [];
  for (const view of world.features) {
    const index = features.findIndex(({ feature }) => feature === view.feature);
    const known = features[index];
    if (known === undefined) {
      if (view.status === 'normal' || !isConcerned(incident, view)) continue;
      features.push({
        feature: view.feature,
        title: view.title,
        status: view.status,
        worst: view.status,
        backup: view.status === 'backup' ? view.serving : null,
        normalAt: null,
      });
      added.push(said(world.now, featureWords(view)));
      continue;
    }
    // A probe and a ramp let requests through to a target that is not back yet.
    const isConcernedNow = isConcerned(incident, view);
    const isBack = view.status === 'normal' && !isConcernedNow;
    const status = view.status === 'normal' && isConcernedNow ? known.status : view.status;
    // What a person named, and routing never moved, has nothing to come back from.
    if (isBack && incident.targets.length === 0 && known.worst === 'normal') continue;
    // What happens to a feature after it is back is another story, unless its target relapses.
    if (known.normalAt !== null && !isConcernedNow) continue;
    const next: IncidentFeature = {
      ...known,
      status,
      worst: graver(known.worst, status),
      backup: view.status === 'backup' ? view.serving : known.backup,
      normalAt: isBack ? world.now : null,
    };
    if (next.status !== known.status || next.backup !== known.backup || isBack)
      added.push(said(world.now, featureWords(view)));
    features[index] = next;
  }
  return { features, added };
}

function followTargets(
  incident: Incident,
  world: World,
  own: readonly StandingSwitch[],
): readonly IncidentTarget[] {
  return incident.targets.map((each): IncidentTarget => {
    const seen = world.targets.get(each.target);
    if (seen === undefined) return each;
    const isBack = seen.gate === 'healthy' && seen.offBy.length === 0 && !holds(own, each.target);
    return { ...each, gate: seen.gate, until: isBack ? (each.until ?? world.now) : null };
  });
}

/** Whether everything that was moved is back. */
function isAsAgreed(targets: readonly IncidentTarget[], features: readonly IncidentFeature[]): boolean {
  return (
    targets.length > 0 &&
    targets.every(({ until }) => until !== null) &&
    features.every(({ normalAt }) => normalAt !== null)
  );
}

/** Where the facts say an incident is. */
function factualState({ state, switches, targets, features }: Incident, world: World): IncidentState {
  if (targets.length === 0) return state;
  if (isAsAgreed(targets, features)) return 'resolved';
  // A switch that lets a part through is the way out when it comes first, and the way back when another went before it.
  const isGivingBack = switches.some((id) => !world.switches.some((entry) => entry.id === id));
  const isOut = ({ target, gate, until }: IncidentTarget): boolean => {
    if (until !== null || gate === 'ramping') return false;
    return gate !== 'healthy' || !isGivingBack || (world.targets.get(target)?.offBy.length ?? 0) > 0;
  };
  if (!targets.some(isOut)) return 'restoring';
  if (state === 'suspected') return 'suspected';
  const areFine = features.every(({ status }) => status === 'normal' || status === 'backup');
  return features.length > 0 && areFine ? 'mitigated' : 'active';
}

const stateWords: Readonly<Record<IncidentState, string>> = {
  suspected: 'It is suspected; nobody is moved.',
  active: 'It is active: users are affected.',
  mitigated: 'It is mitigated: features are answered by backup models.',
  restoring: 'It is restoring: the usual models come back step by step.',
  resolved: 'It is resolved: routing is as agreed again.',
  reviewed: 'It is reviewed.',
  dismissed: 'It is dismissed.',
};

/** How bad it is by what features meet; never lower than it has been. */
function severityOf(incident: Incident, features: readonly IncidentFeature[], all: number): Severity {
  if (incident.severityBy === 'person') return incident.severity;
  const out = features.filter(({ worst }) => gravity.indexOf(worst) >= gravity.indexOf('partial')).length;
  const found: Severity =
    out > 0 ? (out * 2 >= all && all > 1 ? 'SEV1' : 'SEV2') : features.length > 0 ? 'SEV3' : 'SEV4';
  return found < incident.severity ? found : incident.severity;
}

/** The latest that a gate of the incident acted. */
function gatesActedAt(incident: Incident, world: World): Instant {
  const acted = incident.targets.map(({ target }) => world.targets.get(target)?.since ?? 0);
  return Math.max(0, incident.failedAt ?? 0, ...acted) as Instant;
}

/** Whether routing can still change it: it is open, or was called resolved before routing was normal. */
export function isGoingOn({ state, targets, times }: Incident): boolean {
  return isOpen(state) || (state === 'resolved' && targets.length > 0 && times.normalRoutingResumed === null);
}

/** Brings an incident up to how routing stands; null when nothing about it has changed. */
export function follow(incident: Incident, world: World): IncidentStep | null {
  if (!isGoingOn(incident)) return null;
  const switches = followSwitches(incident, world.switches);
  const own = ownSwitches({ switches: switches.ids }, world.switches);
  const targets = followTargets(incident, world, own);
  const moved = followMoved({ moved: incident.moved, targets }, own, world.targets, world.now);
  const knowing: Incident = { ...incident, switches: switches.ids, targets, moved };
  const { features, added } = followFeatures(knowing, world);
  const factual = factualState({ ...knowing, features }, world);
  const mayMove = incident.stateBy === 'system' || gatesActedAt(incident, world) > incident.stateAt;
  const state = mayMove && isOpen(incident.state) ? factual : incident.state;
  const isBack = incident.times.switched !== null && isAsAgreed(targets, features);
  const resumed = isBack ? (incident.times.normalRoutingResumed ?? world.now) : null;
  const changes: Partial<Incident> = {
    targets,
    moved,
    features,
    switches: switches.ids,
    severity: severityOf(incident, features, world.features.length),
    times: {
      ...incident.times,
      normalRoutingResumed: targets.length === 0 ? incident.times.normalRoutingResumed : resumed,
      switched: earliest(incident.times.switched, switches.added),
    },
    ...(state === incident.state ? {} : { state, stateBy: 'system', stateAt: world.now }),
  };
  const lines = [
    ...switches.added,
    ...added,
    ...(state === incident.state ? [] : [said(world.now, stateWords[state], state)]),
  ];
  return lines.length === 0 && !differs(incident, changes)
    ? null
    : stepOf(incident, changes, lines, world.now);
}

function earliest(known: Instant | null, added: readonly Added[]): Instant | null {
  return added.reduce<Instant | null>((first, { at }) => (first === null || at < first ? at : first), known);
}

function differs(incident: Incident, changes: Partial<Incident>): boolean {
  return (Object.keys(changes) as (keyof Incident)[]).some(
    (key) => JSON.stringify(changes[key]) !== JSON.stringify(incident[key]),
  );
}
