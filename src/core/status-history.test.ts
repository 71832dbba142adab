import { describe, expect, test } from 'bun:test';

import fc from 'fast-check';

import { instant } from './ids.ts';
import type { FeatureStatus } from './status.ts';
import {
  dayMs,
  historyOf,
  openIntervals,
  sumTallies,
  tallyDays,
  unwatchedMs,
  uptimePercent,
  watched,
} from './status-history.ts';
import type { StatusHistory, StatusInterval } from './status-history.ts';

const noon = Date.UTC(2026, 5, 7, 12);
const minute = 60_000;
const statuses: readonly FeatureStatus[] = ['normal', 'backup', 'slow', 'partial', 'paused', 'unavailable'];

/** Looks at one feature, each look so long after the last one. */
function look(looks: readonly (readonly [FeatureStatus, number])[]): {
  history: StatusHistory;
  changed: StatusInterval[];
  now: number;
} {
  let history: StatusHistory = new Map();
  const changed: StatusInterval[] = [];
  let now = noon;
  for (const [status, afterMs] of looks) {
    now += afterMs;
    const step = watched(history, [{ feature: 'notes', status }], instant(now));
    ({ history } = step);
    changed.push(...step.changed);
  }
  return { history, changed, now };
}
const intervalsOf = (history: StatusHistory): readonly StatusInterval[] => history.get('notes') ?? [];

describe('watching', () => {
  test('the same status is one interval that grows', () => {
    const { history, changed } = look([
      ['normal', 0],
      ['normal', 1_000],
      ['normal', 1_000],
    ]);
    expect(intervalsOf(history)).toMatchObject([{ status: 'normal', since: noon, until: noon + 2_000 }]);
    expect(changed).toHaveLength(1);
  });

  test('a new status closes the old interval where it begins', () => {
    const { history, changed } = look([
      ['normal', 0],
      ['backup', 1_000],
    ]);
    expect(intervalsOf(history)).toMatchObject([
      { status: 'normal', until: noon + 1_000 },
      { status: 'backup', since: noon + 1_000 },
    ]);
    expect(changed.map(({ status }) => status)).toEqual(['normal', 'normal', 'backup']);
  });

  test('time that nobody watched stays a gap, even when the status is the same', () => {
    const { history } = look([
      ['normal', 0],
      ['normal', unwatchedMs + 1],
    ]);
    expect(intervalsOf(history)).toHaveLength(2);
    expect(intervalsOf(history)[0]?.until).toBe(instant(noon));
  });

  test('a clock that goes back adds nothing', () => {
    const { history } = look([
      ['normal', 0],
      ['unavailable', -5_000],
    ]);
    expect(intervalsOf(history)).toMatchObject([{ status: 'normal' }]);
  });

  test('what was written is read back as it was', () => {
    const { history, changed } = look([
      ['normal', 0],
      ['backup', 1_000],
      ['normal', 1_000],
    ]);
    const bySince = new Map(changed.map((interval) => [interval.since, interval]));
    expect(historyOf([...bySince.values(), ...openIntervals(history)].slice(0, 3))).toEqual(history);
  });
});

describe('days', () => {
  test('an interval over midnight is counted on both days, and what was not watched is unknown', () => {
    const midnight = instant(Math.ceil(noon / dayMs) * dayMs);
    const days = tallyDays(
      [
        {
          feature: 'notes',
          status: 'backup',
          since: instant(midnight - 10 * minute),
          until: instant(midnight + 5 * minute),
        },
      ],
      instant(midnight + 20 * minute),
      2,
    );
    expect(days).toMatchObject([
      { backup: 10 * minute, unknown: dayMs - 10 * minute },
      { day: midnight, backup: 5 * minute, unknown: 15 * minute },
    ]);
  });

  test('every millisecond of a day is in exactly one place', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...statuses), fc.integer({ min: 0, max: 3 * 3_600_000 })), {
          maxLength: 60,
        }),
        (looks) => {
          const { history, now } = look(looks);
          for (const day of tallyDays(intervalsOf(history), instant(now), 5)) {
            const { day: since, ...parts } = day;
            const sum = Object.values(parts).reduce((total, ms) => total + ms, 0);
            expect(sum).toBe(Math.min(dayMs, now - since));
          }
        },
      ),
    );
  });
});

describe('uptime', () => {
  const tally = (parts: Partial<Record<FeatureStatus | 'unknown', number>>) => ({
    ...sumTallies([]),
    ...parts,
  });
  // oxfmt-ignore
  test.each([
    ['nothing watched is no data',               tally({ unknown: dayMs }),                           null],
    ['backup and slow are no downtime',          tally({ normal: 1, backup: 98, slow: 1 }),           100],
    ['paused counts whole',                      tally({ normal: 90, paused: 10 }),                   90],
    ['some requests fail counts three tenths',   tally({ normal: 90, partial: 10 }),                  97],
    ['unknown is left out',                      tally({ normal: 90, unavailable: 10, unknown: 900 }), 90],
    ['is rounded down, never up to 100',         tally({ normal: 10 * dayMs, unavailable: 1 }),       99.99],
  ])('%s', (_words, given, percent) => {
    expect(uptimePercent(given)).toBe(percent);
  });
});
