/**
 * The blast radius of a switch, before it is made: for the requests of the last minutes, who would be served by whom.
 *
 * It puts every recorded request to `decide` twice, with the switches as they are and with the one that is asked about,
 * so that it cannot promise what routing would not do. What the records do not hold (tools, pictures, lengths) it does
 * not know: a request may still be too long for the target that would get it. It refuses to look further back than it
 * is given, and never changes anything.
 */
import { exclusionSentence } from './caller-words.ts';
import { demandOf } from './data-class.ts';
import { resolveRequested } from './default-route.ts';
import type { Instant, KeyId, TargetName } from './ids.ts';
import { costUsd } from './cost.ts';
import { partsOf } from './parts.ts';
import type { RequestRecord } from './record.ts';
import { decide } from './routing.ts';
import type { RoutingDecision } from './routing.ts';
import { plainRequest } from './rules.ts';
import type { RoutingRequest, Standing } from './rules.ts';
import type { Snapshot } from './snapshot.ts';
import type { Switch } from './switches.ts';
import type { Hop, Target } from './target.ts';
import { hopBetween } from './target.ts';

export type PreviewConditions = {
  readonly switches: readonly Switch[];
  readonly standing: (target: Target) => Standing;
  /** What a key may do. */
  readonly keyLimits: (key: KeyId | null) => Pick<RoutingRequest, 'keyName' | 'keyFeatures' | 'keyClassMax'>;
  readonly now: Instant;
};

export type Move = {
  readonly from: TargetName;
  readonly to: TargetName;
  readonly hop: Hop | null;
  /** Of the feature's requests, as a fraction of 1. */
  readonly share: number;
};

export type FeaturePreview = {
  readonly feature: string;
  readonly requests: number;
  readonly moves: readonly Move[];
  readonly askedShare: number;
  readonly refusedShare: number;
  readonly strandedShare: number;
  /** Why targets could not take over, most frequent first. */
  readonly reasons: readonly string[];
};

export type CapacityPreview = {
  readonly target: TargetName;
  /** Open calls on average. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Calls that may be open at once. */
  readonly limit: number;
};

export type Preview = {
  readonly windowMs: number;
  readonly requests: number;
  readonly features: readonly FeaturePreview[];
  /** US dollars over the window at list price; null where a price or tokens are not known. */
  readonly costChange: number | null;
  readonly capacity: readonly CapacityPreview[];
};

type Group = {
  readonly sample: RequestRecord;
  requests: number;
  durationMs: number;
  inputTokens: number;
  outputTokens: number;
  tokensKnown: boolean;
};

const reasonsMax = 8;

/** Requests that `decide` cannot tell apart. */
function grouped(records: readonly RequestRecord[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const record of records) {
    const name = [record.feature, record.requested, record.dataClass, record.tenant, record.key].join(
      '\u0000',
    );
    const group = groups.get(name) ?? {
      sample: record,
      requests: 0,
      durationMs: 0,
      inputTokens: 0,
      outputTokens: 0,
      tokensKnown: true,
    };
    const last = record.attempts.at(-1);
    group.requests += 1;
    group.durationMs += record.durationMs;
    group.inputTokens += last?.inputTokens ?? 0;
    group.outputTokens += last?.outputTokens ?? 0;
    group.tokensKnown &&= last === undefined || last.inputTokens !== null;
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** What a record asked for, as routing is asked; null: the configuration has no place for it any more. */
function requestOf(
  record: RequestRecord,
  snapshot: Snapshot,
  conditions: PreviewConditions,
): RoutingRequest | null {
  const named = record.feature === snapshot.defaults.name || record.requested === record.feature;
  const resolved = resolveRequested(snapshot, record.requested, named ? null : record.feature);
  if (resolved.kind !== 'resolved') return null;
  const { keyName, keyFeatures, keyClassMax } = conditions.keyLimits(record.key);
  return plainRequest(resolved.feature, {
    route: resolved.route,
    demand: demandOf(snapshot.dataClasses, record.dataClass, 'header'),
    tenant: record.tenant,
    key: record.key,
    keyName,
    keyFeatures,
    keyClassMax,
  });
}

const serverOf = (decision: RoutingDecision): Target | null =>
  decision.kind === 'route' ? decision.plan[0] : null;

/** Refused by policy is the policy at work; stranded is nobody being left. */
function isPolicy(decision: RoutingDecision): boolean {
  return (
    decision.kind === 'refuse' &&
    (decision.code === 'data_policy_denied' ||
      decision.code === 'fallback_not_allowed' ||
      decision.code === 'forbidden')
  );
}

class FeatureTally {
  readonly #asked: string;
  requests = 0;
  asked = 0;
  refused = 0;
  stranded = 0;
  readonly moves = new Map<string, { from: Target; to: Target; requests: number }>();
  readonly reasons = new Map<string, number>();

  constructor(asked: string) {
    this.#asked = asked;
  }

  /** `requests`: how many of them are decided like that. */
  add(requests: number, before: RoutingDecision, after: RoutingDecision): void {
    const from = serverOf(before);
    const to = serverOf(after);
    if (from !== null && to !== null && from.name !== to.name) {
      const name = `${from.name} ${to.name}`;
      const move = this.moves.get(name) ?? { from, to, requests: 0 };
      move.requests += requests;
      this.moves.set(name, move);
    }
    if (to !== null || from === null) return;
    if (after.kind === 'ask') this.asked += requests;
    else if (isPolicy(after)) this.refused += requests;
    else this.stranded += requests;
    if (after.candidates.every(({ reason, rule }) => reason !== null && rule === this.#asked))
      this.#because('the switch takes out every target of its route', requests);
    for (const { target, reason, rule } of after.candidates) {
      // That the switch itself takes a target out is what was asked, not a reason.
      if (reason === null || rule === this.#asked) continue;
      this.#because(`${target} ${exclusionSentence(reason)}`, requests);
    }
  }

  #because(words: string, requests: number): void {
    this.reasons.set(words, (this.reasons.get(words) ?? 0) + requests);
  }

  view(feature: string): FeaturePreview {
    const share = (requests: number): number => (this.requests === 0 ? 0 : requests / this.requests);
    return {
      feature,
      requests: this.requests,
      moves: [...this.moves.values()].map(({ from, to, requests }) => ({
        from: from.name,
        to: to.name,
        hop: hopBetween(from, to),
        share: share(requests),
      })),
      askedShare: share(this.asked),
      refusedShare: share(this.refused),
      strandedShare: share(this.stranded),
      reasons: [...this.reasons]
        .sort((one, other) => other[1] - one[1])
        .slice(0, reasonsMax)
        .map(([words]) => words),
    };
  }
}

class Loads {
  readonly #loads = new Map<TargetName, { target: Target; before: number; after: number }>();

  add(target: Target | null, openCalls: number, when: 'before' | 'after'): void {
    if (target === null) return;
    const load = this.#loads.get(target.name) ?? { target, before: 0, after: 0 };
    load[when] += openCalls;
    this.#loads.set(target.name, load);
  }

  view(): readonly CapacityPreview[] {
    return [...this.#loads.values()].map(({ target, before, after }) => ({
      target: target.name,
      loadBefore: before,
      loadAfter: after,
      limit: target.provider.concurrencyMax,
    }));
  }
}

function costOf(group: Group, target: Target | null): number | null {
  if (target === null) return 0;
  if (!group.tokensKnown) return null;
  const { inputTokens, outputTokens } = group;
  return costUsd(target.model.price, { inputTokens, outputTokens, cachedTokens: 0, cacheWriteTokens: 0 });
}

/** What `entry` would do to the requests of the last `windowMs`. */
export function previewSwitch(
  entry: Switch,
  records: readonly RequestRecord[],
  windowMs: number,
  snapshot: Snapshot,
  conditions: PreviewConditions,
): Preview {
  const features = new Map<string, FeatureTally>();
  const loads = new Loads();
  let costChange: number | null = 0;
  const { now, standing, switches } = conditions;
  const all = [...switches, entry];
  for (const group of grouped(records)) {
    const tally = features.get(group.sample.feature) ?? new FeatureTally(entry.id);
    features.set(group.sample.feature, tally);
    tally.requests += group.requests;
    const request = requestOf(group.sample, snapshot, conditions);
    if (request === null) continue;
    for (const { share, random } of partsOf(request, all, now)) {
      const before = decide(request, { switches, standing, now, random });
      const after = decide(request, { switches: all, standing, now, random });
      tally.add(group.requests * share, before, after);
      const openCalls = (share * group.durationMs) / windowMs;
      loads.add(serverOf(before), openCalls, 'before');
      loads.add(serverOf(after), openCalls, 'after');
      const was = costOf(group, serverOf(before));
      const will = costOf(group, serverOf(after));
      costChange =
        costChange === null || was === null || will === null ? null : costChange + share * (will - was);
    }
  }
  return {
    windowMs,
    requests: records.length,
    features: [...features].map(([name, tally]) => tally.view(name)),
    costChange,
    capacity: loads.view(),
  };
}
