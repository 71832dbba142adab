/**
 * What is planned: maintenance that somebody wrote down, and the days until which vendors promise to keep models. A
 * model's end is told early, with the features that use it, because then there is still time to try what replaces it.
 * It refuses to name a replacement that the route does not have.
 */
import type { Maintenance } from './configure-status.ts';
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import { dayText, epochOf } from './moment.ts';
import type { Feature } from './snapshot.ts';
import { english } from './message-texts.ts';
import type { TextSet } from './message-texts.ts';
import { filled } from './site-words.ts';
import { listWords } from './words.ts';

export type Planned = {
  readonly id: string;
  readonly kind: 'maintenance' | 'retirement';
  readonly title: string;
  readonly text: string;
  readonly from: Instant;
  readonly until: Instant;
  /** Names of features. */
  readonly features: readonly string[];
  readonly models: readonly string[];
  readonly state: 'scheduled' | 'in_progress' | 'completed';
};

const dayMs = 86_400_000;
/** How early a model's end is told. */
const aheadMs = 180 * dayMs;
/** How long what is over is still listed. */
const afterMs = 30 * dayMs;

function stateOf(from: Instant, until: Instant, now: Instant): Planned['state'] {
  if (now < from) return 'scheduled';
  return now < until ? 'in_progress' : 'completed';
}

type PlannedFeature = Pick<Feature, 'name' | 'title' | 'route'>;

function retirementsOf(
  features: readonly PlannedFeature[],
  now: Instant,
  { and, site: { planned: words } }: TextSet,
): readonly Planned[] {
  const users = new Map<string, { readonly day: string; readonly features: PlannedFeature[] }>();
  for (const feature of features)
    for (const { model } of feature.route) {
      if (model.keptUntil === null) continue;
      const known = users.get(model.name) ?? { day: model.keptUntil, features: [] };
      if (!known.features.includes(feature)) known.features.push(feature);
      users.set(model.name, known);
    }
  return [...users].map(([model, { day, features: using }]): Planned => {
    const from = instant(epochOf(day));
    const until = instant(from + dayMs);
    const lacking = using.filter((feature) => feature.route.every((target) => target.model.name === model));
    const rest = lacking.map(({ title }) => title);
    return {
      id: `ret_${model.replaceAll(/[^\w.-]/g, '-')}_${day.replaceAll('-', '')}`,
      kind: 'retirement',
      title: filled(words.retirement, { model }),
      text: [
        filled(words.kept, { model, day: dayText(from) }),
        filled(words.used, {
          features: listWords(
            using.map(({ title }) => title),
            and,
          ),
        }),
        ...(rest.length === 0
          ? [words.others]
          : [filled(rest.length === 1 ? words.alone : words.aloneMany, { features: listWords(rest, and) })]),
      ].join(' '),
      from,
      until,
      features: using.map(({ name }) => name),
      models: [model],
      state: stateOf(from, until, now),
    };
  });
}

/** Soonest first. */
export function plannedOf(
  maintenance: readonly Maintenance[],
  features: readonly PlannedFeature[],
  now: Instant,
  texts: TextSet = english,
): readonly Planned[] {
  const names = features.map(({ name }) => name);
  const works = maintenance.map((each): Planned => ({
    id: each.id,
    kind: 'maintenance',
    title: each.title,
    text: each.text ?? '',
    from: each.from,
    until: each.until,
    features: each.features ?? names,
    models: [],
    state: stateOf(each.from, each.until, now),
  }));
  return [...works, ...retirementsOf(features, now, texts)]
    .filter(({ from, until }) => from - now <= aheadMs && now - until <= afterMs)
    .sort((one, other) => one.from - other.from);
}
