/**
 * An incident as the public may see it: what kind of failure in plain words, which models and features, whether a backup
 * was used and for what share, whether content went to another company, when normal routing resumed, what was said and
 * when the next word is due. Names of people, keys, tenants, addresses and errors have no field here.
 */
import type { Instant } from './ids.ts';
import type { IncidentClass, IncidentTimes } from './incident.ts';
import type { FeatureThen } from './message.ts';
import type { TextSet } from './message-texts.ts';
import { filled } from './site-words.ts';
import type { FeatureStatus } from './status.ts';

export type StoryState = 'investigating' | 'identified' | 'monitoring' | 'resolved' | 'postmortem';
export type Impact = 'none' | 'minor' | 'major' | 'critical';

export type StoryUpdate = {
  readonly id: string;
  readonly at: Instant;
  readonly state: StoryState;
  readonly title: string | null;
  readonly text: string;
  /** In our own words, which say what kind of failure it is and where data went. */
  readonly isOurs: boolean;
  /** How features were then; of those that are not named, it is as before. */
  readonly features: readonly FeatureThen[];
};

export type StoryFeature = {
  readonly feature: string;
  readonly title: string;
  /** As it is now. */
  readonly status: FeatureStatus;
  /** The worst it was. */
  readonly worst: FeatureStatus;
  /** The model that answered instead; null when none did. */
  readonly backup: string | null;
  /** Of its requests meanwhile, the part that a backup answered, from 0 to 1; null when it is not known. */
  readonly share: number | null;
  readonly normalAt: Instant | null;
};

export type Story = {
  /** `inc_…` */
  readonly id: string;
  readonly title: string;
  readonly state: StoryState;
  readonly isOpen: boolean;
  readonly failureClass: IncidentClass;
  readonly impact: Impact;
  readonly startedAt: Instant;
  readonly updatedAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly nextUpdateAt: Instant | null;
  readonly models: readonly string[];
  readonly features: readonly StoryFeature[];
  /** Companies that content went to because of it, besides the usual ones; null when it is not known yet. */
  readonly dataLeftTo: readonly string[] | null;
  readonly times: IncidentTimes;
  /** Newest first. */
  readonly updates: readonly StoryUpdate[];
};

/** How a story's features went from update to update, the newest first: what each was before, and after. */
export function movesOf({ updates, features }: Pick<Story, 'updates' | 'features'>): readonly (readonly {
  readonly feature: string;
  readonly from: FeatureStatus;
  readonly to: FeatureStatus;
}[])[] {
  const then = new Map<string, FeatureStatus>(features.map(({ feature }) => [feature, 'normal']));
  return updates
    .toReversed()
    .map((update) => {
      const after = new Map(update.features.map(({ feature, status }) => [feature, status]));
      const isOver = update.state === 'resolved' || update.state === 'postmortem';
      return features.map(({ feature }) => {
        const from = then.get(feature) ?? 'normal';
        const to = after.get(feature) ?? (isOver ? 'normal' : from);
        then.set(feature, to);
        return { feature, from, to };
      });
    })
    .toReversed();
}

/** The question people ask first: did my data go elsewhere? */
export function dataWords(
  { dataLeftTo }: Pick<Story, 'dataLeftTo'>,
  { data }: Pick<TextSet, 'data'>,
): string {
  if (dataLeftTo === null) return data.unknown;
  return dataLeftTo.length === 0 ? data.stayed : filled(data.left, { companies: dataLeftTo.join(', ') });
}
