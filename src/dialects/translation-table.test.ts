import { expect, test } from 'bun:test';

import { dialects } from '../core/target.ts';
import { translationRows } from './translation-table.ts';

const rows = translationRows(dialects);

test('every feature is tried from every dialect that can say it, to every other', () => {
  for (const row of rows)
    expect([...row.fates.keys()].sort()).toEqual(dialects.filter((to) => to !== row.from).sort());
  for (const feature of ['text', 'system prompt', 'tools', 'result of a tool', 'JSON by a schema'])
    expect(rows.filter((row) => row.feature === feature).map((row) => row.from)).toEqual([...dialects]);
});

test('what everybody can say is carried everywhere', () => {
  for (const feature of [
    'text',
    'system prompt',
    'limit of tokens',
    'tools',
    'result of a tool',
    'JSON by a schema',
  ])
    for (const row of rows.filter((each) => each.feature === feature))
      for (const fate of row.fates.values())
        expect({ feature, from: row.from, fate: fate.kind }).toEqual({
          feature,
          from: row.from,
          fate: 'carried',
        });
});

test('state of one provider goes nowhere else, and nothing is left out without a name', () => {
  for (const row of rows)
    for (const fate of row.fates.values()) {
      if (row.feature === 'state kept by the provider') expect(fate.kind).toBe('left_out');
      if (fate.kind === 'left_out') expect(fate.lacks).not.toBe('');
    }
});
