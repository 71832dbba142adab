/** The command line, as a person runs it. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join, resolve } from 'node:path';

import { readyAt } from './e2e/serve-process.ts';
import { adminToken, startHouse } from './harness.ts';
import type { House } from './harness.ts';

const root = resolve(import.meta.dir, '..');
let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());

async function run(
  words: readonly string[],
  environment: Record<string, string> = {},
  cwd = root,
): Promise<{ code: number; out: string; complaint: string }> {
  const child = Bun.spawn([process.execPath, join(root, 'src/main.ts'), ...words], {
    cwd,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: {
      PATH: process.env['PATH'] ?? '',
      BREAKWATER_URL: house.url,
      BREAKWATER_ADMIN_TOKEN: adminToken,
      ...environment,
    },
  });
  const [out, complaint, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, complaint };
}

test('a switch goes off and on by its scope', async () => {
  const off = await run(['switch', 'off', 'provider:anthropic', '--reason', 'elevated errors']);
  expect(off.code).toBe(0);
  expect(off.out).toContain('Off now: anthropic/');
  expect((await run(['switch', 'list'])).out).toContain('provider:anthropic');
  expect((await run(['state'])).out).toContain('by sw_');
  const on = await run(['switch', 'on', 'provider:anthropic']);
  expect([on.code, on.out]).toEqual([0, expect.stringContaining('released')]);
  expect((await run(['switch', 'list'])).out).toContain('No switch is in force.');
});

test('a request is explained in sentences', async () => {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'chat', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] }),
  });
  const id = response.headers.get('x-breakwater-request-id') ?? '';
  await house.record(id);
  const explained = await run(['explain', id]);
  expect(explained.out).toContain('openai/gpt-5.2 answered, the model it was meant for.');
  expect((await run(['requests', '--feature', 'chat', '--json'])).out).toContain(id);
  expect((await run(['explain', '--feature', 'contract'])).out).toContain(
    'It would go to anthropic/claude-opus-4-8',
  );
});

test('mistakes are named, with the remedy and an exit code', async () => {
  expect(await run(['swich', 'off'])).toMatchObject({
    code: 2,
    complaint: expect.stringContaining('Did you mean "breakwater switch off"?'),
  });
  expect(await run(['switch', 'off', 'provider:anthropic'])).toMatchObject({
    code: 2,
    complaint: expect.stringContaining('--reason'),
  });
  expect(await run(['switch', 'off', 'providr:anthropic', '--reason', 'why'])).toMatchObject({
    code: 2,
    complaint: expect.stringContaining('did you mean "provider"?'),
  });
  expect(await run(['requests', '--featur', 'x'])).toMatchObject({
    code: 2,
    complaint: expect.stringContaining('Did you mean --feature?'),
  });
  expect(await run(['state'], { BREAKWATER_URL: 'http://127.0.0.1:9' })).toMatchObject({
    code: 3,
    complaint: expect.stringContaining('No Breakwater answers'),
  });
  expect(await run(['state'], { BREAKWATER_ADMIN_TOKEN: 'wrong' })).toMatchObject({
    code: 4,
    complaint: expect.stringContaining('BREAKWATER_ADMIN_TOKEN'),
  });
});

test('check prints what each feature survives', async () => {
  const checked = await run(['check', 'examples/breakwater.yaml'], {
    ANTHROPIC_API_KEY: 'x',
    OPENAI_API_KEY: 'x',
  });
  expect(checked.code).toBe(0);
  expect(checked.out).toContain('without vendor:anthropic');
  expect(checked.out).toContain('holds: survives provider:anthropic');
  expect(await run(['check', 'no-such.yaml'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('there is no file no-such.yaml'),
  });
});

test.each(readdirSync('examples').filter((file) => file.endsWith('.yaml')))(
  'the example %s can be used',
  async (file) => {
    const checked = await run(['check', `examples/${file}`], {
      ANTHROPIC_API_KEY: 'x',
      OPENAI_API_KEY: 'x',
      AZURE_KEY: 'x',
    });
    expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('It can be used.') });
  },
);

test('a configuration is checked where its secrets are not, and served only where they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-check-'));
  const path = join(folder, 'breakwater.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      providers: { anthropic: { api: 'anthropic', keys: ['env:NOT_SET_ONE', 'file:/not/there'] } },
      features: { notes: { route: ['anthropic/claude-opus-4-8'] } },
      channels: {
        hook: { kind: 'webhook', url: 'https://example.com/hook', secret: 'env:NOT_SET_TWO' },
        talk: { kind: 'slack', url: 'env:NOT_SET_THREE' },
      },
      audit: { capture: { key: 'env:NOT_SET_FOUR', features: ['notes'] } },
    }),
  );
  try {
    const checked = await run(['check', path, '--json']);
    const said = JSON.parse(checked.out) as { ok: boolean; problems: Record<string, unknown>[] };
    expect({ code: checked.code, ok: said.ok }).toEqual({ code: 0, ok: true });
    expect(said.problems.map(({ path: at, severity }) => [at, severity])).toEqual([
      ['providers.anthropic.keys[0]', 'warning'],
      ['providers.anthropic.keys[1]', 'warning'],
      ['channels.hook.secret', 'warning'],
      ['channels.talk.url', 'warning'],
      ['audit.capture.key', 'warning'],
    ]);
    expect((await run(['drill', 'loss-of:anthropic', '--config', path, '--duration', '1m'])).code).toBe(0);
    // A file of the usual name is found where one stands.
    expect(await run(['check'], {}, folder)).toMatchObject({
      code: 0,
      out: expect.stringContaining('breakwater.yaml:1:'),
    });
    const served = await run(['serve', '--listen', '127.0.0.1:0', '--store', 'sqlite::memory:'], {}, folder);
    expect(served).toMatchObject({ code: 1, complaint: expect.stringContaining('NOT_SET_FOUR is not set') });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('it does not listen beyond loopback without an admin token', async () => {
  const refused = await run(
    ['serve', '--listen', '0.0.0.0:0', '--store', 'sqlite::memory:', '--config', 'examples/minimal.yaml'],
    { BREAKWATER_ADMIN_TOKEN: '', ANTHROPIC_API_KEY: 'x', OPENAI_API_KEY: 'x' },
  );
  expect(refused).toMatchObject({ code: 1, complaint: expect.stringContaining('without an admin token') });
});

test('the demo runs to its end and answers from the records', async () => {
  const demo = await run(['demo', '--plain', '--fast']);
  expect(demo.code).toBe(0);
  for (const words of [
    'Opus 4.7 and 4.8 degrade',
    'switched off by a person',
    'incident: Claude Opus 4.7 and 4.8: elevated errors (availability,',
    'This is a technical fault;',
    'No request fits.',
    'Who decided what, when and why?',
    'maria made a switch over',
    'You can continue.',
  ])
    expect(demo.out).toContain(words);
  for (const command of ['explain req_', 'incident show inc_', 'diagnose', 'whatchanged', 'coverage'])
    expect(demo.out).toContain(`$ breakwater ${command}`);
  expect(demo.out).not.toMatch(/is not understood|There is no command|Unknown option/);
  expect(demo.out).toMatch(/Meeting notes\s+working\s+\d+\s+\d+\s+0\s+0\s+0/);
}, 240_000);

test('the demo tells a program each scene and each answer', async () => {
  const demo = await run(['demo', '--json', '--fast']);
  expect(demo.code).toBe(0);
  const lines = demo.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(new Set(lines.map(({ event }) => event))).toEqual(new Set(['started', 'scene', 'answer', 'ended']));
  expect(lines.find(({ event }) => event === 'scene')).toMatchObject({
    traffic: { 'meeting-notes': { failed: 0 } },
    state: { features: expect.any(Array) },
  });
}, 240_000);

/** A server started as a person starts it: by the launcher. */
async function launched(): Promise<{ launcher: Bun.Subprocess; url: string }> {
  const launcher = Bun.spawn(['node', join(root, 'bin/breakwater.js'), 'serve', '--listen', '127.0.0.1:0'], {
    cwd: mkdtempSync(join(tmpdir(), 'breakwater-')),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    env: { PATH: process.env['PATH'] ?? '', BREAKWATER_ADMIN_TOKEN: adminToken, OPENAI_API_KEY: 'k' },
  });
  return { launcher, url: (await readyAt(launcher.stdout)).url };
}

test('headers of 60 KiB are read, and larger ones refused', async () => {
  const { launcher, url } = await launched();
  const status = async (kib: number): Promise<number> =>
    (await fetch(`${url}/healthz`, { headers: { 'x-large': 'a'.repeat(kib * 1024) } })).status;
  expect([await status(60), await status(70)]).toEqual([200, 431]);
  launcher.kill();
  await launcher.exited;
});

test('who kills the launcher kills the server', async () => {
  const { launcher, url } = await launched();
  launcher.kill('SIGKILL');
  const answers = (): Promise<boolean> =>
    fetch(`${url}/healthz`).then(
      () => true,
      () => false,
    );
  for (let tries = 0; tries < 1_000 && (await answers()); tries++) await Bun.sleep(50);
  expect(await answers()).toBe(false);
});

test.each([['audit export'], ['requests export']])(
  '%s prints lines of JSON where no file is named',
  async (words) => {
    const { code, out } = await run(words.split(' '));
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => typeof JSON.parse(line)),
    ).toContain('object');
  },
);

test('playbooks that do not fit their configuration are told by check', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-fit-'));
  try {
    const text = (channel: string): string =>
      `name: off
match: { scope: { provider: openai }, when: { gate: ejected } }
decide: [{ otherwise: [{ notify: { channel: ${channel}, text: It fails. } }] }]
`;
    writeFileSync(
      join(folder, 'b.yaml'),
      'providers: { openai: { api: openai-compatible, baseUrl: "http://127.0.0.1:1/v1" } }\nfeatures: { a: { route: [openai/gpt-5.2] } }\nplaybooks: ./*.playbook\n',
    );
    const none = await run(['check', join(folder, 'b.yaml')]);
    expect([none.code, none.out]).toEqual([
      0,
      expect.stringContaining('There is no playbook at ./*.playbook.'),
    ]);
    writeFileSync(join(folder, 'one.playbook'), text('oncall'));
    const unfit = await run(['check', join(folder, 'b.yaml')]);
    expect([unfit.code, unfit.out]).toEqual([
      0,
      expect.stringContaining('tells the channel oncall, and there is none'),
    ]);
    writeFileSync(join(folder, 'two.playbook'), text('oncall'));
    const twice = await run(['check', join(folder, 'b.yaml')]);
    expect([twice.code, twice.out]).toEqual([1, expect.stringContaining('another file has a playbook off')]);
    const strange = await run(['playbook', 'export', join(folder, 'one.playbook'), '--format', 'svg']);
    expect([strange.code, strange.complaint]).toEqual([2, expect.stringContaining('mermaid or cacao')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

test('an address that cannot be listened at is a command that was not understood', async () => {
  const { code, complaint } = await run(['serve', '--listen', 'nope']);
  expect([code, complaint]).toEqual([2, expect.stringContaining('--listen nope is not HOST:PORT.')]);
});
