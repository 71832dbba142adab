import { describe, expect, test } from 'bun:test';

import { feltStatus, graver, isLate, noUsual, usualAfterOne } from './felt.ts';

describe('what callers have met', () => {
  // oxfmt-ignore
  test.each([
    ['nothing',                          { ended: 0,   failed: 0,  timed: 0,  slow: 0 },  null],
    ['one failure in two',               { ended: 2,   failed: 1,  timed: 1,  slow: 0 },  null],
    ['a few failures among many',        { ended: 200, failed: 5,  timed: 95, slow: 0 },  null],
    ['one in ten fails',                 { ended: 50,  failed: 5,  timed: 45, slow: 0 },  'partial'],
    ['nearly all fail',                  { ended: 40,  failed: 39, timed: 1,  slow: 0 },  'unavailable'],
    ['most let callers wait',            { ended: 10,  failed: 0,  timed: 10, slow: 6 },  'slow'],
    ['some let callers wait',            { ended: 10,  failed: 0,  timed: 10, slow: 3 },  null],
    ['failing is graver than slow',      { ended: 10,  failed: 3,  timed: 7,  slow: 7 },  'partial'],
  ] as const)('%s', (_words, felt, expected) => {
    expect(feltStatus(felt)).toBe(expected);
  });

  test('makes a feature look worse, never better', () => {
    expect(graver('backup', 'slow')).toBe('slow');
    expect(graver('paused', 'partial')).toBe('paused');
  });

  test('late is three times what is usual, once it is known, and never below two seconds', () => {
    let usual = noUsual;
    expect(isLate(60_000, usual)).toBe(false);
    for (let count = 0; count < 30; count++) usual = usualAfterOne(usual, 1_000);
    expect(isLate(2_900, usual)).toBe(false);
    expect(isLate(3_100, usual)).toBe(true);
    // What is late does not become usual.
    for (let count = 0; count < 500; count++) usual = usualAfterOne(usual, 9_000);
    expect(isLate(3_100, usual)).toBe(true);
    let quick = noUsual;
    for (let count = 0; count < 30; count++) quick = usualAfterOne(quick, 100);
    expect(isLate(1_900, quick)).toBe(false);
  });
});
