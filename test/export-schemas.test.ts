/**
 * Exports against what their standards say: OCSF's own schema of API Activity with the profile for AI operations, and the
 * official library of CloudEvents.
 *
 * The schema is OCSF 1.8.0 as the Python package `ocsf-json-schema` 1.2.0 generates it, without titles and descriptions.
 */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv2020 from 'ajv/dist/2020.js';
import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';

import { exportLine } from '../src/core/record-export.ts';
import type { Exported } from '../src/core/record-export.ts';
import { requestOutcomes } from '../src/core/record.ts';
import { dialects } from '../src/core/target.ts';
import { anAttempt, aRecord, aRescue } from './record-fixture.ts';

const schema = JSON.parse(
  readFileSync(join(import.meta.dir, 'schemas/ocsf-1.8.0-api-activity-ai-operation.json'), 'utf8'),
) as object;
// The schema marks what is deprecated in words of its own.
const isActivity = new Ajv2020({ strict: false, allErrors: true }).compile(schema);

const none = { incidents: [] } as const;
const exported = (changes: Parameters<typeof aRecord>[0] = {}): Exported => ({
  ...aRecord(changes),
  ...none,
});
const ocsf = (record: Exported): Record<string, unknown> =>
  JSON.parse(exportLine('ocsf', record, '/breakwater')) as Record<string, unknown>;

const records: readonly (readonly [string, Exported])[] = [
  ['an answer', exported()],
  ['an answer by a backup', { ...aRescue(), incidents: ['inc_1'], leaf: { index: 7, hash: 'ab' } }],
  [
    'nothing tried',
    exported({ served: null, attempts: [], outcome: 'refused', errorCode: 'x', finish: null }),
  ],
  ['nobody named', exported({ user: null, session: null, key: null, tenant: null, trace: null })],
  [
    'nothing known',
    exported({
      attempts: [
        anAttempt({ company: null, region: null, inputTokens: null, outputTokens: null, costUsd: null }),
      ],
      modelReported: null,
    }),
  ],
  ['fractions of time', exported({ durationMs: 12.7 })],
  ...requestOutcomes.map((outcome) => [outcome, exported({ outcome })] as const),
  ...dialects.map((dialect) => [dialect, exported({ dialect })] as const),
];

describe('OCSF API Activity with the profile ai_operation', () => {
  test.each(records)('%s fits the schema', (_what, record) => {
    const fits = isActivity(ocsf(record));
    expect([fits, isActivity.errors ?? []]).toEqual([true, []]);
  });

  test.each([
    ['src_endpoint', undefined],
    ['severity_id', 9],
    ['time', 'yesterday'],
    ['ai_model', { name: 'm' }],
    ['invented', true],
  ])('the schema would notice: %s', (name, value) => {
    const event = { ...ocsf(exported()), [name]: value };
    expect(isActivity(JSON.parse(JSON.stringify(event)))).toBe(false);
  });
});

describe('CloudEvents', () => {
  const event = (record: Exported): Record<string, unknown> =>
    JSON.parse(exportLine('cloudevents', record, '/breakwater')) as Record<string, unknown>;

  test.each(records)('%s is a valid event, and comes back from HTTP as it was', (_what, record) => {
    const given = event(record);
    const made = new CloudEvent(given);
    expect(made.validate()).toBe(true);
    const read = HTTP.toEvent(HTTP.structured(made)) as CloudEvent<unknown>;
    expect(JSON.parse(JSON.stringify(read))).toMatchObject(given);
  });

  test('the library would notice', () => {
    const { source: _source, ...rest } = event(exported());
    expect(() => new CloudEvent(rest).validate()).toThrow();
    expect(() => new CloudEvent({ ...event(exported()), 'No-Name': 1 }).validate()).toThrow();
  });
});

test('any names and numbers fit both', () =>
  fc.assert(
    fc.property(
      fc.record({
        feature: fc.string({ minLength: 1 }),
        user: fc.option(fc.string({ minLength: 1 })),
        session: fc.option(fc.string({ minLength: 1 })),
        modelReported: fc.option(fc.string()),
        finish: fc.option(fc.string()),
        durationMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
        status: fc.integer({ min: 200, max: 599 }),
      }),
      (changes) => isActivity(ocsf(exported(changes))),
    ),
    { numRuns: 200 },
  ));
