/** The faults of the simulated providers, as they look on the wire. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';

import type { Fault, Preset } from '../src/simulator/faults.ts';
import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  drain,
  hear,
  openai,
  posterTo,
  refusalOf,
  spoken,
  startTestSimulator,
} from './simulator-fixture.ts';
import type { Json, Post, Spoken } from './simulator-fixture.ts';

let simulator: Simulator;
let post: Post;
/** What the client of a call that is cut has read, and whether it may be cut then: what was not read is lost with it. */
let arrived: Uint8Array[] = [];
let mayBeCut: (read: Buffer) => boolean = () => true;

beforeAll(async () => {
  simulator = await startTestSimulator(() => until(() => mayBeCut(Buffer.concat(arrived))));
  post = posterTo(simulator);
});

afterAll(() => simulator.stop());

beforeEach(() => {
  simulator.clearFaults();
  simulator.forgetCalls();
  mayBeCut = () => true;
});

type OnWire = { readonly pieces: readonly Buffer[]; readonly text: string; readonly end: 'fin' | 'reset' };

/** Speaks to a provider without an HTTP client in between, until the provider closes. */
function onTheWire(how: Spoken, body: Json): Promise<OnWire> {
  const url = new URL(`${simulator.baseUrl(how.id)}${how.path}`);
  const limit = how.id === 'a' ? { max_tokens: 500 } : {};
  const messages = [{ role: 'user', content: 'Hello' }];
  const text = JSON.stringify({ model: how.model, ...limit, messages, ...body });
  const version = how.id === 'a' ? 'anthropic-version: 2023-06-01\r\n' : '';
  const head = `POST ${url.pathname} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${how.key}\r\n${version}content-length: ${Buffer.byteLength(text)}\r\n\r\n`;
  const { promise, resolve } = Promise.withResolvers<OnWire>();
  const pieces: Buffer[] = [];
  arrived = pieces;
  let end: OnWire['end'] = 'fin';
  const socket = connect(Number(url.port), url.hostname, () => socket.write(head + text));
  socket.on('data', (piece) => pieces.push(Buffer.from(piece)));
  socket.on('error', (problem: NodeJS.ErrnoException) => {
    if (problem.code === 'ECONNRESET') end = 'reset';
  });
  socket.on('close', () => resolve({ pieces, text: Buffer.concat(pieces).toString(), end }));
  return promise;
}

/** How a call failed that must fail. */
const failureOf = (asked: Promise<Response>): Promise<string> =>
  asked.then(
    (answer) => `answered with ${answer.status}`,
    (problem: { code?: string | number; name: string }) =>
      typeof problem.code === 'string' ? problem.code : problem.name,
  );

const strike = (how: Spoken, fault: Fault): string => simulator.setFault({ provider: how.id, fault });
const lastEnding = (): unknown => simulator.calls().at(-1)?.ending;
const chunkedEnd = '0\r\n\r\n';

describe('errors by name', () => {
  const cases: readonly (readonly [Preset, string, string])[] = [
    ['overloaded', '529 Overloaded', '503 Our servers are currently overloaded'],
    ['server_error', '500 Internal server error', '500 The server had an error'],
    ['rate_limited', '429 This request would exceed', '429 Rate limit reached for gpt-4o'],
    [
      'quota_exhausted',
      '400 You have reached your specified API usage limits',
      '429 You exceeded your current quota',
    ],
    ['credential_rejected', '401 invalid x-api-key', '401 Incorrect API key provided'],
    ['model_not_found', '404 model: claude-sonnet-4-5', '404 The model `gpt-4o` does not exist'],
    ['context_exceeded', '400 prompt is too long', "400 This model's maximum context length"],
    ['request_rejected', '400 messages.0', "400 Invalid type for 'messages[0]'"],
    ['content_refused', '400 Output blocked by content filtering policy', '400 The response was filtered'],
  ];
  test.each(cases)('%s', async (preset, fromAnthropic, fromOpenai) => {
    simulator.setFault({ fault: { kind: 'preset', preset, headers: { 'retry-after': '7' } } });
    const claude = await post(anthropic, {});
    expect(claude.headers.get('retry-after')).toBe('7');
    expect(claude.headers.get('request-id')).toStartWith('req_sim_a_');
    expect(await refusalOf(claude)).toStartWith(fromAnthropic);
    const gpt = await post(openai, {});
    expect(gpt.headers.get('x-request-id')).toStartWith('req_sim_o_');
    expect(await refusalOf(gpt)).toStartWith(fromOpenai);
    expect(lastEnding()).toBe('fault');
  });

  test.each(spoken)('a page of the edge, from $id', async (how) => {
    strike(how, { kind: 'preset', preset: 'edge_page' });
    const answer = await post(how, {});
    expect([answer.status, answer.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await answer.text()).toStartWith('<html>');
  });

  test('any status with any body and headers', async () => {
    const headers = { 'retry-after-ms': '20', 'content-type': 'text/plain' };
    strike(openai, { kind: 'status', status: 418, body: 'short and stout', headers });
    const answer = await post(openai, {});
    expect([answer.status, await answer.text()]).toEqual([418, 'short and stout']);
    expect(answer.headers.get('content-type')).toBe('text/plain');
    expect(answer.headers.get('retry-after-ms')).toBe('20');
  });
});

describe.each(spoken)('connections that break, $id', (how) => {
  const endings = [
    ['reset', 'ECONNRESET'],
    ['fin', 'ECONNRESET'],
  ] as const;

  test.each(endings)('%s before any header', async (end, code) => {
    strike(how, { kind: 'cut', how: end });
    const seen = await onTheWire(how, { stream: true });
    expect(seen).toMatchObject({ text: '', end });
    expect(await failureOf(post(how, {}))).toBe(code);
  });

  test.each(endings)('%s in the middle of a stream', async (end) => {
    strike(how, { kind: 'cut', how: end, afterEvents: 3 });
    mayBeCut = (read) => /(?:"(?:text|content)":"[^"][^]*?\n\n[^]*?){3}/.test(read.toString());
    const seen = await onTheWire(how, { stream: true });
    expect(seen.end).toBe(end);
    expect(seen.text).not.toContain(chunkedEnd);
    arrived = [];
    const read = await drain(await post(how, { stream: true }), arrived);
    expect(read.broke).not.toBeNull();
    expect([...hear(read.text).said].length).toBe(12);
    expect(lastEnding()).toBe('fault');
  });

  test.each([false, true])('cut after exactly so many bytes, stream %p', async (stream) => {
    strike(how, { kind: 'cut', how: 'fin', afterBytes: 100 });
    mayBeCut = (read) => read.length >= 100;
    arrived = [];
    const read = await drain(await post(how, { stream }), arrived);
    expect(Buffer.concat(read.pieces).length).toBe(100);
    expect(read.broke).not.toBeNull();
  });

  test.each(['headers', 'first_token', 'after_events'] as const)('silence: %s', async (where) => {
    strike(how, { kind: 'hang', where, events: 2 });
    const leaving = new AbortController();
    const asked = post(how, { stream: true }, {}, leaving.signal);
    if (where === 'headers') {
      await until(() => simulator.calls().length === 1);
      leaving.abort();
      expect(await failureOf(asked)).toBe('AbortError');
    } else {
      const reader = (await asked).body!.getReader();
      let heard = hear('');
      for (
        let text = '';
        heard.names.length === 0 || [...heard.said].length < (where === 'first_token' ? 0 : 8);
      ) {
        text += new TextDecoder().decode((await reader.read()).value);
        heard = hear(text.slice(0, text.lastIndexOf('\n\n') + 2));
      }
      expect([...heard.said].length).toBe(where === 'first_token' ? 0 : 8);
      leaving.abort();
    }
    await until(() => lastEnding() !== null);
    expect(lastEnding()).toBe('aborted_by_client');
  });
});

/** Waits for something that is on its way. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise(setImmediate);
  }
}

const faultless = async (how: Spoken, body: Json = { stream: true }): Promise<string> =>
  (await drain(await post(how, body))).text;

describe.each(spoken)('streams that go wrong, $id', (how) => {
  const streamed = async (fault: Fault): Promise<string> => {
    strike(how, fault);
    return faultless(how);
  };

  test.each([0, 2])('an error event after %p events of content', async (afterEvents) => {
    const heard = hear(await streamed({ kind: 'error_event', afterEvents }));
    expect(heard).toMatchObject({ error: true, terminal: false, finish: null });
    expect([...heard.said].length).toBe(4 * afterEvents);
    expect(lastEnding()).toBe('fault');
  });

  test('an error and then [DONE]', async () => {
    const text = await streamed({ kind: 'error_event', afterEvents: 1, thenDone: true });
    expect(hear(text).error).toBe(true);
    expect(text).toEndWith('data: [DONE]\n\n');
  });

  test('no terminal event, with and without the finish', async () => {
    const whole = hear(await faultless(how));
    const ended = hear(await streamed({ kind: 'missing_terminal', keepFinish: true }));
    expect(ended).toMatchObject({ said: whole.said, finish: whole.finish, terminal: false });
    simulator.clearFaults();
    const open = hear(await streamed({ kind: 'missing_terminal', keepFinish: false }));
    expect(open).toMatchObject({ said: whole.said, finish: null, terminal: false });
  });

  test('one event that does not parse, and only that one', async () => {
    const broken = (await streamed({ kind: 'malformed_event', atEvent: 2 })).split('\n\n');
    simulator.clearFaults();
    const whole = (await faultless(how)).split('\n\n');
    const differing = broken.filter((block, index) => block !== whole[index]);
    expect(differing).toHaveLength(1);
    expect(differing[0]).toContain('data: {{');
  });

  test('one byte at a time is the same text', async () => {
    const whole = await faultless(how);
    strike(how, { kind: 'one_byte_writes' });
    const seen = await onTheWire(how, { stream: true });
    const body = seen.text.slice(seen.text.indexOf('\r\n\r\n') + 4);
    expect(body).toStartWith(`1\r\n${whole[0]}\r\n1\r\n${whole[1]}\r\n`);
    expect(await faultless(how)).toBe(whole);
  });

  test('cut inside characters is the same text', async () => {
    const whole = await faultless(how);
    strike(how, { kind: 'split_utf8' });
    const { pieces, text } = await drain(await post(how, { stream: true }));
    expect(text).toBe(whole);
    const inside = pieces.filter((piece) => (piece[0]! & 0xc0) === 0x80);
    expect(inside.length).toBeGreaterThan(0);
  });

  test('200 that is not what it says', async () => {
    expect(await streamed({ kind: 'not_json' })).toBe('upstream said hello');
    expect(await faultless(how, {})).toBe('upstream said hello');
  });
});

describe.each(spoken)('answers that go wrong, $id', (how) => {
  const said = async (fault: Fault, body: Json = {}): Promise<string> => {
    simulator.clearFaults();
    strike(how, fault);
    return faultless(how, body);
  };

  test('empty, whole and streamed', async () => {
    const whole = JSON.parse(await said({ kind: 'empty' })) as Json;
    if (how.id === 'a') expect(whole).toMatchObject({ content: [], stop_reason: 'end_turn' });
    else expect(whole).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
    expect(hear(await said({ kind: 'empty' }, { stream: true }))).toMatchObject({ said: '', terminal: true });
  });

  test('a refusal', async () => {
    const finish = how.id === 'a' ? 'refusal' : 'content_filter';
    expect(await said({ kind: 'refusal' })).toContain(`"${finish}"`);
    expect(hear(await said({ kind: 'refusal' }, { stream: true }))).toMatchObject({ finish, terminal: true });
  });

  test('another model than asked', async () => {
    const fault: Fault = { kind: 'wrong_model', model: 'other-1' };
    expect(JSON.parse(await said(fault))).toMatchObject({ model: 'other-1' });
    expect(await said(fault, { stream: true })).toContain('"model":"other-1"');
  });

  test('arguments of a tool call that do not parse', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const tool =
      how.id === 'a'
        ? { name: 'w', input_schema: schema }
        : { type: 'function', function: { name: 'w', parameters: schema } };
    const body = { tools: [tool], messages: [{ role: 'user', content: 'use tool w' }], stream: true };
    const parts = (text: string): string =>
      [...text.matchAll(/"(?:partial_json|arguments)":"((?:[^"\\]|\\.)*)"/g)]
        .map(([, part]) => part)
        .join('');
    expect(JSON.parse(`"${parts(await faultless(how, body))}"`)).toBe('{"city":"Rome"}');
    expect(JSON.parse(`"${parts(await said({ kind: 'bad_tool_call' }, body))}"`)).toBe('{"city":"Rome",');
  });

  test('JSON that is cut, broken or an error inside a 200', async () => {
    const broken = await said({ kind: 'malformed_event', atEvent: 1 });
    expect(() => JSON.parse(broken)).toThrow();
    expect(JSON.parse(await said({ kind: 'error_event', afterEvents: 0 }))).toHaveProperty('error');
    simulator.clearFaults();
    strike(how, { kind: 'cut', how: 'reset', afterBytes: 20 });
    expect((await drain(await post(how, {}))).broke).not.toBeNull();
  });
});

describe('time', () => {
  test('delays of several rules add up, also before an error', async () => {
    strike(openai, { kind: 'delay', beforeHeadersMs: 30 });
    strike(openai, { kind: 'delay', beforeHeadersMs: 30 });
    strike(openai, { kind: 'preset', preset: 'overloaded' });
    const began = performance.now();
    expect((await post(openai, {})).status).toBe(503);
    expect(performance.now() - began).toBeGreaterThanOrEqual(58);
  });

  test('headers come before the first token, and tokens come apart', async () => {
    // Long enough that headers which waited for it would not come within the time of a test.
    strike(openai, { kind: 'delay', beforeFirstTokenMs: 300_000 });
    const leaving = new AbortController();
    expect((await post(openai, { stream: true }, {}, leaving.signal)).status).toBe(200);
    leaving.abort();
    simulator.clearFaults();
    strike(openai, { kind: 'delay', beforeFirstTokenMs: 60, betweenTokensMs: 20 });
    const began = performance.now();
    await drain(await post(openai, { stream: true, max_tokens: 3 }));
    expect(performance.now() - began).toBeGreaterThanOrEqual(98);
  });

  test.each(spoken)('the leaving of a client is noticed at once, $id', async (how) => {
    // Long before it would have said something again.
    strike(how, { kind: 'delay', betweenTokensMs: 300_000 });
    const leaving = new AbortController();
    const answer = await post(how, { stream: true }, {}, leaving.signal);
    await answer.body!.getReader().read();
    leaving.abort();
    await until(() => lastEnding() !== null);
    expect(lastEnding()).toBe('aborted_by_client');
  });
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
    strike(openai, { kind: 'delay', betweenTokensMs: 2 });
    const ask = async (): Promise<boolean> => hear(await faultless(openai)).terminal;
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
