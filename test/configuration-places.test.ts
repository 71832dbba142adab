/** Where a configuration is wrong, as a person is told: a line and column, a variable of the environment, an option. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startServer } from '../src/app.ts';
import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { instant } from '../src/core/ids.ts';
import { compileText } from '../src/sync/config-file.ts';
import type { Loaded } from '../src/sync/config-file.ts';
import { createReloader } from '../src/wiring/configuration.ts';
import { configuration, startHouse } from './harness.ts';
import type { House, Json } from './harness.ts';

type Ended = { readonly exit: number; readonly out: string; readonly err: string };

async function run(words: readonly string[], variables: Record<string, string>): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const to = { print: (text: string) => out.push(text), complain: (text: string) => err.push(text) };
  const exit = await runCommand(words, readEnvironment(variables), to);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

const wrong = {
  ANTHROPIC_API_KEY: 'k',
  ANTHROPIC_BASE_URL: 'http://user:word@host',
  OPENAI_API_KEY: 'k',
  OPENAI_BASE_URL: 'ftp://host',
};

describe('a configuration of the environment alone', () => {
  test('is what check looks at where there is no file, and its problems are in variables', async () => {
    const { exit, out } = await run(['check'], wrong);
    expect(exit).toBe(1);
    expect(out).toContain('ANTHROPIC_BASE_URL: error: must be an address');
    expect(out).toContain('OPENAI_BASE_URL: error: must be an address');
    expect(out).not.toContain('environment:');
    const told = JSON.parse((await run(['check', '--json'], wrong)).out) as { problems: readonly Json[] };
    expect(told.problems.map(({ variable }) => variable)).toEqual(['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL']);
    expect(await run(['check'], { GOOGLE_API_KEY: 'k' })).toMatchObject({ exit: 0 });
  });

  test('is told the same by serve', async () => {
    const started = await startServer({
      configPath: null,
      listen: '127.0.0.1:0',
      store: 'sqlite::memory:',
      environment: readEnvironment(wrong),
      write: () => {},
      show: () => {},
    });
    expect(started.kind === 'failed' ? started.lines : []).toEqual([
      expect.stringMatching(/^ANTHROPIC_BASE_URL: error: /),
      expect.stringMatching(/^OPENAI_BASE_URL: error: /),
    ]);
  });

  test('without any provider there is nothing to check', async () => {
    expect((await run(['check'], {})).out).toContain('there is no file breakwater.yaml');
  });
});

test.each(['mysql://x', 'postgres://host/name', 'sqlite:', 'data.db'])(
  'serve --store %s is not understood, as --listen nope is not',
  async (store) => {
    expect((await run(['serve', '--listen', '127.0.0.1:0', '--store', store], {})).exit).toBe(2);
    expect((await run(['serve', '--listen', 'nope'], {})).exit).toBe(2);
  },
);

describe('in YAML', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-places-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['listen: 127.0.0.1:1\n---\nstore: x\n', ':2:1: error: a second document begins here; keep one'],
    ['features:\n  notes: { route: [*q] }\n', ':2:20: error: *q is nowhere before'],
    [
      'channels: { x: { kind: slak } }\n',
      ':1:18: error: channels.x.kind: must be webhook, slack, teams, discord, pagerduty, smtp',
    ],
  ])('%j', async (text, said) => {
    const path = join(folder, 'breakwater.yaml');
    writeFileSync(path, text);
    const { exit, out } = await run(['check', path], {});
    expect([exit, out]).toEqual([1, expect.stringContaining(said)]);
  });
});

describe('loaded again', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house.stop());

  test('a rejected one is kept among the changes with its first error, not with a warning before it', async () => {
    const { providers } = configuration(house.simulator) as { providers: { openai: Json } };
    const warnedOf = { ...providers.openai, models: { 'gpt-5.2': { context: 1000 } } };
    house.configure({
      limits: { headers: '20s' },
      providers: { ...providers, openai: warnedOf },
      features: { notes: { route: ['nobody/x'] } },
    });
    const loaded = await house.server.reload();
    expect(loaded.ok ? [] : loaded.problems.map(({ severity }) => severity)).toEqual(['warning', 'error']);
    const { body } = await house.admin('GET', 'changes?kind=config.rejected');
    expect((body['items'] as readonly Json[])[0]?.['reason']).toContain('unknown provider "nobody"');
  });

  test('what only a restart puts in force is said', async () => {
    house.configure(
      configuration(house.simulator, { adminListen: '127.0.0.1:4999', listen: '127.0.0.1:4998' }),
    );
    expect((await house.server.reload()).ok).toBe(true);
    // --listen was said when starting, and stands.
    expect(house.logs.filter((line) => line.includes('config_waits')).join('')).toContain(
      '"settings":["adminListen"]',
    );
  });

  test('an older reading never replaces a newer one', async () => {
    const texts = ['features: {}\n', 'features: {} # newer\n'];
    const gate = Promise.withResolvers<void>();
    const load = async (): Promise<Loaded> => {
      const text = texts.shift() ?? '';
      if (texts.length === 1) await gate.promise;
      return compileText(text, () => ({ why: 'none', severity: 'error' }));
    };
    const { engine, store } = house.server;
    const reload = createReloader({
      source: { load, words: () => '', variableOf: () => null },
      engine,
      store,
      log: () => {},
      now: () => instant(0),
      overridden: new Set(),
    });
    const both = [reload(), reload()];
    await Bun.sleep(0);
    gate.resolve();
    const [older, newer] = await Promise.all(both);
    expect(older?.ok === true && newer?.ok === true).toBe(true);
    expect(engine.state.snapshot.hash).toBe(newer?.ok === true ? newer.snapshot.hash : '');
  });
});

test('counters, and only they, are called a total', async () => {
  const house = await startHouse();
  const text = await (await fetch(`${house.url}/metrics`)).text();
  await house.stop();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  expect(types.length).toBeGreaterThan(40);
  expect(types.filter(([, name, kind]) => name?.endsWith('_total') !== (kind === 'counter'))).toEqual([]);
});
