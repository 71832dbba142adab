/** Providers that answer oddly, by a server that sends exactly the bytes of each case. */
import { afterAll, afterEach, beforeEach, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { configuration, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { postTo } from './wire-fixture.ts';

/** What is sent back, whatever is asked, before the connection is closed. */
let reply = '';
/** What then follows without end, instead. */
let drips = '';
const odd = createServer((socket: Socket) => {
  let request = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    request += bytes.toString('utf8');
    const [head = '', body = ''] = request.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (body.length < length) return;
    request = '';
    if (drips === '') return void socket.end(reply);
    socket.write(reply);
    const timer = setInterval(() => socket.write(drips), 20);
    socket.on('close', () => clearInterval(timer));
  });
});
const listening = new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
afterAll(() => void odd.close());

const timeouts = { connect: '5s', firstToken: '20s', stall: '20s', total: '60s' };

let house: House;
beforeEach(async () => {
  await listening;
  const { port } = odd.address() as AddressInfo;
  house = await startHouse((simulator) => {
    const base = configuration(simulator);
    const own = {
      api: 'openai-compatible',
      baseUrl: `http://127.0.0.1:${port}/v1`,
      models: { 'odd-1': { context: 50_000 } },
      terms: { entity: 'us', regions: ['eu'], retention: 'none', training: 'no' },
    };
    return {
      ...base,
      providers: { ...(base['providers'] as Json), odd: own },
      features: {
        single: { route: ['odd/odd-1'], timeouts },
        short: { route: ['odd/odd-1'], timeouts: { ...timeouts, total: '4s' } },
        backed: { route: ['odd/odd-1', 'openai/gpt-5.2'], timeouts },
      },
    };
  });
});
afterEach(() => {
  drips = '';
  return house.stop();
});

const ask = (model: string, stream: boolean): Promise<Response> =>
  postTo(house.url, '/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: 'x' }] });

async function attempts(response: Response): Promise<readonly Json[]> {
  await response.text();
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  return record['attempts'] as Json[];
}

const chunk = (delta: Json, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'odd-1', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const whole = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'odd-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
});
const events = [chunk({ role: 'assistant', content: 'hello' }), chunk({}, 'stop'), 'data: [DONE]\n\n'].join(
  '',
);
const head = (type: string | null, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\n${type === null ? '' : `content-type: ${type}\r\n`}connection: close\r\n\r\n`;
const sse = head('text/event-stream');

/** Every event of a stream, read as official clients do: only what a blank line ends. */
const dataOf = (text: string): readonly string[] =>
  text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => block.replace(/^data: /, ''));

test('a stream that is cut within an event is a cut stream, not one with a malformed event', async () => {
  reply = sse + events.slice(0, events.indexOf('"stop"'));
  const answer = await ask('single', true);
  const [attempt] = await attempts(answer);
  expect(attempt).toMatchObject({ failure: 'stream_truncated', malformed_events: 0 });
});

test.each([
  ['before the end signal', events.slice(0, events.lastIndexOf('\n\ndata: [DONE]'))],
  ['in the end signal', events.trimEnd()],
])('an event that ends with the stream, %s, can be read by the caller', async (_name, sent) => {
  reply = sse + sent;
  const text = await (await ask('single', true)).text();
  const data = dataOf(text);
  expect(data.at(-1)).toBe('[DONE]');
  expect(JSON.parse(data.at(-2)!)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
});

test.each([
  ['Text/Event-Stream; Charset=UTF-8', '200 OK', events, true],
  [null, '200 OK', events, true],
  ['text/plain', '200 OK', events, true],
  ['application/json', '200 OK', `\r\n${events}`, true],
  ['application/octet-stream', '200 OK', `: hello\n\n${events}`, true],
  ['application/json', '201 Created', whole, false],
])('an answer is an answer: %s, %s', async (type, status, sent, stream) => {
  reply = head(type, status) + sent;
  const answer = await ask('single', stream);
  expect(answer.status).toBe(200);
  const text = await answer.clone().text();
  expect(text).toContain('hello');
  expect((await attempts(answer))[0]).toMatchObject({ outcome: 'ok' });
});

test('an answer without content is an empty one', async () => {
  reply = 'HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n';
  expect((await attempts(await ask('single', false)))[0]).toMatchObject({ failure: 'empty_completion' });
});

test('an error that came with a 200 and another label is told by its words', async () => {
  const body = JSON.stringify({ error: { message: 'm', type: 'server_error', code: 'slow_down' } });
  reply = head('text/plain') + body;
  expect((await attempts(await ask('single', true)))[0]).toMatchObject({ failure: 'overloaded' });
});

test.each([
  ['503 Service Unavailable', 'overloaded', 200],
  ['400 Bad Request', 'request_rejected', 400],
])(
  'an error whose body never ends is told by its status: %s',
  async (status, failure, expected) => {
    reply = `HTTP/1.1 ${status}\r\ncontent-type: text/html\r\ncontent-length: 5000\r\n\r\n`;
    drips = ' ';
    const answer = await ask('backed', false);
    expect(answer.status).toBe(expected);
    expect((await attempts(answer))[0]).toMatchObject({ failure });
  },
  30_000,
);

test.each([
  ['application/json', whole],
  ['text/plain', whole],
  ['text/html', '<!doctype html><title>Busy</title>'],
])('a whole answer is none to who asked for a stream: %s', async (type, sent) => {
  reply = head(type) + sent;
  const answer = await ask('backed', true);
  expect(answer.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect((await attempts(answer))[0]).toMatchObject({
    failure: 'malformed_response',
    provider_code: 'content_type',
  });
});

test.each([
  ['of a stream', true, sse + chunk({ role: 'assistant', content: 'hel' }) + chunk({}, 'error')],
  ['of a whole answer', false, head('application/json') + whole.replace('"stop"', '"error"')],
])('a choice %s that ends in an error has failed', async (_name, stream, sent) => {
  reply = sent;
  const answer = await ask('single', stream);
  const text = await answer.clone().text();
  expect(text).toContain('"error":{');
  expect(text).not.toContain('[DONE]');
  expect((await attempts(answer))[0]).toMatchObject({ outcome: 'failed', failure: 'stream_error_event' });
});

test('a model that a feature leads to and its provider does not know is no mistake of the caller', async () => {
  reply = `${head('application/json', '404 Not Found')}${JSON.stringify({ error: { message: 'm', type: 'invalid_request_error', param: null, code: 'model_not_found' } })}`;
  const byFeature = await ask('single', false);
  expect(byFeature.status).toBe(502);
  expect(await byFeature.json()).toMatchObject({
    breakwater: {
      code: 'upstream_failed',
      failures: [{ target: 'odd/odd-1', failure: 'model_not_found' }],
    },
  });
  const byName = await ask('odd/odd-2', false);
  expect(byName.status).toBe(404);
  expect(await byName.json()).toMatchObject({ breakwater: { code: 'unknown_model' } });
});

test('a stream that flows on past the time for the request has not stalled', async () => {
  reply = sse;
  drips = chunk({ content: 'x' });
  const answer = await ask('short', true);
  expect(dataOf(await answer.clone().text()).at(-1)).toContain('"failure":"deadline_exceeded"');
  expect((await attempts(answer))[0]).toMatchObject({ failure: 'deadline_exceeded' });
  const { body } = await house.admin('GET', 'state');
  const [target] = (body['targets'] as Json[]).filter((each) => each['target'] === 'odd/odd-1');
  expect(target?.['traffic']).toMatchObject({ ok: 0, failed: 1 });
});

test('of a model whose window alone is configured the window is known', async () => {
  const { breakwater } = (await (await fetch(`${house.url}/v1/models/single`)).json()) as Json;
  expect(breakwater).toMatchObject({ context_tokens: 50_000, output_tokens: null });
});
