/**
 * The last 90 days of a feature as bars, small enough to be in the page: days that went alike are one dashed line. Time on a
 * backup model is a band of its own at the top of a day, never part of what failed, which grows from the bottom. The
 * picture is for the eye; the same is said in words beside it and, day by day, on the page of the past.
 */
import type { DayTally, Tally } from '../core/status-history.ts';

const height = 24;
/** The smallest thing that can be seen. */
const seen = 4;

const knownOf = (day: Tally): number =>
  day.normal + day.backup + day.slow + day.partial + day.paused + day.unavailable;

type Band = { readonly style: string; readonly from: number; readonly to: number };

/** What is drawn over a day's ground, from the bottom: what was down, what partly failed, what was slow. */
function bandsOf(day: Tally): readonly Band[] {
  const known = knownOf(day);
  const tall = (ms: number): number => (ms === 0 ? 0 : Math.max(seen, Math.round((ms / known) * height)));
  const bands: Band[] = [];
  let top = height;
  for (const [style, ms] of [
    ['b', day.paused + day.unavailable],
    ['w', day.partial + day.slow],
  ] as const) {
    const size = Math.min(tall(ms), top);
    if (size > 0) bands.push({ style, from: top - size, to: top });
    top -= size;
  }
  const backup = Math.min(tall(day.backup), Math.max(top, seen));
  if (backup > 0) bands.push({ style: 'k', from: 0, to: backup });
  return bands;
}

/** Dashes over each run of days. */
function runs(days: readonly DayTally[], holds: (day: DayTally) => boolean): string {
  let path = '';
  for (let index = 0; index < days.length; index++) {
    const start = index;
    for (let day = days[index]; day !== undefined && holds(day); day = days[++index]);
    if (index > start) path += `M${start} 12H${index}`;
  }
  return path;
}

const isKnown = (day: DayTally): boolean => knownOf(day) > 0;

export function barsSvg(days: readonly DayTally[], label: string): string {
  const paths: Record<string, string> = {};
  for (const [index, day] of days.entries())
    for (const { style, from, to } of bandsOf(day))
      paths[style] = `${paths[style] ?? ''}M${index}.4 ${from}V${to}`;
  const ground = [
    ['g', runs(days, isKnown)],
    ['u', runs(days, (day) => !isKnown(day))],
  ] as const;
  const drawn = [...ground, ...Object.entries(paths)]
    .filter(([, path]) => path !== '')
    .map(([style, path]) => `<path class="${style}" d="${path}"/>`);
  return `<svg class="bars" viewBox="0 0 ${days.length} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">${drawn.join('')}</svg>`;
}
