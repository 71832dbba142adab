import { describe, expect, test } from 'bun:test';

import { instant } from '../core/ids.ts';
import type { FeedReading } from '../core/provider-word.ts';
import type { Fetched, Outgoing } from '../outbound/guarded-fetch.ts';
import { createFeedPoller } from './poller.ts';

const url = 'https://status.example.org/summary.json';
const calm = JSON.stringify({ page: {}, status: { indicator: 'none' } });
const answer = (changes: Partial<Extract<Fetched, { kind: 'answered' }>> = {}): Fetched => ({
  kind: 'answered',
  status: 200,
  headers: { etag: '"1"' },
  url,
  body: new TextEncoder().encode(calm),
  ...changes,
});

function world(answers: readonly Fetched[], isBusy = false) {
  let now = 1_000_000;
  const asked: Outgoing[] = [];
  const readings: FeedReading[] = [];
  const poller = createFeedPoller({
    now: () => instant(now),
    random: () => 0.5,
    feeds: () => [{ url, allowPrivate: false }],
    isBusy: () => isBusy,
    onReading: (_url, reading) => void readings.push(reading),
    fetch: (outgoing) => {
      asked.push(outgoing);
      return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] as Fetched);
    },
  });
  const after = async (ms: number): Promise<number> => {
    now += ms;
    await poller.tick();
    return asked.length;
  };
  return { asked, readings, after };
}

test('asks at once, then every half minute, with what it learnt', async () => {
  const { asked, readings, after } = world([answer(), answer({ status: 304, body: new Uint8Array() })]);
  expect(await after(0)).toBe(1);
  expect(await after(29_000)).toBe(1);
  expect(await after(1_000)).toBe(2);
  expect(asked[0]?.headers).not.toHaveProperty('if-none-match');
  expect(asked[1]?.headers).toMatchObject({ 'if-none-match': '"1"' });
  expect(readings.map((reading) => reading.kind === 'read' && reading.status)).toEqual([
    'operational',
    'operational',
  ]);
});

test('more often while something is going on', async () => {
  const { after } = world([answer()], true);
  expect(await after(0)).toBe(1);
  expect(await after(10_000)).toBe(2);
});

test('slower with every failure, and as slow as it is asked to be', async () => {
  const { after } = world([{ kind: 'failed', trouble: 'unreachable', words: 'cannot be reached' }]);
  await after(0);
  expect(await after(30_000)).toBe(2);
  expect(await after(30_000)).toBe(2);
  expect(await after(30_000)).toBe(3);
  const patient = world([answer({ status: 429, headers: { 'retry-after': '600' } })]);
  await patient.after(0);
  expect(await patient.after(599_000)).toBe(1);
  expect(await patient.after(1_000)).toBe(2);
});

describe('is unknown', () => {
  test.each([
    ['moved to another host', answer({ url: 'https://elsewhere.example/summary.json' })],
    ['an error', answer({ status: 500 })],
    ['not modified, before anything was read', answer({ status: 304 })],
    ['unreachable', { kind: 'failed', trouble: 'timed_out', words: 'did not answer in time' }],
  ] as const)('%s', async (_name, fetched) => {
    const { readings, after } = world([fetched]);
    await after(0);
    expect(readings[0]?.kind).toBe('unknown');
  });
});
