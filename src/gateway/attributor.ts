/**
 * Who is to blame, live: keeps the faded counts that `core/attribution.ts` explains, remembers which targets went out
 * lately, and says when unrelated providers went out together, which looks like ourselves.
 */
import { areUnrelated, explain, faded, heightFor, leadOddsMin, noted } from '../core/attribution.ts';
import type { Explanation, Leaf } from '../core/attribution.ts';
import type { HealthCell } from '../core/health-cell.ts';
import type { Instant } from '../core/ids.ts';
import type { Target } from '../core/target.ts';

const leavesMax = 2_000;
/** Counts that have faded below this say nothing any more. */
const totalMin = 0.5;
/** Unrelated providers that go out within this time of each other went out together. */
const togetherMs = 60_000;
/** For how long that is remembered without news. */
const suspectMs = 120_000;

export class Attributor {
  readonly #leaves = new Map<string, Leaf>();
  #wentOut: { readonly target: Target; readonly at: Instant }[] = [];
  #suspectUntil: number = Number.NEGATIVE_INFINITY;

  note(target: Target, key: string | null, failed: boolean, cell: HealthCell, now: Instant): void {
    const id = `${target.name} ${key ?? ''}`;
    const { p0, perSecond } = cell.failures.tuning;
    const leaf = this.#leaves.get(id) ?? { target, key, total: 0, failed: 0, at: now, p0, perSecond };
    if (this.#leaves.size >= leavesMax) this.#prune(now);
    this.#leaves.set(id, noted(leaf, failed, now));
  }

  #prune(now: Instant): void {
    for (const [id, leaf] of this.#leaves) if (faded(leaf, now).total < totalMin) this.#leaves.delete(id);
    if (this.#leaves.size >= leavesMax) this.#leaves.clear();
  }

  #counts(now: Instant): readonly Leaf[] {
    return [...this.#leaves.values()]
      .map((leaf) => faded(leaf, now))
      .filter(({ total }) => total >= totalMin);
  }

  /** What explains the trouble of a target; null when the counts say nothing. */
  about(target: Target, now: Instant): Explanation | null {
    return explain(this.#counts(now)).find(({ targets }) => targets.has(target.name)) ?? null;
  }

  /** Wider scopes that are sick beyond doubt, so that targets without enough evidence of their own go out with them. */
  wide(falseAlarmMs: number, now: Instant): readonly Explanation[] {
    const leaves = this.#counts(now);
    const height = heightFor(leaves, falseAlarmMs);
    return explain(leaves).filter(
      ({ targets, nats, runnerUp, scope }) =>
        targets.size > 1 &&
        scope.kind !== 'egress' &&
        nats >= height &&
        (runnerUp === null || runnerUp.odds >= leadOddsMin),
    );
  }

  /** A target was shed; true when that makes us suspect ourselves. */
  wentOut(target: Target, now: Instant): boolean {
    const since = now - togetherMs;
    this.#wentOut = this.#wentOut.filter(({ at }) => at >= since && at <= now);
    const together = this.#wentOut.some((other) => areUnrelated(other.target, target));
    this.#wentOut.push({ target, at: now });
    if (!together) return false;
    const news = now >= this.#suspectUntil;
    this.#suspectUntil = now + suspectMs;
    return news;
  }

  /** Whether we suspect ourselves now; `still`: the targets concerned are out yet. */
  suspectsUs(now: Instant, still: boolean): boolean {
    if (now >= this.#suspectUntil) return false;
    if (still) this.#suspectUntil = now + suspectMs;
    return true;
  }
}
