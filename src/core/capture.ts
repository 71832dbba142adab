/**
 * Whether the content of a request is captured, and under whose key it is kept.
 *
 * Nothing is captured unless the configuration names features or classes of data, and both must fit where both are named.
 * A class that forbids it has the last word, whichever way the class came: it cannot be argued with by a header or a rule.
 * A key belongs to one subject and one day (UTC), so that forgetting a person, or a day, is destroying keys and nothing
 * else. The subject is the user as the caller named it, within its tenant; without a user it is the tenant.
 *
 * It refuses to guess: a request of a class that nobody defined is not captured, and none without a class where classes
 * are named.
 */
import { classNames } from './data-class.ts';
import type { ClassDemand } from './data-class.ts';
import type { Instant } from './ids.ts';
import type { Secret } from './secret.ts';

export type CaptureSettings = {
  /** Null: every feature. */
  readonly features: ReadonlySet<string> | null;
  /** Null: every class that does not forbid it, and none. */
  readonly dataClasses: ReadonlySet<string> | null;
  readonly key: Secret;
  readonly retentionMs: number;
  /** How long records are kept: by class, and of all others. */
  readonly recordsMs: { readonly byClass: ReadonlyMap<string, number>; readonly others: number };
  /** Of each body; what is longer is cut. */
  readonly bodyBytesMax: number;
};

/** `cut`: not to its end. `lost`: there was no room for it. */
export const captureMarks = ['none', 'whole', 'cut', 'lost'] as const;
export type CaptureMark = (typeof captureMarks)[number];

export function isCaptured(settings: CaptureSettings, feature: string, demand: ClassDemand): boolean {
  const { features, dataClasses } = settings;
  if (demand.noCapture === true || demand.dataClass === 'undefined_class') return false;
  if (features !== null && !features.has(feature)) return false;
  if (dataClasses === null) return true;
  return demand.name !== null && classNames(demand.name).every((name) => dataClasses.has(name));
}

/** Content is kept no longer than the record that tells of it. */
export function contentMs({ retentionMs, recordsMs }: CaptureSettings, { name }: ClassDemand): number {
  const classes = name === null ? [] : classNames(name);
  const known = classes.flatMap((each) => recordsMs.byClass.get(each) ?? []);
  return Math.min(retentionMs, ...(known.length === 0 ? [recordsMs.others] : known));
}

export const dayMs = 86_400_000;

/** The day of an instant, as days since the epoch. */
export const dayOf = (at: Instant): number => Math.floor(at / dayMs);
