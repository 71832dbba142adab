import { describe, expect, test } from 'bun:test';

import { aChange, aRecord, start } from '../../test/record-fixture.ts';
import { manifest, otlpBody, streamedEntry, webhookBody, windowBody, windowKey } from './audit-stream.ts';
import type { StreamWindow } from './audit-stream.ts';
import { instant } from './ids.ts';
import { recordToEntry, recordToJson } from './record-json.ts';

const salted = (value: object): string => JSON.stringify({ salt: 'secret-salt', ...value });
const leaf = (index: number, text: string | null) => streamedEntry({ index, hash: `h${index}`, text });
const record = aRecord({ outcome: 'failed' });
const { id, kind } = aChange();
const entries = [leaf(4, salted(recordToEntry(record))), leaf(5, salted({ id, kind })), leaf(6, null)];
const window: StreamWindow = { from: 4, next: 7, entries, since: start, until: instant(start + 60_000) };

describe('an entry', () => {
  test('is a record, a change, or its place alone, and has no salt', () => {
    expect(entries.map((entry) => entry.kind)).toEqual(['record', 'change', 'erased']);
    for (const body of [webhookBody(window, start), otlpBody(window, start), windowBody(window)])
      expect(body).not.toContain('salt');
  });
  test('of a record is as the API shows it, with what says nothing', () =>
    expect(entries[0]?.data).toEqual(recordToJson(record)));
});

test('a webhook is told from where to where', () =>
  expect(JSON.parse(webhookBody(window, start))).toMatchObject({
    type: 'audit.entries',
    timestamp: '2026-06-07T09:00:00.000Z',
    data: { from: 4, next: 7, entries: [{ leaf: { index: 4, hash: 'h4' } }, {}, { data: null }] },
  }));

test('OTLP logs carry trace, severity and time of the request', () => {
  const body = JSON.parse(otlpBody(window, instant(start + 5))) as {
    resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[];
  };
  const records = body.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
  expect(records).toHaveLength(3);
  expect(records[0]).toMatchObject({
    timeUnixNano: `${start}000000`,
    observedTimeUnixNano: `${start + 5}000000`,
    severityNumber: 17,
    eventName: 'breakwater.record',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  });
  expect(records[0]?.['attributes']).toContainEqual({
    key: 'breakwater.leaf.index',
    value: { intValue: '4' },
  });
});

describe('a window', () => {
  test('that is sent again lands in the same place', () =>
    expect([windowKey(window), windowKey({ ...window, since: instant(start) })]).toEqual([
      '2026/06/07/09-00-00.000Z',
      '2026/06/07/09-00-00.000Z',
    ]));
  test('has a manifest that counts', () =>
    expect(JSON.parse(manifest('s', window, { key: 'k', sha256: 'x' }))).toMatchObject({
      since: '2026-06-07T09:00:00.000Z',
      until: '2026-06-07T09:01:00.000Z',
      records: 1,
      changes: 1,
      erased: 1,
      object: 'k',
    }));
  test('without entries has one too', () =>
    expect(JSON.parse(manifest('s', { ...window, next: 4, entries: [] }, null))).toMatchObject({
      records: 0,
      object: null,
      from: 4,
      next: 4,
    }));
});
