/**
 * The numbers of an incident agree, whatever happened and whenever one looks: the kinds add up to the whole, features
 * add up to the incident, no part is more than its whole, and the post-mortem says the same. Requests go on arriving
 * between one count and the next, and old records may have been deleted.
 */
import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { readIncident } from '../../src/control/incident-queries.ts';
import { hitKinds, hitOf, incidentsMet } from '../../src/core/incident-hits.ts';
import type { HitCount } from '../../src/core/incident-impact.ts';
import { rescuedShare } from '../../src/core/incident-impact.ts';
import { storyOf } from '../../src/core/incident-story.ts';
import type { Incident } from '../../src/core/incident.ts';
import { instant, targetName } from '../../src/core/ids.ts';
import { postmortem } from '../../src/core/postmortem.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import { incidentReadToWire } from '../../src/http/incident-view.ts';
import { aRecord, anAttempt, anIncident, gpt, opus, start } from '../record-fixture.ts';

const sonnet = targetName('anthropic', 'claude-sonnet-4-5');
const minute = 60_000;
const time = fc.integer({ min: -30, max: 120 }).map((minutes) => instant(start + minutes * minute));
const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const someRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    at: time,
    feature: oneOf('notes', 'chat', 'search'),
    preferred: oneOf(opus, sonnet, gpt, null),
    served: oneOf(opus, sonnet, gpt, null),
    outcome: oneOf('answered', 'partial', 'refused', 'failed', 'cancelled'),
    told: oneOf('none', 'asked', 'refused'),
    failure: oneOf('server_error' as const, 'request_rejected' as const, null),
    reason: oneOf('ejected', 'switched_off', 'data_policy', null),
    boundary: oneOf([], ['entity'] as const),
  })
  .map(({ failure, reason, ...drawn }) => {
    const target = drawn.preferred ?? opus;
    const attempts = [
      ...(failure === null ? [] : [anAttempt({ target, outcome: 'failed', failure, startedAt: drawn.at })]),
      ...(drawn.served === null
        ? []
        : [
            anAttempt({
              target: drawn.served,
              startedAt: drawn.at,
              company: drawn.served.slice(0, 6),
            }),
          ]),
    ];
    const candidates = [{ target, eligible: reason === null, reason, rule: null }];
    return aRecord({ ...drawn, attempts, candidates } as Partial<RequestRecord>);
  });

const someIncident: fc.Arbitrary<Incident> = fc
  .record({
    detected: time,
    from: fc.option(time),
    until: fc.option(time),
    movedUntil: fc.option(time),
    normalAt: fc.option(time),
    known: fc.subarray(['notes', 'chat', 'search']),
  })
  .map(({ detected, from, until, movedUntil, normalAt, known }) => {
    const target = { target: opus, model: 'claude-opus-4-8', vendor: 'anthropic', provider: 'anthropic' };
    return anIncident({
      times: {
        detected,
        switched: detected,
        providerDeclared: null,
        providerResolved: null,
        normalRoutingResumed: null,
      },
      targets: [{ ...target, detected, from, until, gate: 'ejected' }],
      moved: [{ target: sonnet, from: detected, until: movedUntil }],
      features: known.map((feature) => ({
        feature,
        title: feature,
        status: 'backup',
        worst: 'backup',
        backup: gpt,
        normalAt,
      })),
    }).incident;
  });

/** Records as a store holds them; another lot arrives whenever something is counted. */
function storeOf(incident: Incident, lots: readonly (readonly RequestRecord[])[], keptSince: number) {
  const scope = {
    id: incident.id,
    isOpen: true,
    targets: new Map([...incident.moved, ...incident.targets].map(({ target, until }) => [target, until])),
  };
  const arrived: RequestRecord[] = [];
  const coming = [...lots];
  const arrive = (): void => void arrived.push(...(coming.shift() ?? []));
  arrive();
  const hits = () =>
    arrived.flatMap((record) =>
      incidentsMet(record, [scope]).length > 0 ? (hitOf(record, incident.id) ?? []) : [],
    );
  return {
    findIncident: () => Promise.resolve(incident),
    timeline: () => Promise.resolve([]),
    countHits: () => {
      const counts = hits().map((hit): HitCount => ({ ...hit, count: 1, first: hit.at, last: hit.at }));
      arrive();
      return Promise.resolve(counts);
    },
    countRecords: ({ feature, since, until }: { feature: string; since: number; until: number }) => {
      arrive();
      const kept = arrived.filter(({ at }) => at >= since && at < until && at >= keptSince);
      return Promise.resolve(kept.filter((record) => record.feature === feature).length);
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

test('the numbers of an incident agree', () =>
  fc.assert(
    fc.asyncProperty(
      someIncident,
      fc.array(fc.array(someRecord, { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      oneOf(0, start),
      async (incident, lots, keptSince) => {
        const store = storeOf(incident, lots, keptSince) as unknown as Parameters<
          typeof readIncident
        >[1]['store'];
        const now = instant(start + 120 * minute);
        const read = await readIncident(incident.id, { store, now, titleOf: (feature) => feature });
        if (read === null) throw new Error('it is there');
        const { impact, asked } = read;
        expect(sum(hitKinds.map((kind) => impact.by[kind]))).toBe(impact.total);
        expect(sum([...impact.features.values()].map(({ total }) => total))).toBe(impact.total);
        expect(read.incident.features.map(({ feature }) => feature)).toEqual(
          expect.arrayContaining([...impact.features.keys()]) as string[],
        );
        for (const [feature, felt] of impact.features) {
          expect(sum(hitKinds.map((kind) => felt.by[kind]))).toBe(felt.total);
          expect(sum([...felt.backups.values()])).toBe(felt.by.rescued);
          expect(asked.get(feature) ?? -1).toBeGreaterThanOrEqual(felt.total);
          expect(rescuedShare(felt, asked.get(feature) ?? 0)).toBeLessThanOrEqual(1);
        }
        const wire = incidentReadToWire(read) as {
          requests: { total: number };
          features: { share: number }[];
        };
        expect(wire.requests.total).toBe(impact.total);
        const told = storyOf({ ...read, messages: [] })?.features ?? [];
        expect(told.map(({ share }) => share ?? 0)).toEqual(wire.features.map(({ share }) => share));
        const draft = postmortem(read);
        expect(draft).toContain(`| all that met it | ${impact.total} |`);
        for (const { feature } of read.incident.features) {
          const cells =
            draft
              .split('\n')
              .find((line) => line.startsWith(`| ${feature} |`))
              ?.split(' | ') ?? [];
          const numbers = cells.slice(3, 4 + hitKinds.length).map(Number);
          expect(numbers[0]).toBe(asked.get(feature) ?? -1);
          expect(sum(numbers.slice(1))).toBeLessThanOrEqual(numbers[0] ?? 0);
        }
      },
    ),
    { numRuns: 300 },
  ));
