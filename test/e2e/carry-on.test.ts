/** An answer that breaks off in the middle, finished by another target: in every dialect, once, text only, within policy. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { patience, simulated, simulatedGoogle, startHouse, until, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
const continuing = (route: readonly string[], changes: Json = {}): Json => ({
  route,
  timeouts: patience,
  midStream: 'continue',
  ...changes,
});

beforeEach(async () => {
  house = await startHouse(
    (simulator) => ({
      ...withGoogle(simulator),
      features: {
        gpt: continuing(['openai/gpt-5.2', 'anthropic/claude-opus-4-8']),
        claude: continuing(['anthropic/claude-opus-4-8', 'openai/gpt-5.2']),
        twins: continuing(['anthropic/claude-opus-4-8', 'aws/claude-opus-4-8']),
        older: continuing(['openai/gpt-5.2', 'anthropic/claude-sonnet-4-5']),
        google: continuing(['google/gemini-2.5-flash', 'openai/gpt-5.2']),
        strict: continuing(['openai/gpt-5.2', 'anthropic/claude-opus-4-8'], { fallback: 'never' }),
        asking: continuing(['openai/gpt-5.2', 'anthropic/claude-opus-4-8'], { fallback: 'ask' }),
        plain: { route: ['openai/gpt-5.2', 'anthropic/claude-opus-4-8'], timeouts: patience },
      },
    }),
    [...simulated, simulatedGoogle],
  );
});
afterEach(() => house.stop());

const cut = (provider: string): void => {
  house.simulator.setFault({ provider, times: 1, fault: { kind: 'cut', how: 'fin', afterEvents: 3 } });
};

type Told = { readonly id: string; readonly text: string; readonly raw: string };

async function stream(path: string, body: Json): Promise<Told> {
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const raw = await response.text();
  return { id: response.headers.get('x-breakwater-request-id') ?? '', text: textIn(raw), raw };
}

/** The text of a stream, whichever dialect. */
function textIn(raw: string): string {
  return raw
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Json)
    .map((event) => {
      const [choice] = (event['choices'] as readonly { delta?: { content?: string } }[] | undefined) ?? [];
      const [candidate] =
        (event['candidates'] as
          | readonly { content?: { parts?: readonly { text?: string }[] } }[]
          | undefined) ?? [];
      const delta = event['delta'];
      return (
        choice?.delta?.content ??
        candidate?.content?.parts?.map(({ text }) => text ?? '').join('') ??
        (typeof delta === 'string' && event['type'] === 'response.output_text.delta' ? delta : null) ??
        (delta as { text?: string } | undefined)?.text ??
        ''
      );
    })
    .join('');
}

const chat = (model: string, changes: Json = {}): readonly [string, Json] => [
  '/v1/chat/completions',
  { model, stream: true, messages: [{ role: 'user', content: 'Hello there' }], ...changes },
];
const asked: readonly (readonly [string, string, string, readonly [string, Json]])[] = [
  ['openai-chat', 'openai', 'anthropic/claude-opus-4-8', chat('gpt')],
  [
    'openai-responses',
    'openai',
    'anthropic/claude-opus-4-8',
    ['/v1/responses', { model: 'gpt', stream: true, input: 'Hello there' }],
  ],
  [
    'anthropic-messages',
    'anthropic',
    'openai/gpt-5.2',
    [
      '/v1/messages',
      {
        model: 'claude',
        stream: true,
        max_tokens: 400,
        messages: [{ role: 'user', content: 'Hello there' }],
      },
    ],
  ],
  [
    'gemini',
    'google',
    'openai/gpt-5.2',
    [
      '/v1beta/models/google:streamGenerateContent?alt=sse',
      { contents: [{ role: 'user', parts: [{ text: 'Hello there' }] }] },
    ],
  ],
];

test.each(asked)(
  '%s: another target goes on, and the answer ends well',
  async (dialect, provider, to, question) => {
    cut(provider);
    const { id, text, raw } = await stream(...question);
    expect(raw).toContain('"kind":"continued"');
    const record = await house.record(id);
    expect(record).toMatchObject({
      outcome: 'answered',
      served: to,
      told: 'notice',
      error_code: null,
      seam: { to },
      dialect,
    });
    const [first, second] = record['attempts'] as readonly Json[];
    expect(first).toMatchObject({ outcome: 'failed', why_next: 'carry_on', payload_sent: 'full' });
    expect(second).toMatchObject({ outcome: 'ok', target: to });
    const said = text.slice(0, (record['seam'] as Json)['at_characters'] as number);
    expect(said.length).toBeGreaterThan(0);
    // The second target was given what the first had said, and what it said stands behind it.
    const [call] = house.simulator.calls(to.slice(0, to.indexOf('/')));
    expect(JSON.stringify(call?.body)).toContain(JSON.stringify(said).slice(1, -1));
    expect(text.length).toBeGreaterThan(said.length);
    expect(raw).not.toMatch(/"upstream_failed"/);
  },
);

test('official clients see one whole answer', async () => {
  cut('openai');
  const completion = house.openai.chat.completions.stream({
    model: 'gpt',
    messages: [{ role: 'user', content: 'Hello there' }],
  });
  expect((await completion.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
  cut('openai');
  const response = house.openai.responses.stream({ model: 'gpt', input: 'Hello there' });
  expect((await response.finalResponse()).status).toBe('completed');
  cut('anthropic');
  const translated = house.openai.responses.stream({ model: 'claude', input: 'Hello there' });
  expect((await translated.finalResponse()).status).toBe('completed');
  cut('anthropic');
  const message = house.anthropic.messages.stream({
    model: 'claude',
    max_tokens: 400,
    messages: [{ role: 'user', content: 'Hello there' }],
  });
  expect((await message.finalMessage()).stop_reason).toBe('end_turn');
});

test('a model that refuses the beginning of its own answer is asked to go on instead; an older one gets it', async () => {
  cut('openai');
  await stream(...chat('gpt'));
  const messages = (provider: string): readonly Json[] =>
    (house.simulator.calls(provider).at(-1)?.body['messages'] ?? []) as readonly Json[];
  expect(messages('anthropic').map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  cut('openai');
  const { raw } = await stream(...chat('older'));
  expect(messages('anthropic').map(({ role }) => role)).toEqual(['user', 'assistant']);
  expect(raw).toContain('[DONE]');
});

test('within one dialect, too', async () => {
  cut('anthropic');
  const { id, raw } = await stream('/v1/messages', {
    model: 'twins',
    stream: true,
    max_tokens: 400,
    messages: [{ role: 'user', content: 'Hello there' }],
  });
  expect(await house.record(id)).toMatchObject({ outcome: 'answered', served: 'aws/claude-opus-4-8' });
  expect(raw.match(/event: message_start/g)).toHaveLength(1);
  expect(raw.match(/event: content_block_start/g)).toHaveLength(1);
  expect(raw.match(/event: message_stop/g)).toHaveLength(1);
});

test.each([
  ['the feature does not want it', chat('plain')],
  ['the policy says never', chat('strict')],
  ['the policy would have to ask', chat('asking')],
  [
    'there are tools',
    chat('gpt', {
      tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
    }),
  ],
  [
    'the answer has a structure',
    chat('gpt', {
      messages: [{ role: 'user', content: 'Say it in json' }],
      response_format: { type: 'json_object' },
    }),
  ],
  ['there are several answers', chat('gpt', { n: 2 })],
])('the honest error where %s', async (_name, question) => {
  cut('openai');
  const { id, raw } = await stream(...question);
  expect(raw).toContain('"upstream_failed"');
  expect(raw).not.toContain('[DONE]');
  expect(await house.record(id)).toMatchObject({ outcome: 'partial', seam: null, served: 'openai/gpt-5.2' });
  expect(house.asked('anthropic')).toHaveLength(0);
});

test('what a person switched off in the meantime is not asked to go on', async () => {
  await house.admin('POST', 'switches', {
    scope: { provider: 'anthropic' },
    effect: 'off',
    reason: 'test',
    failure_class: 'availability',
  });
  cut('openai');
  const { raw } = await stream(...chat('gpt'));
  expect(raw).toContain('"upstream_failed"');
  expect(house.asked('anthropic')).toHaveLength(0);
});

test('once: when the second breaks off as well, the stream ends with the honest error', async () => {
  cut('openai');
  cut('anthropic');
  const { id, raw } = await stream(...chat('gpt'));
  expect(raw).toContain('"kind":"continued"');
  expect(raw).toContain('"upstream_failed"');
  expect(raw).not.toContain('[DONE]');
  const record = await house.record(id);
  expect(record).toMatchObject({ outcome: 'partial', served: 'anthropic/claude-opus-4-8' });
  expect(record['attempts'] as readonly Json[]).toHaveLength(2);
});

test('a second that never answers leaves the first failure standing, and nothing open', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  cut('openai');
  const { id, raw } = await stream(...chat('gpt'));
  expect(raw).toContain('"upstream_failed"');
  expect(await house.record(id)).toMatchObject({ outcome: 'partial', served: 'openai/gpt-5.2', seam: null });
  await until(() => house.server.engine.flights.size === 0, 'no call is open');
});

test('a caller who leaves while another target is asked stops that too', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'headers' } });
  cut('openai');
  const leaving = new AbortController();
  const [path, body] = chat('gpt');
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: leaving.signal,
  });
  const reading = response.text().catch(() => 'left');
  await until(() => house.simulator.calls('anthropic').length === 1, 'the second target is asked');
  leaving.abort();
  expect(await reading).toBe('left');
  await until(() => house.server.engine.flights.size === 0, 'no call is open');
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  expect(record).toMatchObject({
    outcome: 'cancelled',
    attempts: [{ outcome: 'failed' }, { outcome: 'cancelled', failure: 'cancelled_by_caller' }],
  });
  const found = await house.admin('GET', 'requests?failure=cancelled_by_caller');
  expect(found.body).toMatchObject({ items: [{ id: record['id'] }] });
});
