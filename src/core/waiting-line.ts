/**
 * Who waits for a place at a target, and who is next: the higher priority first; within it the tenant with the fewest
 * open calls, so that one tenant's flood does not become everybody's wait; then who came first. Each waits until its
 * own moment and no longer: an answer that comes too late helps nobody and costs as much.
 *
 * The line has a limit. When it is full, the last of the lowest priority gives way to a higher one, taken from the
 * tenant with most in line.
 */
import type { Instant } from './ids.ts';
import { isAbove, priorities } from './shedding.ts';
import type { Priority } from './snapshot.ts';

export type Waiter = {
  readonly priority: Priority;
  /** Null: no tenant was named; all such share one. */
  readonly tenant: string | null;
  readonly until: Instant;
};

export type Line<W extends Waiter> = readonly W[];

export const waitingMax = 1_000;

export type Joined<W extends Waiter> = {
  readonly line: Line<W>;
  /** Who has to leave so that the other fits: the newcomer itself when nobody ranks below it. */
  readonly turnedAway: W | null;
};

/** The last waiter of the lowest priority below `priority`, of the tenant with most of those. */
function givesWay<W extends Waiter>(line: Line<W>, priority: Priority): W | null {
  for (const lowest of priorities.toReversed()) {
    if (!isAbove(priority, lowest)) return null;
    const ranked = line.filter((waiter) => waiter.priority === lowest);
    if (ranked.length === 0) continue;
    const counts = new Map<string | null, number>();
    for (const { tenant } of ranked) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return ranked.findLast(({ tenant }) => counts.get(tenant) === most) ?? null;
  }
  return null;
}

export function join<W extends Waiter>(line: Line<W>, waiter: W): Joined<W> {
  if (line.length < waitingMax) return { line: [...line, waiter], turnedAway: null };
  const leaver = givesWay(line, waiter.priority);
  if (leaver === null) return { line, turnedAway: waiter };
  return { line: [...line.filter((each) => each !== leaver), waiter], turnedAway: leaver };
}

export function leave<W extends Waiter>(line: Line<W>, waiter: W): Line<W> {
  return line.filter((each) => each !== waiter);
}

/** Who is next among those for whom there is room; null when there is room for nobody. */
export function nextInLine<W extends Waiter>(
  line: Line<W>,
  hasRoom: (priority: Priority) => boolean,
  openOf: (tenant: string | null) => number,
): W | null {
  let best: W | null = null;
  let bestOpen = 0;
  for (const waiter of line) {
    if (best !== null && !isAbove(waiter.priority, best.priority)) {
      if (waiter.priority !== best.priority) continue;
      if (openOf(waiter.tenant) >= bestOpen) continue;
    }
    best = waiter;
    bestOpen = openOf(waiter.tenant);
  }
  return best !== null && hasRoom(best.priority) ? best : null;
}

/** Those whose moment has passed. */
export function overdue<W extends Waiter>(line: Line<W>, now: Instant): readonly W[] {
  return line.filter((waiter) => waiter.until <= now);
}

/** Whether somebody of the same or a higher priority waits: a newcomer then does not go first. */
export function somebodyBefore(line: Line<Waiter>, priority: Priority): boolean {
  return line.some((waiter) => !isAbove(priority, waiter.priority));
}
