/**
 * Who is to blame, live: keeps the latest outcomes that `core/attribution.ts` explains, remembers which targets went out
 * lately, and says when unrelated providers went out together, which looks like ourselves.
 */
import { areUnrelated, explain, heightFor, leadOddsMin } from '../core/attribution.ts';
import type { Explanation, Leaf } from '../core/attribution.ts';
import type { GateScope } from '../core/evidence.ts';
import { withAttribution } from '../core/gate-moves.ts';
import type { Observed } from '../core/gate-moves.ts';
import type { HealthCell } from '../core/health-cell.ts';
import type { HealthRule } from '../core/health-rule.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';

const leavesMax = 2_000;
/** Outcomes kept of each leaf, and the longest that they matter. */
const outcomesMax = 128;
const memoryMs = 300_000;
/** Times of outcomes are kept in hundredths of a second, in 15 bits: they wrap around after longer than they matter. */
const tickMs = 10;
const wrap = 2 ** 15;
/** Unrelated providers that go out within this time of each other went out together. */
const togetherMs = 60_000;
/** For how long a suspect counts as out without news of it. */
const suspectMs = 120_000;
const explainEveryMs = 1_000;
/** One wrong shed of a whole scope in a month. */
const falseAlarmMs = 30 * 86_400_000;
/** Before a target has failed it is compared with this. */
const unknown: Usual = { p0: 0.0075, perSecond: 1 };
const us: GateScope = { kind: 'egress', name: 'us' };

/**
 * The latest outcomes of one target through one key: when each came, and whether it failed. There is one for every target
 * and key, so each takes two bytes: the time, and one bit for a failure.
 */
class Outcomes {
  readonly target: Target;
  readonly key: string | null;
  readonly #entries = new Uint16Array(outcomesMax);
  #next = 0;
  #kept = 0;
  latest: Instant;

  constructor(target: Target, key: string | null, now: Instant) {
    this.target = target;
    this.key = key;
    this.latest = now;
  }

  add(failed: boolean, now: Instant): void {
    // After such a pause none of them matters, and none can be taken for new.
    if (now - this.latest > memoryMs) this.#kept = 0;
    this.#entries[this.#next] = (tickOf(now) << 1) | (failed ? 1 : 0);
    this.#next = (this.#next + 1) % outcomesMax;
    this.#kept = Math.min(outcomesMax, this.#kept + 1);
    this.latest = now;
  }

  since(from: Instant): { readonly total: number; readonly failed: number } {
    const latest = tickOf(this.latest);
    const most = (this.latest - from) / tickMs + 1;
    let total = 0;
    let failed = 0;
    let ago = 0;
    for (let back = 1; back <= this.#kept; back++) {
      const entry = this.#entries[(this.#next - back + outcomesMax) % outcomesMax] ?? 0;
      const before = ago;
      ago = (latest - (entry >>> 1) + wrap) % wrap;
      // Nearer than the one after it: the time has wrapped around.
      if (ago < before || ago > most) break;
      total++;
      failed += entry & 1;
    }
    return { total, failed };
  }
}

const tickOf = (at: number): number => Math.floor(at / tickMs) % wrap;

/** What a leaf's counts are compared with, as its cell has learned it. */
type Usual = { readonly p0: number; readonly perSecond: number };

export class Attributor {
  readonly #leaves = new Map<TargetName, Outcomes[]>();
  #leafCount = 0;
  readonly #usual = new Map<TargetName, Usual>();
  #wentOut: { readonly target: Target; readonly at: Instant }[] = [];
  /** Targets that went out together with unrelated ones, and when each was last seen out. */
  readonly #suspects = new Map<Target, number>();
  #explainedAt: number = Number.NEGATIVE_INFINITY;

  note(target: Target, key: string | null, failed: boolean, cell: HealthCell, now: Instant): void {
    const known = this.#leaves.get(target.name)?.find((each) => each.key === key);
    const leaf = known ?? this.#newLeaf(target, key, now);
    leaf.add(failed, now);
    if (failed) this.#usual.set(target.name, cell.failures.tuning);
  }

  #newLeaf(target: Target, key: string | null, now: Instant): Outcomes {
    if (this.#leafCount >= leavesMax) this.#prune(now);
    const leaf = new Outcomes(target, key, now);
    const ofTarget = this.#leaves.get(target.name);
    if (ofTarget === undefined) this.#leaves.set(target.name, [leaf]);
    else ofTarget.push(leaf);
    this.#leafCount++;
    return leaf;
  }

  #prune(now: Instant): void {
    for (const [name, ofTarget] of this.#leaves)
      if (ofTarget.every(({ latest }) => now - latest > memoryMs)) this.#drop(name);
    if (this.#leafCount >= leavesMax) this.forget();
  }

  #drop(name: TargetName): void {
    this.#leafCount -= this.#leaves.get(name)?.length ?? 0;
    this.#leaves.delete(name);
  }

  #counts(since: Instant, now: Instant): readonly Leaf[] {
    const from = Math.max(since, now - memoryMs) as Instant;
    const leaves = [...this.#leaves.values()].flat();
    return leaves.map((leaf) => {
      const { p0, perSecond } = this.#usual.get(leaf.target.name) ?? unknown;
      return { target: leaf.target, key: leaf.key, ...leaf.since(from), p0, perSecond };
    });
  }

  /** What explains the trouble of a target; null when the counts say nothing. */
  #about(target: Target, since: Instant, now: Instant): Explanation | null {
    return explain(this.#counts(since, now)).find(({ targets }) => targets.has(target.name)) ?? null;
  }

  /** Wider scopes that are sick beyond doubt; `since`: when the first suspicion began. */
  wide(since: Instant, now: Instant): readonly Explanation[] {
    if (now < this.#explainedAt + explainEveryMs && now >= this.#explainedAt) return [];
    this.#explainedAt = now;
    const leaves = this.#counts(since, now);
    const height = heightFor(leaves, falseAlarmMs);
    return explain(leaves).filter(
      ({ targets, nats, runnerUp, scope }) =>
        targets.size > 1 &&
        scope.kind !== 'egress' &&
        scope.kind !== 'key' &&
        nats >= height &&
        (runnerUp === null || runnerUp.odds >= leadOddsMin),
    );
  }

  /** A move out with what is sick on it. When unrelated providers go out together, that is ourselves. */
  named(target: Target, observed: Observed, rule: HealthRule, now: Instant): Observed {
    const { transition } = observed;
    if (transition?.to === 'healthy' || transition?.to === 'ramping') this.#isWell(target);
    if (transition === null || transition.numbers === null) return observed;
    const found =
      transition.scope === null || transition.to === 'ejected'
        ? this.#about(target, transition.numbers.since, now)
        : null;
    const together = transition.to === 'shedding' && this.#wentOutTogether(target, now);
    if (together || this.#isSuspect(target, now)) {
      const runnerUp = found === null ? null : { scope: found.scope, odds: leadOddsMin };
      return withAttribution(observed, { scope: us, runnerUp }, rule);
    }
    if (found === null) return observed;
    const { scope, runnerUp } = found;
    if (runnerUp === null || runnerUp.odds >= leadOddsMin)
      return withAttribution(observed, { scope, runnerUp }, rule);
    // Two scopes explain it about as well: what is certain is the target itself.
    const own: GateScope = { kind: 'target', name: target.name };
    return withAttribution(observed, { scope: own, runnerUp: { scope, odds: 1 } }, rule);
  }

  /** It has proved itself: what was counted before says nothing about it now. */
  #isWell(target: Target): void {
    this.#drop(target.name);
  }

  #wentOutTogether(target: Target, now: Instant): boolean {
    this.#wentOut = this.#wentOut.filter(({ at }) => at >= now - togetherMs && at <= now);
    const others = this.#wentOut.filter((other) => areUnrelated(other.target, target));
    this.#wentOut.push({ target, at: now });
    if (others.length === 0) return false;
    for (const each of [target, ...others.map((other) => other.target)]) this.#suspects.set(each, now);
    return true;
  }

  /** Suspected together, and an unrelated one is out yet: then it is still ourselves that we suspect. */
  #isSuspect(target: Target, now: Instant): boolean {
    if (!this.#suspects.has(target)) return false;
    for (const [other, outAt] of this.#suspects)
      if (now - outAt < suspectMs && areUnrelated(other, target)) return true;
    return false;
  }

  /** The rule of a target; while we suspect ourselves on its account nothing is declared. `isShed`: it is out yet. */
  tempered(target: Target, rule: HealthRule, now: Instant, isShed: boolean): HealthRule {
    if (this.#suspects.size === 0) return rule;
    if (isShed && this.#suspects.has(target)) this.#suspects.set(target, now);
    return this.#isSuspect(target, now) ? { ...rule, mayDeclare: false } : rule;
  }

  /** The clock jumped: counts and times of before are of no use. */
  forget(): void {
    this.#leaves.clear();
    this.#leafCount = 0;
    this.#usual.clear();
    this.#wentOut = [];
    this.#suspects.clear();
  }
}
