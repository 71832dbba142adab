/** Drills by the command line: every example configuration, claims, files, profiles, records, and what is misspelt. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'bun:test';

import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { instant } from '../src/core/ids.ts';
import { browserPath, lookAt, lookingMs } from './e2e/browser.ts';
import { aRecord } from './record-fixture.ts';
import { openOrThrow } from './store-fixture.ts';

type Json = Record<string, unknown>;
type Ran = { readonly code: number; readonly out: string; readonly err: string };

const root = join(import.meta.dir, '..');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-drill-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function drill(...words: readonly string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await runCommand(['drill', ...words], readEnvironment({}), {
    print: (text) => void (out += `${text}\n`),
    complain: (text) => void (err += `${text}\n`),
  });
  return { code, out, err };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const example = (name: string): string => join(root, 'examples', name);
const quick = file('quick.yaml', "traffic: { '*': { rate: 2 } }");

/** Every example configuration, with a provider to lose that something else stands in for. */
const losses: Readonly<Record<string, string>> = {
  'breakwater.yaml': 'loss-of:anthropic',
  'clouds.yaml': 'loss-of:aws-us',
  'minimal.yaml': 'loss-of:openai',
};
const examples = readdirSync(join(root, 'examples')).filter(
  (name) => name.endsWith('.yaml') && readFileSync(example(name), 'utf8').includes('features:'),
);

describe.each(examples)('%s passes its drills', (name) => {
  test.each([losses[name] ?? 'loss-of:anthropic', 'brownout:claude-opus-4-8:30%', 'june-7', 'slow-recovery'])(
    '%s',
    async (words) => {
      const ran = await drill(words, '--config', example(name), '--profile', quick, '--json');
      expect(ran.err).toBe('');
      const report = JSON.parse(ran.out) as { violations: number; strategies: Json[]; features: Json[] };
      expect(report.violations).toBe(0);
      expect(
        report.features
          .flatMap((feature) => feature['claims'] as Json[])
          .filter(({ outcome }) => outcome === 'fails'),
      ).toEqual([]);
      expect(ran.code).toBe(0);
      expect(report.strategies.map(({ strategy }) => strategy)).toEqual([
        'breakwater',
        'no_gateway',
        'retry_only',
        'naive_fallback',
        'common_breaker',
      ]);
    },
  );
});

test('the report says what users saw, how fast it was, what it cost, and what simpler means would have done', async () => {
  const ran = await drill('loss-of:anthropic', '--config', example('breakwater.yaml'), '--profile', quick);
  for (const words of [
    'provider anthropic is lost: 00:10 to 00:40',
    'answered by a backup',
    'Out of routing',
    'declared out after',
    'Cost at list price',
    'policy broken',
    'holds: survives provider:anthropic',
    'Policy was kept by every call',
  ])
    expect(ran.out).toContain(words);
  const vendor = await drill(
    'loss-of:vendor:anthropic',
    '--config',
    example('breakwater.yaml'),
    '--profile',
    quick,
    '--alone',
  );
  expect(vendor.out).toContain('asked, and did not agree');
  expect(vendor.out).toContain('asked, agreed and were answered');
});

test('the same seed gives the same report, another one another', async () => {
  const run = async (seed: string): Promise<string> =>
    (
      await drill(
        'june-7',
        '--config',
        example('minimal.yaml'),
        '--profile',
        quick,
        '--json',
        '--alone',
        '--seed',
        seed,
      )
    ).out;
  expect(await run('7')).toBe(await run('7'));
  expect(await run('7')).not.toBe(await run('8'));
});

test('a claim that does not hold fails the drill', async () => {
  const config = file(
    'alone.yaml',
    `providers: { anthropic: { api: anthropic, keys: [env:A] } }
features: { notes: { route: [anthropic/claude-opus-4-8], expect: [{ survives: { provider: anthropic } }] } }`,
  );
  const ran = await drill('loss-of:anthropic', '--config', config, '--profile', quick, '--alone');
  expect(ran.code).toBe(1);
  expect(ran.out).toContain('FAILS: survives provider:anthropic');
  const other = await drill('brownout:anthropic:5%', '--config', config, '--profile', quick, '--alone');
  expect(other.code).toBe(0);
  expect(other.out).toContain('not rehearsed here: survives provider:anthropic');
});

test('the commands of the guide run', async () => {
  const guide = readFileSync(join(root, 'docs/drill.md'), 'utf8');
  const commands = guide.split('\n').filter((line) => line.startsWith('breakwater drill '));
  expect(commands.length).toBeGreaterThan(4);
  for (const command of commands) {
    const words = command
      .split(' ')
      .slice(2)
      .map((word) =>
        word.startsWith('examples/') ? join(root, word) : word === 'drill.html' ? join(folder, word) : word,
      );
    const ran = await drill(...words, '--profile', quick);
    expect(ran.err).toBe('');
    expect(ran.code).toBe(0);
  }
});

test('a page without script', async () => {
  const path = join(folder, 'drill.html');
  await drill('june-7', '--config', example('minimal.yaml'), '--profile', quick, '--alone', '--html', path);
  const page = readFileSync(path, 'utf8');
  expect(page).toStartWith('<!doctype html>');
  expect(page).toContain('<svg');
  expect(page).not.toContain('<script');
  for (const words of [
    'Policy was kept by every call',
    'answered by a backup',
    'how long 95 % waited',
    'Every minute',
    'declared out after',
    'a minute, usually',
    'The same with simpler means',
    'Gates tell the time of day; it is 07:00 UTC when the drill begins.',
  ])
    expect(page).toContain(words);
  // Two tables of 90 minutes and four phases would be too few rows, were one of them missing.
  expect(page.match(/<tr>/g)?.length).toBeGreaterThan(90);
});

test.skipIf(browserPath === undefined)(
  'the page is as wide as the window, and an accessibility checker has nothing to say',
  async () => {
    const path = join(folder, 'page.html');
    await drill(
      'loss-of:vendor:anthropic',
      '--config',
      example('breakwater.yaml'),
      '--profile',
      quick,
      '--html',
      path,
    );
    const looked = await lookAt({ drill: `file://${path}` });
    expect(looked.map(({ violations, isWide, complaints }) => ({ violations, isWide, complaints }))).toEqual(
      looked.map(() => ({ violations: [], isWide: false, complaints: [] })),
    );
  },
  lookingMs,
);

test('a claim is not judged by a drill that loses more than it speaks of, unless it holds even so', async () => {
  const config = example('breakwater.yaml');
  const ran = await drill(
    'loss-of:vendor:anthropic',
    '--config',
    config,
    '--profile',
    quick,
    '--alone',
    '--json',
  );
  expect(ran.code).toBe(0);
  const { features } = JSON.parse(ran.out) as { features: { feature: string; claims: Json[] }[] };
  const claimsOf = (name: string): unknown => features.find(({ feature }) => feature === name)?.claims;
  expect(claimsOf('contract-review')).toMatchObject([
    { outcome: 'not_rehearsed', why: 'aws-us/claude-opus-4-8 has trouble here as well' },
  ]);
  expect(claimsOf('meeting-notes')).toMatchObject([{ outcome: 'holds' }, { outcome: 'holds' }]);
});

test('a feature whose first choice may not have its data says so, and costs what its usual model costs', async () => {
  const config = file(
    'classes.yaml',
    `providers:
  anthropic: { api: anthropic, keys: [env:A] }
  openai: { api: openai, keys: [env:B], terms: { entity: x, training: no } }
dataClasses: { internal: { training: no } }
features: { notes: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2], dataClass: internal } }`,
  );
  const ran = await drill('loss-of:anthropic', '--config', config, '--profile', quick, '--alone');
  expect(ran.out).toContain(
    'may not have its data (training is not excluded): openai/gpt-5.2 answers always',
  );
  expect(ran.out).toContain('nothing was sent to it in this drill');
  const [, more = ''] = /Cost at list price: [^,]+, \$([\d.]+) /.exec(ran.out) ?? [];
  expect(Number(more)).toBeLessThan(1);
});

test('traffic is learnt from records', async () => {
  const store = `sqlite:${join(folder, 'records.db')}`;
  const kept = await openOrThrow(store);
  const at = Date.now() - 60_000;
  await kept.appendRecords(
    Array.from({ length: 30 }, (_, index) =>
      aRecord({ at: instant(at + index * 1_000), feature: 'assistant' }),
    ),
  );
  await kept.close();
  const ran = await drill(
    'loss-of:anthropic',
    '--config',
    example('minimal.yaml'),
    '--since',
    '24h',
    '--store',
    store,
    '--json',
    '--alone',
  );
  const { features } = JSON.parse(ran.out) as { features: { requests: number }[] };
  // Thirty within a minute is one every two seconds, for an hour.
  expect(features[0]?.requests).toBeGreaterThan(1_500);
  expect(features[0]?.requests).toBeLessThan(2_100);
  const none = await drill(
    'loss-of:anthropic',
    '--config',
    example('minimal.yaml'),
    '--since',
    '1s',
    '--store',
    store,
  );
  expect(none.err).toContain('There is no record of the last 1s');
});

test.each([
  [['loss-of:antropic'], 'did you mean "anthropic"?'],
  [['loss-of:family:claude-opuss'], 'no feature uses family "claude-opuss"; did you mean "claude-opus"?'],
  [['brownout:anthropic'], 'a brownout needs a rate above 0 % at its end, such as brownout:anthropic:30%'],
  [['brownout:anthropic:0%'], 'a brownout needs a rate above 0 % at its end'],
  [['loss-of:'], 'what is lost needs a name; there are: anthropic'],
  [['loss-of'], 'Say what: loss-of:NAME'],
  [['loss-of:nothing:anthropic'], '"nothing" is no kind of scope; there are: provider, vendor'],
  [[file('indent.yaml', 'name: x\n a: b')], 'at line 1, column'],
  [
    [
      file(
        'keys.yaml',
        'name: x\nduration: 1h\nfaults: [{ at: 1m, for: 1m, scop: {}, effect: { kind: hang } }]',
      ),
    ],
    'faults.0: unknown key "scop"; did you mean "scope"?',
  ],
  [
    [
      file(
        'kind.yaml',
        'name: x\nduration: 1h\nfaults: [{ at: 1m, for: 1m, scope: {}, effect: { kind: hangs } }]',
      ),
    ],
    'faults.0.effect.kind: must be one of fail, hang, slow',
  ],
  [
    [
      file(
        'late.yaml',
        'name: x\nduration: 1h\nfaults: [{ at: 2h, for: 1m, scope: {}, effect: { kind: hang } }]',
      ),
    ],
    'what begins after 2 h 0 min comes when the drill is over: the scenario would change nothing',
  ],
  [
    ['june-7', '--profile', file('strange.yaml', 'traffic: { assistent: { rate: 4 } }')],
    '"assistent" is no feature of the configuration; did you mean "assistant"?',
  ],
  [
    ['june-7', '--since', '1h', '--store', 'sqlite:/nowhere/at-all.db'],
    'There is no store at /nowhere/at-all.db',
  ],
  [['june-7', '--alone', '--html', '/nowhere/at-all.html'], '/nowhere/at-all.html cannot be written'],
  [['june-77'], 'did you mean "june-7"?'],
  [['nowhere.yaml'], 'nowhere.yaml cannot be read'],
  [['june-7', '--duration', 'soon'], '--duration must be a duration'],
  [['june-7', '--seed', 'x'], '--seed must be a whole number'],
  [['november-18', '--profile', 'nowhere.yaml'], 'nowhere.yaml cannot be read'],
  [[], 'Say what to rehearse'],
])('%j', async (words, problem) => {
  const ran = await drill(...words, '--config', example('minimal.yaml'));
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(problem);
});

test('a scenario that strikes nothing of the configuration is refused', async () => {
  const config = file(
    'google.yaml',
    'providers: { google: { api: google, keys: [env:G] } }\nfeatures: { find: { route: [google/gemini-2.5-flash] } }',
  );
  const ran = await drill('june-7', '--config', config);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('the scenario would change nothing');
});

test('a feature that hedges does so in a drill, and the report says how often', async () => {
  const config = file(
    'hedge.yaml',
    `providers: { anthropic: { api: anthropic, keys: [env:A] }, openai: { api: openai, keys: [env:B] } }
features:
  notes: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2], hedge: { after: 1500ms, budget: 20% } }
  plain: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2] }`,
  );
  const json = await drill(
    'brownout:anthropic:5%',
    '--config',
    config,
    '--profile',
    quick,
    '--alone',
    '--json',
  );
  type Hedging = { readonly hedges: { readonly sent: number; readonly won: number } | null };
  const [notes, plain] = (JSON.parse(json.out) as { features: Hedging[] }).features;
  const { sent = 0, won = 0 } = notes?.hedges ?? {};
  expect(sent).toBeGreaterThan(100);
  expect(won).toBeGreaterThan(0);
  expect(won).toBeLessThanOrEqual(sent);
  expect(plain?.hedges).toBeNull();
  const text = await drill('brownout:anthropic:5%', '--config', config, '--profile', quick, '--alone');
  expect(text.out).toContain(`asked a second target ${sent} times because the first was silent`);
});
