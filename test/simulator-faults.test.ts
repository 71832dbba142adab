/** The faults of the simulated providers, as they look on the wire. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';

import type { Fault, Preset } from '../src/simulator/faults.ts';
import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  chunkedEnd,
  drain,
  failureOf,
  hear,
  openai,
  posterTo,
  refusalOf,
  spoken,
  startTestSimulator,
  until,
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

const strike = (how: Spoken, fault: Fault): string => simulator.setFault({ provider: how.id, fault });
const lastEnding = (): unknown => simulator.calls().at(-1)?.ending;

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
