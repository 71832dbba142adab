/** The six states of a feature in the words of the status page: exactly these, wherever people read them. */
import type { Snapshot } from './snapshot.ts';
import type { FeatureStatus } from './status.ts';

export const featureWords: Readonly<Record<FeatureStatus, string>> = {
  normal: 'working normally',
  backup: 'working with a backup model',
  slow: 'slower than usual',
  partial: 'some requests fail',
  paused: 'paused by us',
  unavailable: 'not available',
};

/** What people call a feature; one that is not configured any more keeps its name. */
export function titleOf({ features }: Pick<Snapshot, 'features'>, feature: string): string {
  return features.get(feature)?.title ?? feature;
}
