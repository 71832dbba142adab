import { expect, test } from 'bun:test';

import { combinationsMax, Family } from './series.ts';

test('a counter without labels is there from the start, and adds up', () => {
  const family = new Family('bugs_total', { kind: 'counter', labels: [], help: 'Bugs.' });
  expect(family.expose()).toBe('# HELP bugs_total Bugs.\n# TYPE bugs_total counter\nbugs_total 0\n');
  family.add([], 2);
  expect(family.expose()).toEndWith('\nbugs_total 2\n');
});

test('label values are escaped as Prometheus reads them', () => {
  const family = new Family('state', { kind: 'gauge', labels: ['target', 'state'], help: 'State.' });
  family.set(['a"b\\c\nd', 'healthy'], 1);
  expect(family.expose()).toEndWith(String.raw`state{target="a\"b\\c\nd",state="healthy"} 1` + '\n');
});

test('the buckets of a histogram are cumulative, and a bound belongs to its bucket', () => {
  const family = new Family('seconds', { kind: 'histogram', labels: ['feature'], help: 'Time.' });
  for (const value of [0.05, 0.06, 500]) family.observe(['notes'], value);
  const lines = family.expose().split('\n');
  expect(lines).toContain('seconds_bucket{le="0.05",feature="notes"} 1');
  expect(lines).toContain('seconds_bucket{le="0.1",feature="notes"} 2');
  expect(lines).toContain('seconds_bucket{le="120",feature="notes"} 2');
  expect(lines).toContain('seconds_bucket{le="+Inf",feature="notes"} 3');
  expect(lines).toContain('seconds_count{feature="notes"} 3');
  expect(lines).toContain('seconds_sum{feature="notes"} 500.11');
});

test('past the limit of combinations everything counts as other', () => {
  const family = new Family('many', { kind: 'counter', labels: ['name'], help: 'Many.' });
  for (let index = 0; index < combinationsMax + 10; index++) family.add([`name ${index}`], 1);
  expect(family.expose().split('\n')).toHaveLength(combinationsMax + 4);
  expect(family.expose()).toContain('many{name="other"} 10\n');
});
