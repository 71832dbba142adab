/**
 * Which switches are an incident's, and what only they have moved.
 *
 * A switch is made because of an incident when it covers a target that the incident has out, when its reason names the
 * incident, or when it covers kin of such a target (same vendor or provider) and was made by a playbook, or by a person
 * for the same class of failure. What it covers beside the failing targets is well, and users are moved from it all the
 * same: those requests are part of the story, so these targets are kept beside, without being said to have failed.
 *
 * It refuses switches that were there long before the evidence: those are somebody's older decision.
 */
import type { IncidentId, Instant, SwitchId, TargetName } from './ids.ts';
import { beganAt, isOpen } from './incident.ts';
import type { Incident, IncidentTarget, MovedTarget, Source } from './incident.ts';
import type { HealthState } from './health-cell.ts';
import { isAkin, relatedMs } from './incident-steps.ts';
import type { Added, FailedTarget } from './incident-steps.ts';

/** A switch in force, as an incident sees it. */
export type StandingSwitch = {
  readonly id: SwitchId;
  readonly at: Instant;
  readonly actor: string;
  readonly reason: string;
  /** `Switched off vendor:anthropic`. */
  readonly words: string;
  readonly failureClass: string | null;
  /** Targets that it covers, for everybody or for some. */
  readonly covers: readonly FailedTarget[];
};

const playbookActor = /^playbook /;

/** What kind of author a name is. */
export function sourceOf(actor: string): Source {
  return actor === 'system' ? 'system' : playbookActor.test(actor) ? 'playbook' : 'person';
}

const names = (reason: string, id: IncidentId): boolean => reason.includes(id);

export function isMadeFor(entry: StandingSwitch, incident: Incident): boolean {
  if (names(entry.reason, incident.id)) return true;
  if (entry.at < beganAt(incident) - relatedMs) return false;
  const isAgreed = playbookActor.test(entry.actor) || entry.failureClass === incident.failureClass;
  const out = incident.targets.filter(({ until }) => until === null);
  return entry.covers.some((each) =>
    out.some((own) => own.target === each.target || (isAgreed && isAkin(own, each))),
  );
}

export type SwitchesFollowed = { readonly ids: readonly SwitchId[]; readonly added: readonly Added[] };

/** The incident's switches, and a line for each that is new. */
export function followSwitches(incident: Incident, standing: readonly StandingSwitch[]): SwitchesFollowed {
  if (!isOpen(incident.state)) return { ids: incident.switches, added: [] };
  const fresh = standing.filter(
    (entry) => !incident.switches.includes(entry.id) && isMadeFor(entry, incident),
  );
  return {
    ids: [...incident.switches, ...fresh.map(({ id }) => id)],
    added: fresh.map((entry): Added => ({
      at: entry.at,
      source: sourceOf(entry.actor),
      by: entry.actor,
      audience: 'internal',
      text: `${entry.words}: ${entry.reason}`,
      state: null,
    })),
  };
}

/** Those of its switches that are in force. */
export function ownSwitches(
  incident: Pick<Incident, 'switches'>,
  standing: readonly StandingSwitch[],
): readonly StandingSwitch[] {
  return standing.filter(({ id }) => incident.switches.includes(id));
}

export const holds = (own: readonly StandingSwitch[], target: TargetName): boolean =>
  own.some(({ covers }) => covers.some((each) => each.target === target));

type Gates = ReadonlyMap<TargetName, { readonly gate: HealthState }>;

/** What its switches, and nothing else, keep users from; and until when. */
export function followMoved(
  incident: Pick<Incident, 'moved'> & { readonly targets: readonly IncidentTarget[] },
  own: readonly StandingSwitch[],
  gates: Gates,
  now: Instant,
): readonly MovedTarget[] {
  const failing = new Set(incident.targets.map(({ target }) => target));
  // One that was off before its failing was known is among the failing as soon as it is.
  const moved = new Map(
    incident.moved.filter(({ target }) => !failing.has(target)).map((each) => [each.target, each]),
  );
  for (const { at, covers } of own)
    for (const { target } of covers) {
      const from = moved.get(target)?.from ?? at;
      if (!failing.has(target)) moved.set(target, { target, from: from < at ? from : at, until: null });
    }
  return [...moved.values()].map((each) => {
    const isBack = !holds(own, each.target) && (gates.get(each.target)?.gate ?? 'healthy') === 'healthy';
    return isBack && each.until === null ? { ...each, until: now } : each;
  });
}
