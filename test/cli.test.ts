/** The command line and the admin API against a running server: what is printed, how it ends, what shape it has. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { commands, runCommand } from '../src/cli/commands.ts';
import { columnsMax } from '../src/cli/layout.ts';
import { readEnvironment } from '../src/config.ts';
import { adminAnswers } from '../src/http/admin-answers.ts';
import type { AnswerName } from '../src/http/admin-answers.ts';
import { adminToken, configuration, startHouse, until } from './harness.ts';
import type { House, Json } from './harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());

type Ended = { readonly exit: number; readonly out: string; readonly err: string };

async function run(words: readonly string[], variables: Record<string, string> = {}): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const environment = readEnvironment({
    BREAKWATER_URL: house.url,
    BREAKWATER_ADMIN_TOKEN: adminToken,
    ...variables,
  });
  const exit = await runCommand(words, environment, {
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

async function ask(model: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01', ...headers },
    body: JSON.stringify({ model, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  await house.server.engine.records.flush();
  return response.headers.get('x-breakwater-request-id') ?? '';
}

const idIn = (text: string): string => /\b(?:sw|key|req)_[\w-]+/.exec(text)?.[0] ?? '';
const linesTooLong = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line.length > columnsMax && line.trim().includes(' '));

describe('a switch from the command line', () => {
  test('off, listed, in the state, and on again by its scope', async () => {
    const off = await run([
      'switch',
      'off',
      'provider:anthropic',
      'feature:notes',
      '--reason',
      'elevated errors',
      '--for',
      '30m',
      '--as',
      'maria',
    ]);
    expect(off).toMatchObject({ exit: 0, err: '' });
    expect(off.out).toMatch(/Off now for feature:notes: anthropic\//);
    const id = idIn(off.out);
    const list = await run(['switch', 'list']);
    expect(list.out).toContain(`${id}  off  provider:anthropic feature:notes`);
    expect(list.out).toContain('by maria: elevated errors');
    const state = await run(['state']);
    expect(state.out).toMatch(/notes +backup +openai\/gpt-5\.2/);
    expect([off, list, state].flatMap(({ out }) => linesTooLong(out))).toEqual([]);
    const other = await run(['switch', 'on', 'provider:anthropic']);
    expect(other).toMatchObject({ exit: 1, out: '' });
    expect(other.err).toContain(`${id}  provider:anthropic feature:notes`);
    expect(await run(['switch', 'on', 'feature:notes', 'provider:anthropic', '--at-once'])).toEqual({
      exit: 0,
      out: `${id} is released. What it covered is back.`,
      err: '',
    });
    expect((await run(['switch', 'list'])).out).toBe('No switch is in force.');
    const again = await run(['switch', 'on', id]);
    expect(again.exit).toBe(1);
    expect(again.err).toContain('released already');
  });

  test('several with one scope are released together, as JSON when asked', async () => {
    for (const reason of ['first reason', 'second reason'])
      await run(['switch', 'off', 'model:gpt-4o', '--reason', reason, '--for', 'ever', '--expiry', 'stay']);
    const { exit, out } = await run(['switch', 'on', 'model:gpt-4o', '--json']);
    expect(exit).toBe(0);
    expect((JSON.parse(out) as { items: Json[] }).items.map((entry) => entry['reason'])).toEqual([
      'first reason',
      'second reason',
    ]);
  });

  test('a part, a last resort, or only a look: what the API can, and a wrong part says what is right', async () => {
    const reason = ['--reason', 'a test'];
    expect((await run(['switch', 'off', 'model:gpt-4o', '--shed', '50%', ...reason])).out).toContain(
      'Relieved of 50 % now: openai/gpt-4o',
    );
    expect((await run(['switch', 'off', 'model:gpt-4o', '--last-resort', ...reason])).out).toContain(
      'A last resort now',
    );
    expect((await run(['switch', 'off', 'model:gpt-4o', '--observe', ...reason])).out).toContain(
      'nothing is moved',
    );
    expect((await run(['switch', 'list'])).out).toMatch(
      /50 % shed +model:gpt-4o[^]*last resort +model:gpt-4o[^]*off, observed +model:gpt-4o/,
    );
    expect((await run(['switch', 'preview', 'model:gpt-4o', '--shed', '50%'])).exit).toBe(0);
    expect(await run(['switch', 'off', 'model:gpt-4o', '--shed', 'half', ...reason])).toMatchObject({
      exit: 2,
    });
    expect((await run(['switch', 'on', 'model:gpt-4o', '--at-once'])).exit).toBe(0);
  });

  test('a wider switch is not released by a narrower name', async () => {
    const id = idIn((await run(['switch', 'off', 'model:gpt-4o', '--reason', 'a test'])).out);
    expect((await run(['switch', 'on', 'model:gpt-4o', 'feature:notes'])).exit).toBe(1);
    expect((await run(['switch', 'on', id])).exit).toBe(0);
  });

  test.each([
    [['--for', 'soon'], 'expires_in'],
    [['--in-flight', 'now'], 'in_flight'],
    [['--failure-class', 'mood'], 'failure_class'],
  ])('%j is not understood', async (words, field) => {
    const { exit, err } = await run(['switch', 'off', 'provider:x', '--reason', 'a test', ...words]);
    expect([exit, err.includes(field)]).toEqual([2, true]);
  });
});

describe('questions', () => {
  test('requests and explain', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    const id = await ask('notes');
    house.simulator.clearFaults();
    const listed = await run(['requests', '--feature', 'notes', '--failure', 'overloaded', '--since', '1h']);
    expect(listed.out).toContain(id);
    expect(listed.out).toContain('notes: openai/gpt-5.2 instead of anthropic/claude-opus-4-8 (overloaded)');
    const explained = await run(['explain', id]);
    expect(explained.out).toContain(
      "openai/gpt-5.2 answered instead of anthropic/claude-opus-4-8: another vendor's",
    );
    expect([listed, explained].flatMap(({ out }) => linesTooLong(out))).toEqual([]);
    const page = await run(['requests', '--limit', '1']);
    expect(page.out.split('\n').length).toBe(2);
    expect((await run(['requests', '--user', 'nobody'])).out).toBe('No request fits.');
    expect((await run(['explain', 'req_0'])).exit).toBe(1);
  });

  test('a hypothetical request', async () => {
    const { exit, out } = await run(['explain', '--feature', 'strict']);
    expect(exit).toBe(0);
    expect(out).toContain('It would go to anthropic/claude-opus-4-8');
    expect(out).toContain('openai/gpt-5.2 would not be asked: it may not be used as a backup here.');
    expect(out).toMatch(/openai\/gpt-5\.2\n(?:.*\n)*? +consent +EXCLUDES it +other_vendor: never/);
    const long = await run([
      'explain',
      '--feature',
      'strict',
      '--needs',
      'tools',
      '--input-tokens',
      '9000000',
    ]);
    expect(long.out).toMatch(/context +EXCLUDES it +about 9000000 tokens/);
    expect((await run(['explain', '--feature', 'strict', '--input-tokens', 'many'])).exit).toBe(2);
    expect((await run(['explain', '--feature', 'strickt'])).err).toContain('strict');
    const unknownKey = await house.admin('POST', 'explain', { feature: 'notes', key: 'key_0' });
    expect(unknownKey.body).toMatchObject({ error: { message: 'There is no usable key key_0.' } });
  });

  test('a name from a caller cannot steer the terminal', async () => {
    const id = await ask('anthropic/no\u001b[2Jsuch-model');
    const { out } = await run(['explain', id]);
    expect(out).toContain('anthropic/no·[2Jsuch-model');
    expect(out).not.toContain('\u001b');
  });

  test('changes', async () => {
    const { out } = await run(['changes', '--limit', '5']);
    expect(out).toMatch(/switch\.released +admin/);
    expect(linesTooLong(out)).toEqual([]);
  });
});

describe('every question has its shape', () => {
  test.each([
    ['GET', 'state', 'State', undefined],
    ['GET', 'config', 'Config', undefined],
    ['GET', 'coverage', 'CoverageList', undefined],
    ['GET', 'changes', 'ChangeList', undefined],
    ['GET', 'requests', 'RecordList', undefined],
    ['POST', 'explain', 'Explained', { feature: 'contract' }],
    ['POST', 'config/check', 'ConfigChecked', { text: 'features: { a: { route: [x/y] } }' }],
    ['POST', 'config/check', 'ConfigChecked', { text: '' }],
  ] as [string, string, AnswerName, Json | undefined][])('%s %s is %s', async (method, path, name, body) => {
    await run(['switch', 'off', 'model:gpt-4o', '--reason', 'a test']);
    const answer = await house.admin(method, path, body);
    expect(answer.status).toBe(200);
    expect(adminAnswers[name].parse(answer.body)).toEqual(answer.body as never);
    await run(['switch', 'on', 'model:gpt-4o', '--at-once']);
  });
});

describe('how it ends', () => {
  test('3 when nothing answers, and it says where it looked', async () => {
    const { exit, err } = await run(['state'], { BREAKWATER_URL: 'http://127.0.0.1:1' });
    expect(exit).toBe(3);
    expect(err).toContain('http://127.0.0.1:1');
  });

  test('3 when something else answers', async () => {
    const other = createServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello'),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { exit, err } = await run(['state'], { BREAKWATER_URL: `http://127.0.0.1:${port}` });
    other.close();
    expect([exit, err.includes('is not Breakwater')]).toEqual([3, true]);
  });

  test('2 when the address is none', async () =>
    expect((await run(['state'], { BREAKWATER_URL: 'somewhere' })).exit).toBe(2));

  test('4 without the token or with another', async () => {
    expect(await run(['state'], { BREAKWATER_ADMIN_TOKEN: '' })).toMatchObject({
      exit: 4,
      err: 'The server asks for the admin token. Set BREAKWATER_ADMIN_TOKEN.',
    });
    expect((await run(['state'], { BREAKWATER_ADMIN_TOKEN: 'wrong' })).exit).toBe(4);
  });

  test.each(commands.filter(({ name }) => /^(?:state|requests|changes|switch list|keys list)$/.test(name)))(
    '$name prints JSON',
    async ({ name }) => {
      const { exit, out } = await run([...name.split(' '), '--json']);
      expect([exit, typeof JSON.parse(out)]).toEqual([0, 'object']);
    },
  );
});

/** Keys come last: once one exists, callers need it. */
test('keys are made, listed without their secret, and revoked', async () => {
  const made = await run([
    'keys',
    'create',
    'web-app',
    '--features',
    'notes, chat',
    '--rpm',
    '60',
    '--budget',
    '5usd/day',
  ]);
  expect(made.exit).toBe(0);
  const [id, secret] = [idIn(made.out), /bw_\S+/.exec(made.out)?.[0] ?? ''];
  expect(made.out).toContain('warning: the budget counts calls at list price');
  const listed = await run(['keys', 'list']);
  expect(listed.out).toContain('notes, chat · 60 a minute');
  expect(listed.out).not.toContain(secret);
  expect(await run(['keys', 'revoke', id])).toEqual({ exit: 0, out: `${id} is revoked.`, err: '' });
  expect((await run(['keys', 'revoke', id])).exit).toBe(1);
  expect((await run(['keys', 'create', 'x', '--features', 'note'])).err).toContain('Did you mean "notes"?');
});

describe('the launcher', () => {
  const launcher = join(import.meta.dir, '..', 'bin', 'breakwater.js');

  function launch(words: readonly string[], variables: Record<string, string> = {}) {
    const child = spawn('node', [launcher, ...words], { env: { PATH: process.env['PATH'], ...variables } });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { child, ended, text: () => text };
  }

  test('keeps the exit code', async () => {
    const good = launch(['version']);
    expect([await good.ended, good.text().trim()]).toEqual([0, '0.1.0']);
    expect(await launch(['nonsense']).ended).toBe(2);
    expect(await launch(['state'], { BREAKWATER_URL: 'http://127.0.0.1:1' }).ended).toBe(3);
  });

  test('a long answer is printed whole through a pipe', async () => {
    const help = launch(['help', 'requests']);
    await help.ended;
    const { out } = await run(['help', 'requests']);
    expect(help.text().trim()).toBe(out.trim());
  });

  test('a signal sent twice still lets open answers finish', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-'));
    const config = join(folder, 'breakwater.yaml');
    writeFileSync(config, JSON.stringify(configuration(house.simulator)));
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'delay', beforeHeadersMs: 60_000 } });
    const server = launch(
      ['serve', '--config', config, '--listen', '127.0.0.1:0', '--store', `sqlite:${join(folder, 'b.db')}`],
      { KEY_A: 'key-a', KEY_O: 'key-o', KEY_W: 'key-w' },
    );
    await until(() => server.text().includes('"ready"'), 'the server is ready');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.text())?.[0] ?? '';
    const before = house.simulator.calls('openai').length;
    const answer = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    await until(() => house.simulator.calls('openai').length > before, 'the call is under way');
    server.child.kill('SIGINT');
    await until(() => server.text().includes('"stopping"'), 'it stops');
    server.child.kill('SIGINT');
    house.simulator.clearFaults();
    expect((await answer).status).toBe(200);
    expect(await server.ended).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });
});

test('a preview says what moves, what that costs and how full targets get', async () => {
  const busy = await startHouse();
  try {
    busy.simulator.setFault({ provider: 'anthropic', fault: { kind: 'delay', beforeHeadersMs: 950 } });
    await busy.anthropic.messages.create({
      model: 'twins',
      max_tokens: 20,
      messages: [{ role: 'user', content: 'Hello' }],
    });
    const words = ['switch', 'preview', 'provider:anthropic', '--shed', '50%'];
    const { out } = await run(words, { BREAKWATER_URL: busy.url });
    expect(out).toContain('50 % move from anthropic/claude-opus-4-8 to aws/claude-opus-4-8 (same_model).');
    expect(out).toMatch(
      /Load:\n[^]*aws\/claude-opus-4-8: 0 → 0\.0\d+ calls open on average, of 5000 at most/,
    );
    expect(out).toContain('Cost at list price over that time: unchanged');
  } finally {
    await busy.stop();
  }
});

test('what is left after a loss is told for each data class too, with the claims', async () => {
  const claiming = await startHouse((simulator) => {
    const base = configuration(simulator);
    const features = base['features'] as Record<string, Json>;
    const notes = {
      ...features['notes'],
      expect: [{ survives: { vendor: 'anthropic' } }, { never: { leavesRegion: 'eu' } }],
    };
    return { ...base, features: { ...features, notes } };
  });
  try {
    const { out, exit } = await run(['coverage', 'notes'], { BREAKWATER_URL: claiming.url });
    expect(exit).toBe(0);
    expect(out).toContain('without provider:anthropic     survives  openai/gpt-5.2 (other_vendor)');
    expect(out).toContain('data of class restricted: refused, nobody here may process it');
    expect(out).toContain('holds: survives vendor:anthropic');
    expect(out).toContain('FAILS: never leaves region eu');
  } finally {
    await claiming.stop();
  }
});
