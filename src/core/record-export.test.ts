import { describe, expect, test } from 'bun:test';

import { aRecord, aRescue, gpt, opus, start } from '../../test/record-fixture.ts';
import { csvCell, exportFormats, exportHead, exportLine } from './record-export.ts';
import type { Exported } from './record-export.ts';

const rescue: Exported = { ...aRescue(), incidents: ['inc_1'], leaf: { index: 7, hash: 'ab' } };
const parsed = (
  format: 'ndjson' | 'ocsf' | 'cloudevents',
  record: Exported = rescue,
): Record<string, unknown> =>
  JSON.parse(exportLine(format, record, '/breakwater')) as Record<string, unknown>;

describe('CSV', () => {
  test.each([
    ['=1+1', `"'=1+1"`],
    ['+1', `"'+1"`],
    ['-1', `"'-1"`],
    ['＝1+1', `"'＝1+1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t=1"`],
    ['  =1', `"'  =1"`],
    ['a,b', '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
    ['notes', 'notes'],
    [-3, '-3'],
    [null, ''],
    [true, 'true'],
  ])('%j becomes %j', (value, cell) => expect(csvCell(value)).toBe(cell));

  test('has as many cells as its head', () => {
    const cells = (line: string): number => line.trimEnd().split(',').length;
    expect(cells(exportLine('csv', rescue, ''))).toBe(cells(exportHead('csv')));
  });

  test('says which companies received content, the failed attempt included', () =>
    expect(exportLine('csv', rescue, '')).toContain('Anthropic PBC; OpenAI'));
});

test('NDJSON is the record as the API shows it, with incidents found later', () =>
  expect(parsed('ndjson')).toMatchObject({
    id: rescue.id,
    at: '2026-06-07T09:00:00.000Z',
    served: gpt,
    incidents: ['inc_1'],
    leaf: { index: 7, hash: 'ab' },
  }));

describe('OCSF', () => {
  test('is an API Activity with the profile for AI operations and all that it requires', () => {
    const event = parsed('ocsf');
    expect(event).toMatchObject({
      category_uid: 6,
      class_uid: 6003,
      type_uid: 600_399,
      activity_id: 99,
      severity_id: 1,
      status_id: 1,
      time: start,
      metadata: { version: '1.8.0', profiles: ['ai_operation'], product: { name: 'Breakwater' } },
      actor: { app_name: 'notes', user: { uid: 'u1' } },
      src_endpoint: { svc_name: 'notes' },
      api: { operation: 'anthropic-messages' },
      ai_model: { ai_provider: 'OpenAI', name: 'gpt-5.2', version: 'gpt-5.2' },
      message_context: { prompt_tokens: 2_400, completion_tokens: 160, total_tokens: 2_560 },
      unmapped: { hop: 'other_vendor', preferred: opus },
    });
  });
  test('of a failure says so and names no model that was not tried', () => {
    const event = parsed('ocsf', {
      ...aRecord({ outcome: 'failed', served: null, attempts: [], status: 503, errorCode: 'no_target' }),
      incidents: [],
    });
    expect(event).toMatchObject({
      status_id: 2,
      severity_id: 3,
      status_code: '503',
      status_detail: 'no_target',
    });
    expect(event).not.toHaveProperty('ai_model');
  });
});

test('CloudEvents have what the specification requires', () =>
  expect(parsed('cloudevents')).toMatchObject({
    specversion: '1.0',
    id: rescue.id,
    source: '/breakwater',
    type: 'dev.breakwater.request',
    time: '2026-06-07T09:00:00.000Z',
    data: { id: rescue.id },
  }));

test.each(exportFormats)('%s is one line a record, whatever names hold', (format) => {
  const line = exportLine(format, { ...rescue, user: 'a\nb', feature: 'x\r\ny' }, '');
  if (format !== 'csv') expect(line.trimEnd().split('\n')).toHaveLength(1);
  expect(line.endsWith('\n')).toBe(true);
});
