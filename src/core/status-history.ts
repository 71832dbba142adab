/**
 * How features have been: intervals of one status each, and what is counted from them, day by day.
 *
 * Only what was watched is counted. Time that nobody watched (the process was down, the machine asleep) is unknown: it is
 * neither good nor bad, is shown as such, and is left out of the uptime. Time on a backup model is not downtime and not
 * nothing: it is counted apart. This module keeps no clock and refuses to fill gaps.
 */
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import type { FeatureStatus } from './status.ts';
import { durationWords } from './words.ts';
import { english } from './message-texts.ts';
import type { TextSet } from './message-texts.ts';
import { filled } from './site-words.ts';

export type StatusInterval = {
  readonly feature: string;
  readonly status: FeatureStatus;
  readonly since: Instant;
  /** Until when it was seen. */
  readonly until: Instant;
};

/** Of each feature, oldest first; the last one may still grow. */
export type StatusHistory = ReadonlyMap<string, readonly StatusInterval[]>;

export type FeatureSeen = { readonly feature: string; readonly status: FeatureStatus };

export const dayMs = 86_400_000;
export const historyDays = 90;
/** Two looks further apart than this have watched nothing between them. */
export const unwatchedMs = 30_000;
/** Intervals of one feature that are kept in mind; what is older counts as unknown. */
export const intervalsMax = 5_000;

/** The history after one more look. */
export function watched(
  history: StatusHistory,
  seen: readonly FeatureSeen[],
  now: Instant,
): { readonly history: StatusHistory; readonly changed: readonly StatusInterval[] } {
  const next = new Map(history);
  const changed: StatusInterval[] = [];
  for (const { feature, status } of seen) {
    const list = history.get(feature) ?? [];
    const last = list.at(-1);
    if (last !== undefined && now < last.until) continue; // the clock went back: that time is already known
    const isWatched = last !== undefined && now - last.until <= unwatchedMs;
    const grown = isWatched ? { ...last, until: now } : null;
    const begun: StatusInterval = { feature, status, since: now, until: now };
    const added = grown === null ? [begun] : grown.status === status ? [grown] : [grown, begun];
    if (grown === null || grown.status !== status) changed.push(...added);
    next.set(feature, [...(grown === null ? list : list.slice(0, -1)), ...added].slice(-intervalsMax));
  }
  return { history: next, changed };
}

export function historyOf(intervals: readonly StatusInterval[]): StatusHistory {
  const history = new Map<string, StatusInterval[]>();
  for (const interval of [...intervals].sort((one, other) => one.since - other.since)) {
    const list = history.get(interval.feature);
    if (list === undefined) history.set(interval.feature, [interval]);
    else list.push(interval);
  }
  return history;
}

/** The last interval of each feature: what a heartbeat has to write. */
export function openIntervals(history: StatusHistory): readonly StatusInterval[] {
  return [...history.values()].flatMap((list) => list.at(-1) ?? []);
}

/** Milliseconds in each status, and those that nobody watched. */
export type Tally = Readonly<Record<FeatureStatus, number>> & { readonly unknown: number };
export type DayTally = Tally & { readonly day: Instant };

const nothing: Tally = { normal: 0, backup: 0, slow: 0, partial: 0, paused: 0, unavailable: 0, unknown: 0 };

/** The last days (UTC), oldest first; today as far as it has come. */
export function tallyDays(
  intervals: readonly StatusInterval[],
  now: Instant,
  days = historyDays,
): readonly DayTally[] {
  const first = Math.floor(now / dayMs) - days + 1;
  const tallies = Array.from({ length: days }, (_, index) => ({ ...nothing, day: (first + index) * dayMs }));
  for (const { status, since, until } of intervals) {
    const end = Math.min(until, now);
    for (let day = Math.max(Math.floor(since / dayMs), first); day * dayMs < end; day++) {
      const tally = tallies[day - first];
      if (tally === undefined) break;
      tally[status] += Math.max(0, Math.min(end, tally.day + dayMs) - Math.max(since, tally.day));
    }
  }
  return tallies.map((tally) => {
    const { day, unknown: _, ...known } = tally;
    const elapsed = Math.min(now - day, dayMs);
    const seen = Object.values(known).reduce((sum, ms) => sum + ms, 0);
    return { ...known, day: instant(day), unknown: Math.max(0, elapsed - seen) };
  });
}

export function sumTallies(tallies: readonly Tally[]): Tally {
  const sum = { ...nothing };
  for (const tally of tallies)
    for (const status of Object.keys(nothing) as (keyof Tally)[]) sum[status] += tally[status];
  return sum;
}

/** How much a minute of each status counts as a minute of downtime. */
export const downWeights: Readonly<Record<FeatureStatus, number>> = {
  normal: 0,
  backup: 0,
  slow: 0,
  partial: 0.3,
  paused: 1,
  unavailable: 1,
};

/** Per cent of the time that was watched, to two places, rounded down: 100 means not one counted moment. Null: no data. */
export function uptimePercent(tally: Tally): number | null {
  const statuses = Object.keys(downWeights) as FeatureStatus[];
  const known = statuses.reduce((sum, status) => sum + tally[status], 0);
  if (known === 0) return null;
  const down = statuses.reduce((sum, status) => sum + tally[status] * downWeights[status], 0);
  return Math.floor(((known - down) * 10_000) / known) / 100;
}

export type FeaturePast = {
  /** Since when it is as it is now, and since when anything is known; null when nothing is. */
  readonly since: Instant | null;
  readonly from: Instant | null;
  readonly days: readonly DayTally[];
  readonly total: Tally;
  readonly uptime: number | null;
  readonly words: string;
};

const dayCount = (days: readonly DayTally[], holds: (day: DayTally) => boolean): number =>
  days.filter((day) => holds(day)).length;

const isUnwatched = (day: DayTally): boolean => uptimePercent(day) === null;

/** `99.98 %` */
export const uptimeWords = (uptime: number, { decimal }: Pick<TextSet, 'decimal'>): string =>
  `${uptime.toFixed(2).replace('.', decimal)} %`;

function pastWords(days: readonly DayTally[], total: Tally, uptime: number | null, texts: TextSet): string {
  const words = texts.site.past;
  if (uptime === null) return filled(words.noData, { days: days.length });
  const part = (ms: number, template: string): readonly string[] =>
    ms === 0 ? [] : [filled(template, { time: durationWords(ms) })];
  const unwatched = dayCount(days, isUnwatched);
  return `${[
    filled(words.summary, { days: days.length, uptime: uptimeWords(uptime, texts) }),
    ...part(total.unavailable, words.unavailable),
    ...part(total.paused, words.paused),
    ...part(total.partial, words.partial),
    ...part(total.slow, words.slow),
    ...part(total.backup, words.backup),
    ...(unwatched === 0
      ? []
      : [filled(unwatched === 1 ? words.unwatchedDay : words.unwatchedDays, { days: unwatched })]),
  ].join('; ')}.`;
}

export function pastOf(
  intervals: readonly StatusInterval[],
  now: Instant,
  texts: TextSet = english,
): FeaturePast {
  const days = tallyDays(intervals, now);
  const total = sumTallies(days);
  const uptime = uptimePercent(total);
  return {
    since: intervals.at(-1)?.since ?? null,
    from: intervals[0]?.since ?? null,
    days,
    total,
    uptime,
    words: pastWords(days, total, uptime, texts),
  };
}
