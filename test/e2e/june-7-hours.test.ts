/**
 * 7 June 2026 in twelve hours of virtual time: the whole server (gates, incidents, the shipped playbook as it is, messages,
 * channels, status page, feeds, ledger) on a clock that is moved by hand, with requests over sockets all day. Two
 * versions fail for seven and a half hours; nothing is typed but one approval.
 */
import { afterAll, beforeAll, expect, setSystemTime, test } from 'bun:test';

import { instant } from '../../src/core/ids.ts';
import type { Instant } from '../../src/core/ids.ts';
import { VirtualTime } from '../../src/simulation/virtual-time.ts';
import type { Json } from '../harness.ts';
import { features, itemsOf, shippedPlaybook, sick, startJune7 } from './june-7-house.ts';
import type { June7 } from './june-7-house.ts';

const start = instant(Date.UTC(2026, 5, 7, 4));
const minute = 60_000;
const after = (minutes: number): Instant => instant(start + minutes * minute);
const moment = (minutes: number): string => new Date(after(minutes)).toISOString();

const failsAt = 30;
const approvedAt = 36;
const announcedAt = 52;
const wellAt = 8 * 60;
const overAt = 8.5 * 60;
const endsAt = 12 * 60;
/** How rarely anything looks in the hours between. */
const rarelyMs = 10_000;

const time = new VirtualTime(start, 7);
let june: June7;
/** The states of the features at each full hour, as the page says them to programs. */
const byHour: Record<string, unknown>[] = [];
let requests = 0;

async function pageStates(): Promise<Record<string, unknown>> {
  const { components } = JSON.parse(await june.page('/api/v2/summary.json')) as {
    components: readonly Json[];
  };
  return Object.fromEntries(
    components.map((each) => [each['id'], (each['x_ai'] as Json | undefined)?.['state']]),
  );
}

/** Lets the day go on, and looks at the page at each full hour. */
async function until(minutes: number, rarely = 0): Promise<void> {
  for (let hour = byHour.length + 1; hour * 60 <= minutes; hour++) {
    await time.until(after(hour * 60), rarely);
    byHour.push(await pageStates());
  }
  await time.until(after(minutes), rarely);
}

beforeAll(async () => {
  june = await startJune7({
    playbook: shippedPlaybook,
    gates: [],
    holdDown: '5m',
    time,
    atTheirTime: (check) => {
      setSystemTime(new Date(time.now()));
      try {
        return check();
      } finally {
        setSystemTime();
      }
    },
  });
  time.every(30_000, async () => {
    for (const feature of Object.keys(features)) await june.ask(feature);
    requests += Object.keys(features).length;
  });
});
afterAll(() => june.stop());

let id = '';
let over: Json;
const readIncident = async (): Promise<Json> => {
  await june.house.server.engine.records.flush();
  return june.call(`incidents/${id}`);
};

test('a day passes', async () => {
  await until(failsAt, rarelyMs);
  june.fail();
  await until(approvedAt);
  const link = JSON.stringify(june.slack).match(/"(http[^"]+\/approve\/[^"]+)"/)?.[1] ?? '';
  const form = { by: 'maria', answer: 'approve', reason: 'two versions are sick, we pause them all' };
  expect((await fetch(link, { method: 'POST', body: new URLSearchParams(form) })).status).toBe(200);
  await until(announcedAt);
  const times = { created_at: moment(announcedAt), updated_at: moment(announcedAt) };
  const name = 'Elevated errors on Claude Opus 4.7 and 4.8';
  june.announcements = [{ id: 'abc', name, status: 'investigating', impact: 'minor', ...times }];
  await until(65);
  await until(wellAt, rarelyMs);
  june.recover();
  june.announcements = june.announcements.map((each) => ({
    ...each,
    status: 'resolved',
    resolved_at: moment(wellAt),
  }));
  await until(overAt);
  await until(endsAt, rarelyMs);
  const incidents = itemsOf(await june.call('incidents'));
  id = String(incidents[0]?.['id']);
  over = await readIncident();
  expect(incidents).toHaveLength(1);
  expect(requests).toBeGreaterThan(5_500);
}, 600_000);

test('one incident, of the right class, about the right models', () => {
  expect(over).toMatchObject({
    title: 'Claude Opus 4.7 and 4.8: elevated errors',
    state: 'resolved',
    failure_class: 'availability',
    opened_by: 'system',
    moved: [{ target: 'anthropic/claude-sonnet-4-5' }],
    announcements: [{ provider: 'anthropic', id: 'abc' }],
  });
  expect(new Set(over['models'] as string[])).toEqual(new Set(sick));
});

test('five times, with the right gaps', () => {
  const times = over['times'] as Record<string, string>;
  const minutesOf = (name: string): number => (Date.parse(times[name] ?? '') - start) / minute;
  expect(minutesOf('detected')).toBeGreaterThanOrEqual(failsAt);
  // At one request in half a minute for each feature.
  expect(minutesOf('detected')).toBeLessThan(failsAt + 3);
  expect(minutesOf('switched')).toBeLessThan(failsAt + 3);
  expect(minutesOf('provider_declared')).toBe(announcedAt);
  expect(minutesOf('provider_resolved')).toBe(wellAt);
  // Not before it was quiet, probed, and let back in by two shares; and soon after.
  expect(minutesOf('normal_routing_resumed')).toBeGreaterThan(wellAt + 10);
  expect(minutesOf('normal_routing_resumed')).toBeLessThan(overAt + 15);
  expect(over['lead_ms']).toBe(
    Date.parse(times['provider_declared'] ?? '') - Date.parse(times['detected'] ?? ''),
  );
  for (const { normal_at: at } of over['features'] as readonly Json[])
    expect(String(at) <= String(times['normal_routing_resumed'])).toBe(true);
});

test('the page says hour by hour how each feature is', () => {
  const out = { notes: 'backup', contract: 'partial', chat: 'backup', search: 'backup' };
  const normal = { notes: 'normal', contract: 'normal', chat: 'normal', search: 'normal' };
  expect(byHour).toHaveLength(12);
  byHour.forEach((states, index) => expect(states).toMatchObject(index < 8 ? out : normal));
});

test('users are told once of each stage, promised words come ever more rarely, and the end is told', async () => {
  const said = itemsOf(await june.call(`incidents/${id}/messages`));
  const stages = said.map(({ stage }) => String(stage));
  expect(stages.filter((stage, index) => stage !== stages[index - 1])).toEqual([
    'investigating',
    'paused',
    'restoring',
    'resolved',
  ]);
  expect(stages.filter((stage) => stage === 'paused').length).toBeLessThanOrEqual(6);
  expect(said.find(({ stage }) => stage === 'paused')).toMatchObject({ by: 'playbook vendor-off' });
  const told = (type: string): number => june.told.filter((each) => each['type'] === type).length;
  expect([told('incident.opened'), told('incident.resolved')]).toEqual([1, 1]);
  expect(told('message.published')).toBe(said.length);
  // Two versions and the vendor off, then one after the other in its place.
  expect(told('switch.created')).toBeLessThanOrEqual(8);
  expect(june.unreadable).toEqual([]);
  const pages = june.pager.filter((each) => each['dedup_key'] === id).map((each) => each['event_action']);
  expect([pages[0], pages.at(-1)]).toEqual(['trigger', 'resolve']);
});

test('the bars show the hours on a backup, and none of them as an outage', async () => {
  const { components } = JSON.parse(await june.page('/api/v2/components.json')) as {
    components: readonly Json[];
  };
  const past = (feature: string): Json => components.find((each) => each['id'] === feature)?.['x_ai'] as Json;
  const hours = Number(past('notes')['backup_ms_90d']) / 3_600_000;
  const times = over['times'] as Record<string, string>;
  const moved = Date.parse(times['normal_routing_resumed'] ?? '') - Date.parse(times['switched'] ?? '');
  expect(Math.abs(hours * 60 - moved / minute)).toBeLessThan(2);
  expect(Number(past('contract')['backup_ms_90d'])).toBe(0);
  expect(await june.page('/status/history')).toContain('on a backup model');
});

test('the numbers of the post-mortem are those that the records give', async () => {
  const draft = await june.house.admin('GET', `incidents/${id}/postmortem`, undefined, {
    accept: 'application/json',
  });
  const markdown = String(draft.body['markdown']);
  const all = await june.records('');
  expect(all).toHaveLength(requests);
  const hit = all.filter(({ incidents: met }) => (met as readonly unknown[]).includes(id));
  const count = (isCounted: (record: Json) => boolean, of: readonly Json[] = hit): number =>
    of.filter(isCounted).length;
  const rescued = (record: Json): boolean =>
    record['outcome'] === 'answered' && record['served'] !== record['preferred'];
  const asked = (record: Json): boolean => record['told'] === 'asked';
  expect(over['requests']).toMatchObject({
    total: hit.length,
    rescued: count(rescued),
    asked: count(asked),
    failed: count(({ outcome }) => outcome === 'failed'),
  });
  for (const row of [
    `| all that met it | ${hit.length} |`,
    `| were answered by another model | ${count(rescued)} |`,
    `| were asked before another model would answer | ${count(asked)} |`,
  ])
    expect(markdown).toContain(row);
  for (const { feature, requests: felt } of over['features'] as readonly Json[])
    expect(felt).toMatchObject({
      total: count((record) => record['feature'] === feature),
      rescued: count((record) => record['feature'] === feature && rescued(record)),
    });
  // Every request that did not go to its usual model was part of it, and no other was.
  expect(count((record) => rescued(record) || asked(record), all)).toBe(count(rescued) + count(asked));
  expect(over['data_left_to']).toEqual(['OpenAI']);
}, 120_000);
