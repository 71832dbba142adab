/** The example of asking the user really runs: in TypeScript, in Python, and as a page in a browser. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import OpenAI from 'openai';

import { ask, describe } from '../../examples/consent/ask.ts';
import { servePage } from '../../examples/consent/page.ts';
import { startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
  await house.admin('POST', 'switches', {
    scope: { provider: 'anthropic' },
    effect: 'off',
    reason: 'test',
    failure_class: 'availability',
  });
});
afterEach(() => house.stop());

const asked = { feature: 'contract', question: 'Is clause 4 usual?', user: 'u-1' };

test('TypeScript, with the official client as it comes', async () => {
  const client = new OpenAI({ apiKey: 'any', baseURL: `${house.url}/v1` });
  const seen: string[] = [];
  const answer = await ask(client, asked, (sentence, offers) => {
    seen.push(sentence, ...offers.map(describe));
    return Promise.resolve(offers[0] ?? null);
  });
  expect(seen).toEqual([
    'claude-opus-4-8 is not available right now. Contract review can use gpt-5.2 instead, if you agree.',
    'openai/gpt-5.2 (OpenAI, region us, kept: 30d)',
  ]);
  expect(answer).not.toBe('');
  expect(await ask(client, asked, () => Promise.resolve(null))).toBeNull();
  expect(house.asked()).toHaveLength(1);
});

async function run(command: readonly string[], input: string): Promise<string> {
  const child = Bun.spawn([...command, house.url, 'contract', 'Is clause 4 usual?'], {
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  return await new Response(child.stdout).text();
}

test('TypeScript, in a terminal', async () => {
  const out = await run([process.execPath, 'examples/consent/ask.ts'], '1\n');
  expect(out).toContain('if you agree');
  expect(house.asked('openai')).toHaveLength(1);
  expect(await run([process.execPath, 'examples/consent/ask.ts'], '\n')).toContain('you did not agree');
});

test.skipIf(Bun.which('python3') === null)('Python, in a terminal', async () => {
  const out = await run(['python3', 'examples/consent/ask.py'], '1\n');
  expect(out).toContain('1: openai/gpt-5.2 (OpenAI, region us, kept: 30d)');
  expect(house.asked('openai')).toHaveLength(1);
  expect(await run(['python3', 'examples/consent/ask.py'], '\n')).toContain('you did not agree');
});

test('the page: a question, the offers, and the answer of the agreed model', async () => {
  const server = servePage(house.url, 'contract');
  const post = async (token: string | null): Promise<Json> => {
    const body = JSON.stringify({ question: 'Is clause 4 usual?', token });
    return (await (await fetch(new URL('/ask', server.url), { method: 'POST', body })).json()) as Json;
  };
  try {
    expect(await (await fetch(server.url)).text()).toContain('Contract review');
    const { sentence, offers } = await post(null);
    expect(sentence).toContain('if you agree');
    const [offer] = offers as readonly { token: string }[];
    const { answer } = await post(offer?.token ?? '');
    expect(answer).not.toBe('');
    expect(String((await post(offer?.token ?? ''))['sentence'])).toContain('used up');
  } finally {
    await server.stop(true);
  }
});
