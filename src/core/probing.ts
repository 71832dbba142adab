/**
 * Whether the gateway may ask a target of its own accord, and how often. A gate says when it wants a probe
 * (`admission.ts`); this says whether it gets one.
 *
 * A probe is a request like any other to the rules that protect people: what somebody switched off for everybody is
 * never probed, and neither is a target that no feature's data policy lets answer. Probes cost money, so each target has
 * an hourly allowance in number and in dollars; when it is used up, users' requests have to serve as probes.
 */
import { classDemand } from './data-class.ts';
import type { Instant } from './ids.ts';
import { dataPolicyObjection } from './rules.ts';
import type { Snapshot } from './snapshot.ts';
import { covers, isForEverybody, isInForce } from './switches.ts';
import type { Switch } from './switches.ts';
import type { Target } from './target.ts';

export const probesPerHourMax = 720;
export const probeUsdPerHourMax = 1;
const hourMs = 3_600_000;

/** What a target's probes cost in the hour that began then. */
export type ProbeSpend = { readonly since: Instant; readonly sent: number; readonly usd: number };

export function freshSpend(now: Instant): ProbeSpend {
  return { since: now, sent: 0, usd: 0 };
}

/** The spend as it counts now: an hour that is over is forgotten. */
function current(spend: ProbeSpend, now: Instant): ProbeSpend {
  return now - spend.since >= hourMs || now < spend.since ? freshSpend(now) : spend;
}

export function afterProbe(spend: ProbeSpend, usd: number | null, now: Instant): ProbeSpend {
  const { since, sent, usd: before } = current(spend, now);
  return { since, sent: sent + 1, usd: before + (usd ?? 0) };
}

export function isAffordable(spend: ProbeSpend, now: Instant): boolean {
  const { sent, usd } = current(spend, now);
  return sent < probesPerHourMax && usd < probeUsdPerHourMax;
}

/** The features that could send this target something; none: only requests that name it do. */
function permitted(target: Target, snapshot: Snapshot, now: Instant): boolean {
  const features = [...snapshot.features.values()].filter((feature) =>
    feature.route.some((each) => each.name === target.name),
  );
  if (features.length === 0) return true;
  return features.some((feature) => {
    const { dataClass } = classDemand(snapshot, feature, null, { tenant: null, keyNames: [] });
    return dataPolicyObjection(target, dataClass, now) === null;
  });
}

export function isProbeAllowed(
  target: Target,
  snapshot: Snapshot,
  switches: readonly Switch[],
  now: Instant,
): boolean {
  const off = switches.some(
    (entry) =>
      entry.effect.kind === 'off' &&
      entry.mode === 'enforce' &&
      isInForce(entry, now) &&
      isForEverybody(entry) &&
      covers(entry.scope, target, null),
  );
  return !off && permitted(target, snapshot, now);
}
