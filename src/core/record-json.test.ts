import { expect, test } from 'bun:test';

import { aRecord, aRescue } from '../../test/record-fixture.ts';
import { momentFrom, momentText } from './moment.ts';
import { recordFromJson, recordToEntry, recordToJson } from './record-json.ts';
import type { RecordJson } from './record-json.ts';

test.each([aRecord(), aRescue(), aRecord({ attempts: [], candidates: [], served: null })])(
  'a record comes back from its JSON (%#)',
  (record) => {
    const json = JSON.parse(JSON.stringify(recordToJson(record))) as RecordJson;
    expect(recordFromJson(json)).toEqual(record);
  },
);

test.each([aRecord(), aRescue(), aRecord({ attempts: [], candidates: [], served: null, user: null })])(
  'an entry leaves out what says nothing, and comes back whole (%#)',
  (record) => {
    const text = JSON.stringify(recordToEntry(record));
    expect(text).not.toMatch(/null|\[\],"(?!attempts|fingerprints)/);
    expect(text).toStartWith(`{"id":"${record.id}",`);
    expect(recordFromJson(JSON.parse(text) as RecordJson)).toEqual(record);
  },
);

test('an entry from before a field came reads as if it said nothing there', () => {
  const record = aRecord();
  const { attempts, ...json } = recordToJson(record);
  const older = attempts.map(({ adapted: _adapted, boundary: _boundary, ...attempt }) => attempt);
  const read = recordFromJson(JSON.parse(JSON.stringify({ ...json, attempts: older })) as RecordJson);
  expect(read).toEqual(record);
});

test('the id stands first', () => {
  const record = aRecord();
  expect(JSON.stringify(recordToJson(record))).toStartWith(`{"id":"${record.id}",`);
});

test('moments are written as the platform writes them, and read again', () => {
  for (let at = 0; at < 4_000_000_000_000; at += 7_654_321_987) {
    expect(momentText(at)).toBe(new Date(at).toISOString());
    expect(momentFrom(momentText(at))).toBe(at);
  }
  expect(momentFrom('yesterday')).toBeNaN();
});
