/**
 * Attribution: which scope is sick, said by likelihood. Is it this target, the model everywhere, its family, the whole
 * provider, one of its keys, a region, or ourselves?
 *
 * The evidence is counts per target and key since the trouble began: what came before is no witness against it. An explanation is a short list of scopes, each with its own
 * failure rate, everything else as usual; its worth is the likelihood of all counts, less a price for every scope it
 * needs. The list is grown and pruned step by step: a scope comes in when it explains more than it costs, and goes when
 * the others explain nearly as much without it. So one very sick version is named itself and its siblings go free
 * (pooled with them it would explain less); two sick versions are two targets, not one provider; and many slightly sick
 * models, none of which stands out, are one sick provider.
 *
 * The next best explanation is always told, with the odds against it. Where two scopes cover the same counts, the
 * narrower one is named: evidence supports no more. It refuses to act: `health.ts` sheds, with the scope on its sentence.
 */
import { logLikelihood } from './detector.ts';
import type { GateNumbers, GateScope, ScopeKind } from './evidence.ts';
import { scopeKinds } from './evidence.ts';
import type { TargetName } from './ids.ts';
import type { Target } from './target.ts';

/** Counts of one target through one key since the trouble began. */
export type Leaf = {
  readonly target: Target;
  readonly key: string | null;
  readonly total: number;
  readonly failed: number;
  /** What failures of this target are compared with. */
  readonly p0: number;
  /** Attempts per second it usually sees. */
  readonly perSecond: number;
};

export type Explanation = {
  readonly scope: GateScope;
  readonly targets: ReadonlySet<TargetName>;
  readonly failed: number;
  readonly total: number;
  /** How much better this explains its counts than "as usual". */
  readonly nats: number;
  readonly runnerUp: GateNumbers['runnerUp'];
};

/** What a further scope must explain beyond the number of scopes it was chosen from. */
const priceNats = 2;
/** What else a scope must explain because it is rarer to be the one that is sick. */
const rareNats: Record<ScopeKind, number> = {
  target: 0,
  model: 0,
  family: 1,
  provider: 0,
  region: 2,
  key: 3,
  egress: 3,
};
/** What claiming a target costs that was hardly asked, and how often it must have been asked not to count as such. */
const unseenNats = 6;
const askedMin = 10;
const scopesMax = 4;
/** Odds of 1 in 7: below, two explanations are as good as each other. */
export const leadOddsMin = Math.exp(2);

type Candidate = {
  readonly scope: GateScope;
  readonly members: readonly number[];
  /** What it must explain beyond its price. */
  readonly rareNats: number;
};

function namesOf(leaf: Leaf): readonly GateScope[] {
  const { target, key } = leaf;
  const { regions } = target.provider.terms;
  return [
    ...(key === null ? [] : [{ kind: 'key', name: key } as const]),
    { kind: 'target', name: target.name },
    { kind: 'model', name: target.model.name },
    { kind: 'family', name: target.model.family },
    { kind: 'provider', name: target.provider.id },
    ...(regions === 'unknown' ? [] : regions.map((name) => ({ kind: 'region', name }) as const)),
    { kind: 'egress', name: 'us' },
  ];
}

/** Where two scopes cover the same counts the first of these is named; a key or a region only where it is one of several. */
const preference: readonly ScopeKind[] = [
  ...scopeKinds.filter((kind) => kind !== 'key' && kind !== 'region'),
  'region',
  'key',
];

function candidatesOf(leaves: readonly Leaf[]): readonly Candidate[] {
  const found = new Map<string, { scope: GateScope; members: number[] }>();
  leaves.forEach((leaf, index) => {
    for (const scope of namesOf(leaf)) {
      const id = `${scope.kind} ${scope.name}`;
      const entry = found.get(id);
      if (entry === undefined) found.set(id, { scope, members: [index] });
      else entry.members.push(index);
    }
  });
  const distinct = new Map<string, { scope: GateScope; members: number[] }>();
  const inOrder = [...found.values()].sort(
    (one, other) => preference.indexOf(one.scope.kind) - preference.indexOf(other.scope.kind),
  );
  for (const candidate of inOrder) {
    const { members, scope } = candidate;
    const providers = new Set(members.map((index) => leaves[index]?.target.provider.id));
    // One provider failing is not us, and a region is more than one of its providers.
    if ((scope.kind === 'egress' || scope.kind === 'region') && providers.size < 2) continue;
    const covers = members.join(',');
    if (!distinct.has(covers)) distinct.set(covers, candidate);
  }
  return [...distinct.values()].map((candidate) => ({
    ...candidate,
    rareNats:
      rareNats[candidate.scope.kind] + (isAskedThroughout(leaves, candidate.members) ? 0 : unseenNats),
  }));
}

/** Whether every target of a scope was asked; of one that was not nothing is known, and a wider scope claims it. */
function isAskedThroughout(leaves: readonly Leaf[], members: readonly number[]): boolean {
  const totals = new Map<TargetName, number>();
  for (const index of members) {
    const leaf = leaves[index];
    if (leaf !== undefined) totals.set(leaf.target.name, (totals.get(leaf.target.name) ?? 0) + leaf.total);
  }
  return totals.size < 2 || [...totals.values()].every((total) => total >= askedMin);
}

type Pooled = { readonly failed: number; readonly total: number; readonly gain: number };

/** What a scope gains over "as usual" with a rate of its own, on the leaves that are left to it. */
function pooled(leaves: readonly Leaf[], members: readonly number[]): Pooled {
  let failed = 0;
  let total = 0;
  let usual = 0;
  let expected = 0;
  for (const index of members) {
    const leaf = leaves[index];
    if (leaf === undefined) continue;
    failed += leaf.failed;
    total += leaf.total;
    expected += leaf.total * leaf.p0;
    usual += logLikelihood(leaf.failed, leaf.total, leaf.p0);
  }
  if (total === 0 || failed <= expected) return { failed, total, gain: 0 };
  return { failed, total, gain: logLikelihood(failed, total, failed / total) - usual };
}

/** The leaves each scope of a list answers for: those of narrower scopes are theirs. */
function shares(chosen: readonly Candidate[]): readonly (readonly number[])[] {
  const taken = new Set<number>();
  const narrowFirst = [...chosen].sort((one, other) => one.members.length - other.members.length);
  const own = new Map<Candidate, readonly number[]>();
  for (const candidate of narrowFirst) {
    const mine = candidate.members.filter((index) => !taken.has(index));
    for (const index of mine) taken.add(index);
    own.set(candidate, mine);
  }
  return chosen.map((candidate) => own.get(candidate) ?? []);
}

function worth(leaves: readonly Leaf[], chosen: readonly Candidate[]): number {
  return shares(chosen).reduce(
    (sum, members, index) => sum + pooled(leaves, members).gain - (chosen[index]?.rareNats ?? 0),
    0,
  );
}

/** Without the scopes that are left with nothing sick, once the narrower ones have taken theirs. */
function sickOnly(leaves: readonly Leaf[], chosen: readonly Candidate[]): readonly Candidate[] {
  const members = shares(chosen);
  const sick = chosen.filter((_, index) => pooled(leaves, members[index] ?? []).gain > 0);
  return sick.length === chosen.length ? chosen : sickOnly(leaves, sick);
}

function grown(
  leaves: readonly Leaf[],
  candidates: readonly Candidate[],
  price: number,
): readonly Candidate[] {
  let chosen: readonly Candidate[] = [];
  let value = 0;
  while (chosen.length < scopesMax) {
    let best: { list: readonly Candidate[]; value: number } | null = null;
    for (const candidate of candidates) {
      if (chosen.includes(candidate)) continue;
      const list = sickOnly(leaves, [...chosen, candidate]);
      if (!list.includes(candidate)) continue;
      const reached = worth(leaves, list);
      if (best === null || reached > best.value + 1e-9) best = { list, value: reached };
    }
    if (best === null || best.value - value < price) break;
    chosen = best.list;
    ({ value } = best);
    for (const each of chosen) {
      const without = chosen.filter((other) => other !== each);
      const left = worth(leaves, without);
      if (value - left >= price) continue;
      chosen = without;
      value = left;
    }
  }
  return split(leaves, candidates, chosen, price);
}

/** A wider scope gives way to the targets in it that are sick, where these explain more than they cost. */
function split(
  leaves: readonly Leaf[],
  candidates: readonly Candidate[],
  chosen: readonly Candidate[],
  price: number,
): readonly Candidate[] {
  const net = (list: readonly Candidate[]): number => worth(leaves, list) - price * list.length;
  let best = chosen;
  for (const wide of chosen) {
    const parts = candidates.filter(
      ({ scope, members }) =>
        scope.kind === 'target' &&
        members.every((index) => wide.members.includes(index)) &&
        pooled(leaves, members).gain > price / 2,
    );
    if (parts.length === 0 || parts.length > scopesMax) continue;
    const list = sickOnly(leaves, [
      ...best.filter((each) => each !== wide && !parts.includes(each)),
      ...parts,
    ]);
    if (net(list) > net(best)) best = list;
  }
  return best;
}

/** The best list in which another scope stands in the place of this one. */
function runnerUpOf(
  leaves: readonly Leaf[],
  candidates: readonly Candidate[],
  chosen: readonly Candidate[],
  one: Candidate,
): GateNumbers['runnerUp'] {
  const value = worth(leaves, chosen);
  const mine = new Set(one.members);
  let best: { scope: GateScope; value: number } | null = null;
  for (const candidate of candidates) {
    if (chosen.includes(candidate) || !candidate.members.some((index) => mine.has(index))) continue;
    const reached = worth(leaves, [...chosen.filter((each) => each !== one), candidate]);
    if (best === null || reached > best.value) best = { scope: candidate.scope, value: reached };
  }
  return best === null
    ? null
    : { scope: best.scope, odds: Math.exp(Math.min(60, Math.max(0, value - best.value))) };
}

/** What is sick, best explained first; empty when nothing is. */
export function explain(leaves: readonly Leaf[]): readonly Explanation[] {
  const candidates = candidatesOf(leaves);
  const price = Math.log(Math.max(2, candidates.length)) + priceNats;
  const chosen = grown(leaves, candidates, price);
  const members = shares(chosen);
  return chosen
    .map((candidate, index): Explanation => {
      const own = members[index] ?? [];
      const { failed, total, gain } = pooled(leaves, own);
      return {
        scope: candidate.scope,
        targets: new Set(own.flatMap((leaf) => leaves[leaf]?.target.name ?? [])),
        failed: Math.round(failed),
        total: Math.round(total),
        nats: gain,
        runnerUp: runnerUpOf(leaves, candidates, chosen, candidate),
      };
    })
    .sort((one, other) => other.nats - one.nats);
}

/** The evidence a scope needs before anything is shed on its account: one false alarm in the agreed time, over all scopes. */
export function heightFor(leaves: readonly Leaf[], falseAlarmMs: number): number {
  const perSecond = leaves.reduce((sum, leaf) => sum + leaf.perSecond, 0);
  return Math.log(Math.max(50, (perSecond * falseAlarmMs) / 1000)) + Math.log(2 + leaves.length) + priceNats;
}

/** Whether two targets have nothing in common but us: other company, other vendor. */
export function areUnrelated(one: Target, other: Target): boolean {
  return (
    one.provider.id !== other.provider.id &&
    one.model.vendor !== other.model.vendor &&
    (one.provider.terms.entity === null || one.provider.terms.entity !== other.provider.terms.entity)
  );
}
