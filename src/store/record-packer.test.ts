import { describe, expect, test } from 'bun:test';

import { anAttempt, aRecord, aRescue } from '../../test/record-fixture.ts';
import { recordMaker } from '../../bench/audit-records.ts';
import { recordToEntry } from '../core/record-json.ts';
import type { RequestRecord } from '../core/record.ts';
import { inputBounds } from './ledger.ts';
import { columnNames, writeColumns } from './record-columns.ts';
import { RecordPacker } from './record-packer.ts';
import { WordTable } from './words.ts';

const make = recordMaker(5);
const strange = [
  '"',
  '\\',
  '\u0000',
  '\u0001a',
  'naïve',
  '雪',
  '\ud83d\ude00',
  '{"salt":"',
  '1970-01-01T00:00:00.000Z',
];
const records: readonly RequestRecord[] = [
  ...Array.from({ length: 300 }, (_, index) => make(1_780_000_000_000 + index)),
  aRescue(),
  aRecord({ tenant: null, key: null, user: null, session: null, trace: null }),
  aRecord({ fingerprints: { input: null, output: null }, candidates: [], attempts: [] }),
  ...strange.flatMap((text) => [
    aRecord({ user: text, session: `${text}${text}`, tenant: text }),
    aRecord({ requested: text, modelReported: text }),
    aRecord({ feature: text, attempts: [anAttempt({ providerRequestId: text, providerCode: text })] }),
  ]),
  aRecord({ attempts: [anAttempt({ costUsd: 1e-7, inputTokens: 0, firstByteMs: 0.5 })] }),
  aRecord({ attempts: [anAttempt({ costUsd: Number.NaN })] }),
  aRecord({ user: 'u'.repeat(20_000) }),
];

describe('records that are packed', () => {
  const words = new WordTable([]);
  const packer = new RecordPacker(words);
  packer.pack(records.toReversed());
  const batch = packer.pack(records);
  const bounds = inputBounds(batch.inputs, batch.count);
  const texts = records.map((_, at) =>
    new TextDecoder().decode(batch.inputs.subarray((bounds[at] ?? 0) + 1, bounds[at + 1])),
  );

  test('have the text of their entry, each behind a salt of its own', () => {
    for (const [at, record] of records.entries()) {
      const expected = JSON.stringify(recordToEntry(record));
      expect(texts[at]?.replace(/^\{"salt":"[\da-f]{32}",/, '{')).toBe(expected);
    }
    expect(new Set(texts.map((text) => text.slice(0, 42))).size).toBe(records.length);
  });

  test('have the numbers that they are searched by', () => {
    const expected = new Int32Array(batch.columns.length);
    records.forEach((record, at) => writeColumns(record, words.idOf, expected, at));
    for (let column = 0; column < columnNames.length; column++)
      expect([
        columnNames[column],
        batch.columns.subarray(column * batch.count, (column + 1) * batch.count),
      ]).toEqual([columnNames[column], expected.subarray(column * batch.count, (column + 1) * batch.count)]);
  });

  test('have their ids as bytes', () =>
    expect(records.map((_, at) => batch.ids.subarray(at * 16, at * 16 + 16).toHex())).toEqual(
      records.map(({ id }) => id.slice(4).replaceAll('-', '')),
    ));

  test('must have a UUID', () =>
    expect(() => packer.pack([{ ...aRecord(), id: 'req_1' as RequestRecord['id'] }])).toThrow('not a UUID'));
});
