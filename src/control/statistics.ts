/** Statistics from the store's records, part by part, up to a limit that is said when it was reached. */
import { addGroups, statisticsOf } from '../core/statistics.ts';
import type { Dimension, Groups, Statistic } from '../core/statistics.ts';
import { addWindows } from '../core/target-outcomes.ts';
import type { TargetWindows } from '../core/target-outcomes.ts';
import type { Store, TallyAsked } from '../store/store.ts';

/** Records that are counted for one question: the newest of those that fit. */
export const countedMax = 2_000_000;

export type Statistics = {
  readonly by: readonly Dimension[];
  readonly records: number;
  /** Older records fit too and were not counted. */
  readonly isCut: boolean;
  readonly groups: readonly Statistic[];
};

export async function collectStatistics(
  by: readonly Dimension[],
  filter: TallyAsked['filter'],
  store: Pick<Store, 'tallyRecords'>,
): Promise<Statistics> {
  const groups: Groups = new Map();
  let records = 0;
  let below: number | null = null;
  do {
    const part = await store.tallyRecords({ by, filter, below });
    addGroups(groups, part.groups);
    records += part.rows;
    ({ below } = part);
  } while (below !== null && records < countedMax);
  return { by, records, isCut: below !== null, groups: statisticsOf(groups) };
}

export async function collectWindows(
  filter: TallyAsked['filter'],
  store: Pick<Store, 'tallyTargets'>,
): Promise<{ readonly windows: TargetWindows; readonly isCut: boolean }> {
  const windows: TargetWindows = new Map();
  let records = 0;
  let below: number | null = null;
  do {
    const part = await store.tallyTargets({ filter, below });
    addWindows(windows, part.windows);
    records += part.rows;
    ({ below } = part);
  } while (below !== null && records < countedMax);
  return { windows, isCut: below !== null };
}
