/**
 * What a configuration leans on that has a date: terms that expire, and models whose vendor promises to keep them only
 * so long. Both are warned of in time, because on the day itself terms that expired refuse data, and a model that was
 * retired fails every request.
 *
 * It refuses to stop anything: a date that has passed is a warning here, and a rule in routing.
 */
import type { Instant } from './ids.ts';
import { momentFrom } from './moment.ts';
import type { Problem, Snapshot } from './snapshot.ts';

const dayMs = 86_400_000;
/** How long before the day a warning comes. */
export const termsNoticeMs = 30 * dayMs;
export const retirementNoticeMs = 90 * dayMs;

const warning = (path: Problem['path'], message: string, remedy: string): Problem => ({
  path,
  message,
  remedy,
  severity: 'warning',
});

function daysTo(at: number, now: Instant): string {
  const days = Math.ceil((at - now) / dayMs);
  return days === 1 ? '1 day' : `${days} days`;
}

function termsDue(snapshot: Snapshot, now: Instant): readonly Problem[] {
  return [...snapshot.providers.values()].flatMap(({ id, terms }): Problem[] => {
    if (terms.expiresAt === null || now < terms.expiresAt - termsNoticeMs) return [];
    const path = ['providers', id, 'terms', 'expires'];
    return [
      now >= terms.expiresAt
        ? warning(
            path,
            'has passed: every fact of these terms counts as unknown',
            'review the agreement and set a new date',
          )
        : warning(
            path,
            `is in ${daysTo(terms.expiresAt, now)}: from then on every fact counts as unknown`,
            'review the agreement in time',
          ),
    ];
  });
}

function modelsDue(snapshot: Snapshot, now: Instant): readonly Problem[] {
  return [...snapshot.features.values()].flatMap((feature) =>
    feature.route.flatMap(({ name, model }, index): Problem[] => {
      const at = model.keptUntil === null ? Number.NaN : momentFrom(`${model.keptUntil}T00:00:00.000Z`);
      if (!(now >= at - retirementNoticeMs)) return [];
      const path = ['features', feature.name, 'route', index];
      const remedy = 'plan its successor: put it behind this one in the route and try it';
      return [
        now >= at
          ? warning(path, `${name} may be retired: its vendor kept it until ${model.keptUntil ?? ''}`, remedy)
          : warning(
              path,
              `${name} is kept by its vendor until ${model.keptUntil ?? ''}, ${daysTo(at, now)} from now`,
              remedy,
            ),
      ];
    }),
  );
}

/** Every date that is near or has passed. */
export function dueSoon(snapshot: Snapshot, now: Instant): readonly Problem[] {
  return [...termsDue(snapshot, now), ...modelsDue(snapshot, now)];
}
