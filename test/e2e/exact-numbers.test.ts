/** Numbers that JavaScript would round reach whoever they are for as they were written: ids of 64 bits are such. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';

import { startHouse } from '../harness.ts';
import type { House } from '../harness.ts';

const id = '1234567890123456789';
const other = '-98765432109876543210';

let house: House;
/** What the provider that stands in for both says, and what it was asked. */
let answer = '';
let asked = '';
const provider = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    asked = await request.text();
    const isStream = answer.startsWith('data:');
    return new Response(answer, {
      headers: { 'content-type': isStream ? 'text/event-stream' : 'application/json' },
    });
  },
});

beforeAll(async () => {
  const at = `http://127.0.0.1:${provider.port}`;
  house = await startHouse(() => ({
    providers: {
      anthropic: { api: 'anthropic', keys: ['env:KEY_A'], baseUrl: at },
      openai: { api: 'openai', keys: ['env:KEY_A'], baseUrl: `${at}/v1` },
      google: { api: 'google', keys: ['env:KEY_A'], baseUrl: at },
    },
    features: {
      claude: { route: ['anthropic/claude-opus-4-8'] },
      adapted: {
        route: ['anthropic/claude-opus-4-8'],
        adapt: { 'anthropic/claude-opus-4-8': { system: { append: 'Be brief.' } } },
      },
      gpt: { route: ['openai/gpt-4o'] },
      gemini: { route: ['google/gemini-2.5-flash'] },
    },
  }));
});
afterAll(async () => {
  await house.stop();
  await provider.stop(true);
});
beforeEach(() => {
  asked = '';
});

const claudeSays = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8","content":[{"type":"tool_use","id":"t1","name":"find","input":{"id":${id},"list":[${other}]}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":9}}`;
const args = JSON.stringify(`{"id":${id},"list":[${other}]}`);
const gptSays = `{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"find","arguments":${args}}}]},"finish_reason":"tool_calls"}]}`;
const geminiSays = `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"find","args":{"id":${id},"list":[${other}]}}}]},"finishReason":"STOP","index":0}],"modelVersion":"gemini-2.5-flash","responseId":"r1"}`;

const schema = '{"type":"object","properties":{"id":{"type":"integer"},"list":{"type":"array"}}}';
const history = {
  chat: `[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"t1","type":"function","function":{"name":"find","arguments":${args}}}]},{"role":"tool","tool_call_id":"t1","content":"r"}]`,
  messages: `[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"find","input":{"id":${id},"list":[${other}]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r"}]}]`,
};
const chat = (model: string): string =>
  `{"model":"${model}","messages":${history.chat},"tools":[{"type":"function","function":{"name":"find","parameters":${schema}}}]}`;
const messages = (model: string): string =>
  `{"model":"${model}","max_tokens":50,"messages":${history.messages},"tools":[{"name":"find","input_schema":${schema}}]}`;

async function post(path: string, body: string): Promise<string> {
  const response = await fetch(house.url + path, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01' },
    body,
  });
  const text = await response.text();
  expect([response.status, text]).toEqual([200, expect.any(String)]);
  return text;
}

const says: Readonly<Record<string, string>> = { claude: claudeSays, gpt: gptSays, gemini: geminiSays };

test.each([
  ['chat', 'claude'],
  ['chat', 'gemini'],
  ['messages', 'gpt'],
  ['messages', 'gemini'],
])('%s to %s, in what was called before and in what is called now', async (from, to) => {
  answer = says[to] ?? '';
  const isChat = from === 'chat';
  const text = isChat
    ? await post('/v1/chat/completions', chat(to))
    : await post('/v1/messages', messages(to));
  for (const each of [id, other]) {
    expect(asked).toContain(each);
    expect(text).toContain(each);
  }
});

test('a call that comes in one piece of a stream', async () => {
  answer = `data: ${geminiSays}\r\n\r\n`;
  const text = await post('/v1/chat/completions', `{"stream":true,${chat('gemini').slice(1)}`);
  for (const each of [id, other]) expect(text).toContain(each);
});

test('a request that is changed on its way within its own format', async () => {
  answer = claudeSays;
  await post('/v1/messages', messages('adapted'));
  expect(asked).toContain('Be brief.');
  for (const each of [id, other]) expect(asked).toContain(each);
});
