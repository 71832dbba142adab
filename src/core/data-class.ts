/**
 * Which class of data a request counts as, and what that class demands.
 *
 * A class can come from the caller's header, from a rule of the configuration and from the feature's default. All that
 * speak are in force together, so the strictest wins and a caller can only raise it. Where one class accepts nothing
 * that another refuses, it alone is named; where neither is stricter both are named, joined by `+`, and both must be
 * met. A class that the configuration does not define is met by nobody.
 *
 * It refuses to rank classes by their names: only what they accept counts.
 */
import type { DataClass, DataRule, Feature, Snapshot } from './snapshot.ts';

export type ClassSource = 'header' | 'rule' | 'feature' | 'none';

export type ClassDemand = {
  /** The word in records, headers and switches; null when no class speaks. */
  readonly name: string | null;
  readonly source: ClassSource;
  readonly dataClass: DataClass | 'undefined_class' | null;
  /** A class that spoke forbids it, whichever of them was the strictest. */
  readonly noCapture?: true;
};

export const unclassified: ClassDemand = { name: null, source: 'none', dataClass: null };

/** Who asks, as far as a rule can name it. */
export type Classified = {
  readonly feature: string;
  readonly tenant: string | null;
  /** Id and name of the key. */
  readonly keyNames: readonly string[];
};

const joint = '+';

function within(inner: ReadonlySet<string> | null, outer: ReadonlySet<string> | null): boolean {
  if (outer === null) return true;
  return inner !== null && [...inner].every((word) => outer.has(word));
}

/** Whether every provider that `one` accepts is accepted by `other` too. */
export function isAtLeastAsStrict(one: DataClass, other: DataClass): boolean {
  return (
    (other.training === null || one.training === 'no') &&
    (other.retentionDaysMax === null ||
      (one.retentionDaysMax !== null && one.retentionDaysMax <= other.retentionDaysMax)) &&
    within(one.regions, other.regions) &&
    within(one.entities, other.entities)
  );
}

function both(
  one: ReadonlySet<string> | null,
  other: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  if (one === null || other === null) return one ?? other;
  return new Set([...one].filter((word) => other.has(word)));
}

/** What meets both classes. */
function joined(one: DataClass, other: DataClass): DataClass {
  const days = [one.retentionDaysMax, other.retentionDaysMax].filter((value) => value !== null);
  return {
    name: `${one.name}${joint}${other.name}`,
    training: one.training ?? other.training,
    retentionDaysMax: days.length === 0 ? null : Math.min(...days),
    regions: both(one.regions, other.regions),
    entities: both(one.entities, other.entities),
  };
}

/** The class both demands come to; the first keeps its name when they are alike. */
export function stricter(one: ClassDemand, other: ClassDemand): ClassDemand {
  const demand = strictest(one, other);
  return one.noCapture === true || other.noCapture === true ? { ...demand, noCapture: true } : demand;
}

function strictest(one: ClassDemand, other: ClassDemand): ClassDemand {
  if (other.dataClass === null || one.dataClass === 'undefined_class') return one;
  if (one.dataClass === null || other.dataClass === 'undefined_class') return other;
  if (isAtLeastAsStrict(one.dataClass, other.dataClass)) return one;
  if (isAtLeastAsStrict(other.dataClass, one.dataClass)) return other;
  const dataClass = joined(one.dataClass, other.dataClass);
  return { name: dataClass.name, source: one.source, dataClass };
}

/** The class of this name, or of both names, as a demand. */
export function demandOf(
  classes: Snapshot['dataClasses'],
  name: string | null,
  source: ClassSource,
): ClassDemand {
  if (name === null) return unclassified;
  return classNames(name)
    .map((word): ClassDemand => {
      const found = classes.get(word);
      const demand = { name: word, source, dataClass: found ?? ('undefined_class' as const) };
      return found?.noCapture === true ? { ...demand, noCapture: true } : demand;
    })
    .reduce(stricter);
}

function speaks({ match }: DataRule, { feature, tenant, keyNames }: Classified): boolean {
  return (
    (match.feature === undefined || match.feature === feature) &&
    (match.tenant === undefined || match.tenant === tenant) &&
    (match.key === undefined || keyNames.includes(match.key))
  );
}

/** What a request's data demands: the caller's class, those of the rules that match, and the feature's default. */
export function classDemand(
  snapshot: Pick<Snapshot, 'dataClasses' | 'dataRules'>,
  feature: Pick<Feature, 'name' | 'dataClass'>,
  named: string | null,
  asker: Omit<Classified, 'feature'>,
): ClassDemand {
  const { dataClasses, dataRules } = snapshot;
  const given = demandOf(dataClasses, named, 'header');
  if (dataRules.length === 0 && feature.dataClass === null) return given;
  const who = { ...asker, feature: feature.name };
  const ruled = dataRules
    .filter((rule) => speaks(rule, who))
    .map((rule) => demandOf(dataClasses, rule.dataClass, 'rule'));
  const byDefault = demandOf(dataClasses, feature.dataClass, 'feature');
  return [...ruled, byDefault].reduce(stricter, given);
}

/** The classes a name stands for: two where neither was stricter. */
export function classNames(name: string): readonly string[] {
  return name.split(joint);
}
