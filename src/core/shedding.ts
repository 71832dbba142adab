/**
 * Who may take a place at a target that is nearly full: `critical` up to the limit, `normal` up to nine tenths of it,
 * `sheddable` up to six tenths. What is left free is for those above, so that a burst of theirs finds room at once.
 *
 * From this follows the promise: at any moment, where a request is refused no request of lower priority would be let
 * in. A share is held back only for priorities that use the target at all; a product that sets none loses nothing.
 */
import type { Priority } from './snapshot.ts';

/** Most important first. */
export const priorities = ['critical', 'normal', 'sheddable'] as const satisfies readonly Priority[];

const shares: Readonly<Record<Priority, number>> = { critical: 1, normal: 0.9, sheddable: 0.6 };

/** How long a request may wait for a place. What can be shed is not made to wait: it is told at once. */
export const waitMsMax: Readonly<Record<Priority, number>> = {
  critical: 10_000,
  normal: 3_000,
  sheddable: 0,
};

export function isAbove(one: Priority, other: Priority): boolean {
  return priorities.indexOf(one) < priorities.indexOf(other);
}

/** The share of a limit that a priority may fill; `top` is the highest priority that uses the target. */
export function shareOf(priority: Priority, top: Priority): number {
  return isAbove(top, priority) ? shares[priority] : 1;
}

/** The places that a priority may fill. Rounded up, so that a small limit still has room for everybody. */
export function placesFor(most: number, priority: Priority, top: Priority): number {
  return Math.ceil(most * shareOf(priority, top));
}
