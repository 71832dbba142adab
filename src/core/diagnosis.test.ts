import { describe, expect, test } from 'bun:test';

import { diagnose } from './diagnosis.ts';
import type { DiagnosedTarget, DiagnosisInput } from './diagnosis.ts';
import type { FailureClass } from './failure.ts';
import { changeId, instant } from './ids.ts';
import { providerSays } from './provider-word.ts';
import type { FeedIncident, ProviderFeed } from './provider-word.ts';
import type { Change, RequestRecord } from './record.ts';
import type { FeatureStatus, FeatureView } from './status.ts';

const now = instant(1_780_000_000_000);
const opus = 'anthropic/claude-opus-4-8';

const target = (name: string, changes: Partial<DiagnosedTarget> = {}): DiagnosedTarget => ({
  target: name,
  provider: name.split('/')[0] ?? '',
  gate: 'healthy',
  words: null,
  since: null,
  decided: false,
  scope: null,
  offBy: [],
  keyTrouble: null,
  says: null,
  warnings: [],
  ...changes,
});
const sick = (name: string, changes: Partial<DiagnosedTarget> = {}): DiagnosedTarget =>
  target(name, { gate: 'ejected', since: instant(now - 60_000), words: 'fails', ...changes });
const view = (status: FeatureStatus): FeatureView => ({
  feature: 'notes',
  title: 'Meeting notes',
  status,
  preferred: opus,
  serving: 'openai/gpt-5.2',
});

/** Requests of which so many met a failure. */
function requests(
  count: number,
  failed: number,
  failure: FailureClass = 'server_error',
): readonly RequestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    outcome: 'answered',
    attempts: index < failed ? [{ failure }] : [{ failure: null }],
  })) as unknown as readonly RequestRecord[];
}

const input = (changes: Partial<DiagnosisInput>): DiagnosisInput => ({
  feature: 'notes',
  features: [view('normal')],
  targets: [target(opus), target('openai/gpt-5.2')],
  records: requests(20, 0),
  changes: [],
  incidents: [],
  now,
  ...changes,
});
const loaded: Change = {
  id: changeId('chg_1'),
  at: instant(now - 120_000),
  kind: 'config.loaded',
  actor: 'system',
  subject: 'x',
  reason: 'reload',
  before: 'a',
  after: 'b',
};
const off = { offBy: [{ id: 'sw_1', reason: 'doubts', actor: 'maria' }] };

describe('them or us', () => {
  test.each([
    ['nothing is wrong', {}, 'fine'],
    ['background noise is fine', { records: requests(100, 1) }, 'fine'],
    [
      'one model of a provider fails',
      { targets: [sick(opus), target('anthropic/claude-sonnet-4-5')], records: requests(20, 10) },
      'model',
    ],
    [
      'all that were asked of a provider fail',
      { targets: [sick(opus), sick('anthropic/claude-sonnet-4-5')], records: requests(20, 10) },
      'provider',
    ],
    [
      'the gates weighed it and say provider',
      {
        targets: [sick(opus, { scope: { kind: 'provider', name: 'anthropic' } })],
        records: requests(20, 10),
      },
      'provider',
    ],
    [
      'several providers cannot be reached',
      { targets: [sick(opus), sick('openai/gpt-5.2')], records: requests(20, 20, 'connect_failed') },
      'network',
    ],
    [
      'it began after a change of ours, as such changes do',
      { targets: [sick(opus)], records: requests(20, 10, 'dns_failed'), changes: [loaded] },
      'ours',
    ],
    [
      'a change of ours before server errors is no proof',
      { targets: [sick(opus), target('anthropic/x')], records: requests(20, 10), changes: [loaded] },
      'model',
    ],
    ['we switched it off', { targets: [target(opus, off)] }, 'ours'],
    [
      'our keys are used up',
      { targets: [target(opus, { keyTrouble: 'our rate limit there is used up' })] },
      'ours',
    ],
    ['requests are rejected as they are', { records: requests(20, 15, 'request_rejected') }, 'caller'],
  ] as const)('%s: %#', (_name, changes, verdict) => expect(diagnose(input(changes)).verdict).toBe(verdict));

  test.each([
    ['normal', true],
    ['backup', true],
    ['partial', true],
    ['paused', false],
    ['unavailable', false],
  ] as const)('with a feature that is %s one can continue: %p', (status, can) =>
    expect(diagnose(input({ features: [view(status)] })).canContinue).toBe(can),
  );

  test('a provider that speaks of trouble is heard where our traffic is silent, and is no verdict where it is not', () => {
    const says = {
      status: 'major_outage',
      words: '"Outage"',
      since: null,
      checkedAt: now,
      incidents: [],
    } as const;
    expect(diagnose(input({ targets: [target(opus, { says })], records: [] })).verdict).toBe('unknown');
    const heard = diagnose(input({ targets: [target(opus, { says })] }));
    expect(heard.verdict).toBe('fine');
    expect(heard.evidence).toContainEqual({
      source: 'provider',
      subject: opus,
      words: 'the provider says major_outage: "Outage"',
    });
  });

  test('every piece of evidence names its source', () => {
    const { evidence } = diagnose(
      input({
        targets: [sick(opus, off)],
        changes: [loaded],
        incidents: [{ id: 'inc_1', title: 'Opus', state: 'active' }],
      }),
    );
    expect(evidence.map(({ source }) => source)).toEqual(['gate', 'switch', 'traffic', 'change', 'incident']);
  });
});

describe('what a provider says about one model', () => {
  const known = ['claude-opus-4-7', 'claude-opus-4-8'];
  const open = (title: string): FeedIncident => ({
    id: title,
    title,
    url: null,
    status: 'partial_outage',
    declaredAt: now,
    resolvedAt: null,
  });
  const feed = (incidents: readonly FeedIncident[], changes: Partial<ProviderFeed> = {}): ProviderFeed => ({
    provider: 'anthropic',
    url: 'https://status.claude.com',
    reading: { kind: 'read', status: 'degraded', words: null, incidents, writtenAt: null },
    checkedAt: now,
    since: now,
    ...changes,
  });
  const status = (given: ProviderFeed | null): string | null =>
    providerSays(given, 'claude-opus-4-8', known, now)?.status ?? null;

  test.each([
    ['no feed is configured', null, null],
    ['it names this model', feed([open('Errors on Opus 4.8')]), 'partial_outage'],
    ['it names another one only', feed([open('Errors on Opus 4.7')]), 'operational'],
    ['it names none', feed([open('Errors on many models')]), 'partial_outage'],
    ['it says so without an incident', feed([]), 'degraded'],
    ['it cannot be read', feed([], { reading: { kind: 'unknown', why: 'It is empty.' } }), 'unknown'],
    ['it was read long ago', feed([], { checkedAt: instant(now - 16 * 60_000) }), 'unknown'],
  ] as const)('%s', (_name, given, expected) => expect(status(given)).toBe(expected));
});

test('one model that fails at all its hosts is the model, not its providers', () => {
  const hosts = [sick(opus), sick('aws/claude-opus-4-8')];
  expect(diagnose(input({ targets: [...hosts, target('openai/gpt-5.2')] })).verdict).toBe('model');
  const both = [sick(opus), sick('anthropic/claude-sonnet-5')];
  expect(diagnose(input({ targets: [...both, target('openai/gpt-5.2')] })).verdict).toBe('provider');
});

test('what a person holds out is not called sick', () => {
  const held = sick(opus, { words: 'held out by ada: a test', decided: true });
  const { verdict, words } = diagnose(input({ targets: [held, target('openai/gpt-5.2')] }));
  expect(verdict).toBe('ours');
  expect(words).toBe('It is us: anthropic/claude-opus-4-8 is held out, as a person decided.');
});

test('what a person lets back in by a ramp is not called sick', () => {
  const found = diagnose(
    input({ targets: [sick(opus, { gate: 'ramping', decided: true }), target('openai/gpt-5.2')] }),
  );
  expect([found.verdict, found.words]).toEqual([
    'ours',
    `It is us: ${opus} comes back step by step, as a person decided.`,
  ]);
});
