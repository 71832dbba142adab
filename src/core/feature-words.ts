/** The six states of a feature in the words of the status page: exactly these, wherever people read them. */
import type { FeatureStatus } from './status.ts';

export const featureWords: Readonly<Record<FeatureStatus, string>> = {
  normal: 'working normally',
  backup: 'working with a backup model',
  slow: 'slower than usual',
  partial: 'some requests fail',
  paused: 'paused by us',
  unavailable: 'not available',
};
