/** The simulated providers as servers: HTTP as clients send it, control by another process, and an end that is one. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';

import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  chunkedEnd,
  drain,
  failureOf,
  hear,
  openai,
  posterTo,
  startTestSimulator,
  until,
} from './simulator-fixture.ts';
import type { Json, Post, Spoken } from './simulator-fixture.ts';

let simulator: Simulator;
let post: Post;

beforeAll(async () => {
  simulator = await startTestSimulator();
  post = posterTo(simulator);
});

afterAll(() => simulator.stop());

beforeEach(() => {
  simulator.clearFaults();
  simulator.forgetCalls();
});

const control = (how: Spoken, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${new URL(simulator.baseUrl(how.id)).origin}/_simulator/${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

describe('control from another process', () => {
  test('a fault set, listed, at work and removed', async () => {
    const rule = { id: 'one', provider: 'a', rate: 1, fault: { kind: 'preset', preset: 'overloaded' } };
    expect(await (await control(openai, 'POST', 'faults', rule)).json()).toEqual({ id: 'one' });
    expect(await (await control(anthropic, 'GET', 'faults')).json()).toEqual([rule]);
    expect((await post(anthropic, {})).status).toBe(529);
    expect((await control(anthropic, 'DELETE', 'faults/one')).status).toBe(200);
    expect((await post(anthropic, {})).status).toBe(200);
    await control(anthropic, 'POST', 'faults', { fault: { kind: 'empty' } });
    await control(anthropic, 'DELETE', 'faults');
    expect(await (await control(anthropic, 'GET', 'faults')).json()).toEqual([]);
  });

  test('the calls, as they came', async () => {
    await (await post(anthropic, { stream: true }, { 'x-app': 'cli' })).text();
    const [call] = (await (await control(openai, 'GET', 'calls')).json()) as Json[];
    expect(call).toMatchObject({
      provider: 'a',
      model: 'claude-sonnet-4-5',
      key: 'key-a',
      stream: true,
      ending: 'completed',
      body: { max_tokens: 500 },
      headers: { 'x-app': 'cli' },
    });
  });

  test.each([
    ['no JSON', '{'],
    ['an unknown fault', { fault: { kind: 'explode' } }],
    ['an unknown word', { fault: { kind: 'hang', where: 'headers', evnts: 2 } }],
    ['an impossible rate', { rate: 2, fault: { kind: 'empty' } }],
    ['a provider that does not exist', { provider: 'z', fault: { kind: 'empty' } }],
  ])('%s is refused', async (_name, body) => {
    expect((await control(openai, 'POST', 'faults', body)).status).toBe(400);
    expect(await (await control(openai, 'GET', 'faults')).json()).toEqual([]);
  });
});

/** What comes back for raw bytes, up to and with a mark. */
function exchange(parts: readonly (string | Uint8Array)[], mark: string, times = 1): Promise<string> {
  const url = new URL(simulator.baseUrl('o'));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(Number(url.port), url.hostname, () => {
    for (const part of parts) socket.write(part);
  });
  socket.on('data', (piece) => {
    text += String(piece);
    if (text.split(mark).length > times) socket.destroy();
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(text));
  return promise;
}

const bodyText = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'say exactly: heard é' }],
});
const startLine = 'POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer key-o\r\n';
const sized = `${startLine}content-length: ${Buffer.byteLength(bodyText)}\r\n`;

describe('HTTP as clients send it', () => {
  test('two requests on one connection, the second before the first is answered', async () => {
    const both = `${sized}\r\n${bodyText}`.repeat(2);
    const text = await exchange([both], chunkedEnd, 2);
    expect(text.split('heard é')).toHaveLength(3);
  });

  test('a body in chunks, cut anywhere', async () => {
    const bytes = Buffer.from(bodyText);
    const chunks = [bytes.subarray(0, 30), bytes.subarray(30)];
    const coded = chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']);
    const head = `${startLine}transfer-encoding: chunked\r\n\r\n`;
    expect(await exchange([head, ...coded, '0\r\n', '\r\n'], chunkedEnd)).toContain('heard é');
  });

  test('a client that waits for permission to send its body', async () => {
    const text = await exchange([`${sized}expect: 100-continue\r\n\r\n`], '100 Continue');
    expect(text).toStartWith('HTTP/1.1 100 Continue\r\n\r\n');
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a length that is none', `${startLine}content-length: many\r\n\r\n`],
    ['a chunk size that is none', `${startLine}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ['a head without end', `${startLine}x: ${'y'.repeat(70_000)}`],
  ])('%s closes the connection', async (_name, bytes) => {
    expect(await exchange([bytes], '\u0000')).toBe('');
  });

  test('a large body', async () => {
    const url = `data:image/png;base64,${'A'.repeat(12 * 1_048_576)}`;
    const content = [{ type: 'image_url', image_url: { url } }];
    const answer = await post(openai, { messages: [{ role: 'user', content }] });
    expect(await answer.text()).toContain('I see 1 image.');
  });

  test('a thousand streams at once, over connections that are used again', async () => {
    simulator.setFault({ provider: 'o', fault: { kind: 'delay', betweenTokensMs: 2 } });
    const ask = async (): Promise<boolean> =>
      hear((await drain(await post(openai, { stream: true }))).text).terminal;
    const ended = await Promise.all(Array.from({ length: 1_000 }, ask));
    expect(ended.every(Boolean)).toBe(true);
    expect(simulator.calls('o').every((call) => call.ending === 'completed')).toBe(true);
    expect(simulator.openConnections()).toBeLessThanOrEqual(1_000);
  }, 120_000);
});

test('when it stops, nothing hangs', async () => {
  const short = await startTestSimulator();
  short.setFault({ fault: { kind: 'hang', where: 'headers' } });
  const failed = failureOf(posterTo(short)(openai, {}));
  await until(() => short.calls().length === 1);
  await short.stop();
  expect(await failed).toBe('ECONNRESET');
  expect(short.openConnections()).toBe(0);
});
