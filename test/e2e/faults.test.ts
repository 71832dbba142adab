/** Each fault of a provider, in both dialects, streamed and whole: rescued unseen before the commit point, honest after it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import type { Fault } from '../../src/simulator/faults.ts';
import {
  LeapingTime,
  simulated,
  simulatedGoogle,
  startHouse,
  tooLongMs,
  until,
  withGoogle,
} from '../harness.ts';
import type { House, Json } from '../harness.ts';

// A gateway of its own for each case: every case meets the fault itself, not what health remembers of the last one.
let house: House;
let time: LeapingTime;
/** Answers of providers whose headers have come. */
let begun: number;
beforeEach(async () => {
  time = new LeapingTime();
  house = await startHouse(withGoogle, [...simulated, simulatedGoogle], time);
  begun = 0;
  const { reachability } = house.server.engine.gateway;
  const heardFrom = reachability.heardFrom.bind(reachability);
  Object.assign(reachability, {
    heardFrom: (url: string) => {
      begun++;
      heardFrom(url);
    },
  });
});
afterEach(() => house.stop());

type Spoken = {
  readonly dialect: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini';
  readonly path: string;
  readonly feature: string;
  readonly alone: string;
  readonly provider: string;
  readonly backup: string;
};
const spoken: readonly Spoken[] = [
  {
    dialect: 'openai-chat',
    path: '/v1/chat/completions',
    feature: 'chat',
    alone: 'solo',
    provider: 'openai',
    backup: 'anthropic/claude-opus-4-8',
  },
  {
    dialect: 'openai-responses',
    path: '/v1/responses',
    feature: 'chat',
    alone: 'solo',
    provider: 'openai',
    backup: 'anthropic/claude-opus-4-8',
  },
  {
    dialect: 'anthropic-messages',
    path: '/v1/messages',
    feature: 'notes',
    alone: 'alone',
    provider: 'anthropic',
    backup: 'openai/gpt-5.2',
  },
  {
    dialect: 'gemini',
    path: '/v1beta/models',
    feature: 'search',
    alone: 'lone',
    provider: 'google',
    backup: 'openai/gpt-5.2',
  },
];

const preferredOf: Readonly<Record<string, string>> = {
  openai: 'openai/gpt-5.2',
  anthropic: 'anthropic/claude-opus-4-8',
  google: 'google/gemini-2.5-flash',
};

/** The same question as each format writes it. */
function bodyOf(how: Spoken, model: string, stream: boolean): Json {
  const messages = [{ role: 'user', content: 'Hello there' }];
  switch (how.dialect) {
    case 'openai-chat':
      return { model, stream, messages };
    case 'openai-responses':
      return { model, stream, input: messages };
    case 'anthropic-messages':
      return { model, stream, messages, max_tokens: 200 };
    case 'gemini':
      return { contents: [{ role: 'user', parts: [{ text: 'Hello there' }] }] };
  }
}

const pathOf = (how: Spoken, model: string, stream: boolean): string =>
  how.dialect === 'gemini'
    ? `${how.path}/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
    : how.path;

type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly id: string;
};

async function ask(how: Spoken, model: string, stream: boolean, body: Json = {}): Promise<Answer> {
  const response = await fetch(`${house.url}${pathOf(how, model, stream)}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      authorization: 'Bearer any',
    },
    body: JSON.stringify({ ...bodyOf(how, model, stream), ...body }),
  });
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    id: response.headers.get('x-breakwater-request-id') ?? '',
  };
}

/** A provider that is silent, and will be, has been so for too long as soon as it is as silent as it shall be. */
async function outwait(how: Spoken, fault: Fault, stream: boolean): Promise<void> {
  if (fault.kind !== 'hang') return;
  await until(() => house.asked(how.provider).length === 1, 'it is asked');
  if (stream && fault.where !== 'headers') await until(() => begun === 1, 'its answer begins');
  if (stream && fault.where === 'after_events') await house.heard(how.provider);
  time.leap(stream ? tooLongMs.stream : tooLongMs.whole);
}

/** What an error says of Breakwater, wherever the format has room for it. */
function oursIn(text: string): Json {
  const body = JSON.parse(text) as { breakwater?: Json; error?: { details?: readonly Json[] } };
  return body.breakwater ?? body.error?.details?.[0] ?? {};
}

/** The text that a stream carries, and how it ends. */
function readStream(text: string): { said: string; ending: 'terminal' | 'error' | 'none'; errors: number } {
  let said = '';
  let ending: 'terminal' | 'error' | 'none' = 'none';
  let errors = 0;
  for (const block of text.split(/\r?\n\r?\n/)) {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) continue;
    if (data === '[DONE]') {
      ending = 'terminal';
      continue;
    }
    const event = JSON.parse(data) as {
      type?: string;
      error?: unknown;
      delta?: { text?: string } | string;
      choices?: { delta?: { content?: string } }[];
      candidates?: { content?: { parts?: { text?: string }[] }; finishReason?: string }[];
    };
    const [candidate] = event.candidates ?? [];
    if (candidate?.finishReason !== undefined) ending = 'terminal';
    said += candidate?.content?.parts?.[0]?.text ?? '';
    if (event.error !== undefined) {
      ending = 'error';
      errors++;
    }
    if (event.type === 'message_stop' || event.type === 'response.completed') ending = 'terminal';
    const { delta } = event;
    said += (typeof delta === 'string' ? delta : delta?.text) ?? event.choices?.[0]?.delta?.content ?? '';
  }
  return { said, ending, errors };
}

/** Faults that end before any content, with the class each must get. */
const early: readonly (readonly [string, Fault, string, string?])[] = [
  ['an overload', { kind: 'preset', preset: 'overloaded' }, 'overloaded'],
  ['an internal error', { kind: 'preset', preset: 'server_error' }, 'server_error'],
  ['an HTML page of the edge', { kind: 'preset', preset: 'edge_page' }, 'server_error'],
  [
    'a rate limit',
    { kind: 'preset', preset: 'rate_limited', headers: { 'retry-after': '30' } },
    'rate_limited',
  ],
  ['an exhausted quota', { kind: 'preset', preset: 'quota_exhausted' }, 'quota_exhausted'],
  ['a rejected key', { kind: 'preset', preset: 'credential_rejected' }, 'credential_rejected'],
  ['an unknown model', { kind: 'preset', preset: 'model_not_found' }, 'model_not_found'],
  ['an unknown status', { kind: 'status', status: 302 }, 'unclassified'],
  ['a reset before headers', { kind: 'cut', how: 'reset' }, 'connection_reset'],
  ['an end before headers', { kind: 'cut', how: 'fin' }, 'connection_reset'],
  ['silence before headers', { kind: 'hang', where: 'headers' }, 'headers_timeout'],
  ['an empty answer', { kind: 'empty' }, 'empty_completion'],
  ['a 200 that is no answer', { kind: 'not_json' }, 'malformed_response', 'stream_truncated'],
  ['an error event after 200', { kind: 'error_event', afterEvents: 0 }, 'overloaded'],
  [
    'an error event of another kind',
    { kind: 'error_event', afterEvents: 0, type: 'api_error' },
    'stream_error_event',
  ],
  ['an error event and then [DONE]', { kind: 'error_event', afterEvents: 0, thenDone: true }, 'overloaded'],
  ['a cut before content', { kind: 'cut', how: 'reset', afterEvents: 0 }, 'stream_truncated'],
  ['a clean end before content', { kind: 'cut', how: 'fin', afterEvents: 0 }, 'stream_truncated'],
  [
    'silence before the first token',
    { kind: 'hang', where: 'first_token' },
    'headers_timeout',
    'first_token_timeout',
  ],
];

describe.each(spoken)('before the commit point, $dialect', (how) => {
  describe.each([false, true])('stream %p', (stream) => {
    test.each(early)('%s is rescued unseen', async (_name, fault, whole, streamed = whole) => {
      house.simulator.setFault({ provider: how.provider, fault });
      const answering = ask(how, how.feature, stream);
      await outwait(how, fault, stream);
      const answer = await answering;
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
      if (stream) expect(readStream(answer.text)).toMatchObject({ ending: 'terminal', errors: 0 });
      const record = await house.record(answer.id);
      const attempts = record['attempts'] as Json[];
      expect(record['outcome']).toBe('answered');
      expect(attempts[0]!['failure']).toBe(stream ? streamed : whole);
      expect(answer.headers.get('x-breakwater-fallback')).toBe(stream ? streamed : whole);
      expect(record['served']).toBe(how.backup);
    });
  });
});

/** Faults after content has gone to the caller. */
const late: readonly (readonly [string, Fault, string])[] = [
  ['a reset', { kind: 'cut', how: 'reset', afterEvents: 3 }, 'stream_truncated'],
  ['an early end', { kind: 'cut', how: 'fin', afterEvents: 3 }, 'stream_truncated'],
  ['a stall', { kind: 'hang', where: 'after_events', events: 3 }, 'stream_stalled'],
  ['an error event', { kind: 'error_event', afterEvents: 3 }, 'overloaded'],
  ['an error event and then [DONE]', { kind: 'error_event', afterEvents: 3, thenDone: true }, 'overloaded'],
  ['a clean end without a finish', { kind: 'missing_terminal', keepFinish: false }, 'stream_truncated'],
];

describe.each(spoken)('after the commit point, $dialect', (how) => {
  test.each(late)('%s ends with the error event, never with a clean end', async (_name, fault, failure) => {
    house.simulator.setFault({ provider: how.provider, fault });
    const answering = ask(how, how.feature, true);
    await outwait(how, fault, true);
    const answer = await answering;
    expect(answer.status).toBe(200);
    const read = readStream(answer.text);
    expect(read.said.length).toBeGreaterThan(0);
    expect(read).toMatchObject({ ending: 'error', errors: 1 });
    if (how.dialect === 'anthropic-messages') expect(answer.text).toContain('event: error\n');
    const record = await house.record(answer.id);
    expect(record).toMatchObject({
      outcome: 'partial',
      served: preferredOf[how.provider],
    });
    expect((record['attempts'] as Json[]).map((attempt) => attempt['failure'])).toEqual([failure]);
  });

  test('a missing end signal after a whole answer is supplied', async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'missing_terminal', keepFinish: true },
    });
    const answer = await ask(how, how.feature, true);
    // Responses end by one signal alone, which holds the whole answer: nothing can stand in for it.
    const isSupplied = how.dialect !== 'openai-responses';
    expect(readStream(answer.text)).toMatchObject({ ending: isSupplied ? 'terminal' : 'error' });
    expect((await house.record(answer.id))['outcome']).toBe(isSupplied ? 'answered' : 'partial');
  });

  test('a malformed event is left out and counted when the rest completes', async () => {
    const plain = readStream((await ask(how, how.feature, true)).text).said;
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'malformed_event', atEvent: 2 } });
    const answer = await ask(how, how.feature, true);
    const read = readStream(answer.text);
    expect(read.ending).toBe('terminal');
    expect([...plain].length - [...read.said].length).toBe(4);
    expect(((await house.record(answer.id))['attempts'] as Json[])[0]).toMatchObject({
      outcome: 'ok',
      malformed_events: 1,
    });
  });

  test.each([
    ['one byte at a time', { kind: 'one_byte_writes' }],
    ['cut inside a character', { kind: 'split_utf8' }],
  ] as [string, Fault][])('%s arrives whole', async (_name, fault) => {
    const other = spoken.find((each) => each.provider !== how.provider && each.dialect !== 'gemini')!;
    const plain = await ask(how, how.feature, true);
    const translated = await ask(other, how.feature, true);
    house.simulator.setFault({ provider: how.provider, fault });
    expect((await ask(how, how.feature, true)).text).toBe(plain.text);
    expect(readStream((await ask(other, how.feature, true)).text)).toEqual(readStream(translated.text));
  });
});

describe.each(spoken)('a whole answer, $dialect', (how) => {
  test.each([
    ['cut in the middle', { kind: 'cut', how: 'fin', afterBytes: 40 }, 'stream_truncated'],
    ['reset in the middle', { kind: 'cut', how: 'reset', afterBytes: 40 }, 'stream_truncated'],
    ['stalled in the middle', { kind: 'hang', where: 'after_events' }, 'first_token_timeout'],
    ['an error inside a 200', { kind: 'error_event', afterEvents: 0 }, 'overloaded'],
    ['JSON that is none', { kind: 'malformed_event', atEvent: 1 }, 'malformed_response'],
  ] as [string, Fault, string][])('%s is rescued: it was not committed', async (_name, fault, failure) => {
    house.simulator.setFault({ provider: how.provider, fault });
    const answering = ask(how, how.feature, false);
    await outwait(how, fault, false);
    const answer = await answering;
    expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(answer.headers.get('x-breakwater-fallback')).toBe(failure);
  });

  test('a broken tool call is asked again once, then moves on', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'bad_tool_call' } });
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const tools =
      how.dialect === 'openai-chat'
        ? [{ type: 'function', function: { name: 'w', parameters: schema } }]
        : how.dialect === 'openai-responses'
          ? [{ type: 'function', name: 'w', parameters: schema }]
          : how.dialect === 'gemini'
            ? [{ functionDeclarations: [{ name: 'w', parametersJsonSchema: schema }] }]
            : [{ name: 'w', input_schema: schema }];
    const question = [{ role: 'user', content: 'use tool w' }];
    const body =
      how.dialect === 'gemini'
        ? { tools, contents: [{ role: 'user', parts: [{ text: 'use tool w' }] }] }
        : { tools, [how.dialect === 'openai-responses' ? 'input' : 'messages']: question };
    if (how.dialect === 'anthropic-messages') return; // its whole answers hold arguments as values, which cannot be broken text
    const answer = await ask(how, how.feature, false, body);
    expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(2);
    const alone = await ask(how, how.alone, false, body);
    expect(alone.status).toBe(200);
    expect(alone.headers.get('x-breakwater-warnings')).toContain('tool_call_invalid');
  });
});

describe.each(spoken)('answers that do not fit their schema, $dialect', (how) => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const withTool = (): Json => {
    const question = [{ role: 'user', content: 'use tool w' }];
    switch (how.dialect) {
      case 'openai-chat':
        return {
          tools: [{ type: 'function', function: { name: 'w', parameters: schema } }],
          messages: question,
        };
      case 'openai-responses':
        return { tools: [{ type: 'function', name: 'w', parameters: schema }], input: question };
      case 'anthropic-messages':
        return { tools: [{ name: 'w', input_schema: schema }], messages: question };
      case 'gemini':
        return {
          tools: [{ functionDeclarations: [{ name: 'w', parametersJsonSchema: schema }] }],
          contents: [{ role: 'user', parts: [{ text: 'use tool w' }] }],
        };
    }
  };
  const strict = { ...schema, additionalProperties: false };
  const structured = (): Json => {
    switch (how.dialect) {
      case 'openai-chat':
        return {
          response_format: { type: 'json_schema', json_schema: { name: 'w', strict: true, schema: strict } },
        };
      case 'openai-responses':
        return { text: { format: { type: 'json_schema', name: 'w', strict: true, schema: strict } } };
      case 'anthropic-messages':
        return { output_config: { format: { type: 'json_schema', schema: strict } } };
      case 'gemini':
        return { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } };
    }
  };

  test.each([
    ['tool_call_invalid', withTool],
    ['structured_output_invalid', structured],
  ] as const)('%s: asked again once, then moves on, else passed on with a warning', async (failure, form) => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'misfit' } });
    const rescued = await ask(how, how.feature, false, form());
    expect(rescued.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(rescued.headers.get('x-breakwater-fallback')).toBe(failure);
    expect(house.asked(how.provider).length).toBe(2);
    const alone = await ask(how, how.alone, false, form());
    expect(alone.status).toBe(200);
    expect(alone.headers.get('x-breakwater-warnings')).toContain(failure);
    expect(house.asked(how.provider).length).toBe(4);
  });

  test('in a stream it is passed on and counted', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'misfit' } });
    const answer = await ask(how, how.feature, true, withTool());
    expect(answer.text).toMatch(/su.*rpri/s);
    expect(answer.headers.get('x-breakwater-target')).not.toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(1);
    const counted = async (): Promise<string> => (await fetch(`${house.url}/metrics`)).text();
    expect(await counted()).toMatch(/breakwater_soft_failures_total\{.*signal="tool_call_invalid".*\} 1/);
  });
});

describe.each(spoken)('retry rules, $dialect', (how) => {
  const attemptsOf = async (answer: Answer): Promise<string[]> =>
    ((await house.record(answer.id))['attempts'] as Json[]).map(
      (attempt) =>
        `${attempt['target']} ${attempt['failure'] ?? 'ok'}${attempt['why_next'] === null ? '' : ` → ${attempt['why_next']}`}`,
    );

  test('one quick retry of the same target after a 500', async () => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'server_error' },
    });
    const answer = await ask(how, how.feature, false);
    expect(answer.headers.get('x-breakwater-fallback')).toBeNull();
    expect((await attemptsOf(answer))[0]).toEndWith('server_error → same_target_retry');
  });

  test.each([
    ['Retry-After in seconds', { 'retry-after': '0' }],
    ['retry-after-ms', { 'retry-after-ms': '60' }],
    ['a date', { 'retry-after': new Date(Date.now() + 500).toUTCString() }],
  ])('%s, when short, is waited for', async (_name, headers) => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'overloaded', headers: headers as Record<string, string> },
    });
    const answer = await ask(how, how.feature, false);
    expect(answer.headers.get('x-breakwater-target')).not.toBe(how.backup);
    expect((await attemptsOf(answer))[0]).toEndWith('overloaded → same_target_waited');
  });

  test('a long Retry-After moves on at once', async () => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'overloaded', headers: { 'retry-after': '60' } },
    });
    expect((await ask(how, how.feature, false)).headers.get('x-breakwater-target')).toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(1);
  });

  test("the caller's own error is passed on and tried nowhere else", async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'preset', preset: 'request_rejected' },
    });
    const answer = await ask(how, how.feature, true);
    expect(answer.status).toBe(400);
    expect(oursIn(answer.text)).toMatchObject({ code: 'request_rejected', request_id: answer.id });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(house.asked().length).toBe(1);
  });

  test('a refusal is an answer', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'refusal' } });
    for (const stream of [false, true]) {
      const answer = await ask(how, how.feature, stream);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-breakwater-fallback')).toBeNull();
      expect(await house.record(answer.id)).toMatchObject({ outcome: 'answered', finish: 'refusal' });
    }
  });

  test('an overflow of context goes only to a larger window', async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'preset', preset: 'context_exceeded' },
    });
    const answer = await ask(how, how.feature, false);
    // Opus has the larger window: from GPT it may move there, from Opus it may not move to GPT.
    if (how.provider === 'openai') expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    else if (how.dialect === 'gemini') expect(answer.text).toContain('context_exceeded'); // the details of an error hold ours
    else expect(JSON.parse(answer.text)).toMatchObject({ breakwater: { code: 'context_exceeded' } });
  });

  test('with nothing left, the error names every failure in words and codes', async () => {
    const silence: Fault = { kind: 'hang', where: 'headers' };
    house.simulator.setFault({ fault: silence });
    const answering = ask(how, how.feature, true);
    await outwait(how, silence, true);
    await until(() => house.asked().length === 2, 'the backup is asked');
    time.leap(tooLongMs.stream);
    const answer = await answering;
    expect(answer.status).toBe(504);
    expect(oursIn(answer.text)).toMatchObject({
      code: 'upstream_failed',
      failures: [{ failure: 'headers_timeout' }, { failure: 'headers_timeout' }],
    });
    expect(answer.text).toContain('did not begin to answer in time');
  });
});

test('a provider that cannot be reached at all fails over', async () => {
  const lonely = await startHouse({}, [
    { id: 'anthropic', api: 'anthropic', models: ['claude-opus-4-8'] },
    { id: 'openai', api: 'openai', models: ['gpt-5.2'] },
    { id: 'aws', api: 'anthropic', models: [] },
    { id: 'local', api: 'openai-compatible', models: [] },
  ]);
  const { port } = new URL(lonely.simulator.baseUrl('anthropic'));
  lonely.configure({
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:KEY_A'],
        baseUrl: `http://127.0.0.1:${Number(port) > 1 ? 1 : 2}`,
      },
      openai: { api: 'openai', keys: ['env:KEY_O'], baseUrl: lonely.simulator.baseUrl('openai') },
    },
    features: { notes: { route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] } },
  });
  await lonely.server.reload();
  const answer = await lonely.anthropic.messages
    .create({ model: 'notes', max_tokens: 20, messages: [{ role: 'user', content: 'x' }] })
    .withResponse();
  expect(answer.response.headers.get('x-breakwater-fallback')).toBe('connect_failed');
  const record = await lonely.record(answer.response.headers.get('x-breakwater-request-id') ?? '');
  expect((record['attempts'] as Json[])[0]).toMatchObject({
    failure: 'connect_failed',
    payload_sent: 'none',
  });
  await lonely.stop();
});
