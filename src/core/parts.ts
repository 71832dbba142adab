/**
 * How requests of one kind divide where a switch lets only a part of them through. One draw of chance serves a whole
 * request, so what is decided changes only at the shares of those switches: between two of them every draw decides the
 * same, and one in the middle stands for all. So an explanation or a preview says exactly what share goes where, and
 * draws nothing.
 */
import type { Instant } from './ids.ts';
import { askerOf } from './routing.ts';
import type { RoutingRequest } from './rules.ts';
import { speaking } from './switches.ts';
import type { Switch } from './switches.ts';

export type Part = {
  /** Of the requests, as a fraction of 1. */
  readonly share: number;
  /** A draw that stands for all of this part. */
  readonly random: number;
};

/** The parts into which these switches divide requests, the first those that are let through least; one where none does. */
export function partsOf(request: RoutingRequest, switches: readonly Switch[], now: Instant): readonly Part[] {
  const asker = askerOf(request);
  const shares = request.route
    .flatMap((target) => speaking(switches, target, asker, now))
    .flatMap(({ mode, effect }) =>
      mode === 'enforce' && effect.kind === 'shed' ? [effect.percent / 100] : [],
    )
    .filter((share) => share > 0 && share < 1);
  const bounds = [...new Set([0, ...shares, 1])].toSorted((one, other) => one - other);
  return bounds.slice(1).map((to, index) => {
    const from = bounds[index] ?? 0;
    return { share: to - from, random: (from + to) / 2 };
  });
}
