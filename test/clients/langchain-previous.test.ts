/**
 * LangChain's last major version. It stands apart from the newest because both want the one name of their core package;
 * `npm run test:clients` installs it, without it these tests skip.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { startHouse } from '../harness.ts';
import type { House } from '../harness.ts';

type Said = {
  readonly content: unknown;
  readonly tool_calls?: readonly { name: string; args: unknown; id?: string }[];
};
type Model = {
  invoke(input: unknown): Promise<Said>;
  stream(input: unknown): Promise<AsyncIterable<Said>>;
  bindTools(tools: readonly unknown[]): Model;
};
type ModelClass = new (options: Record<string, unknown>) => Model;

const modules = join(import.meta.dir, 'node_modules/@langchain');
const isInstalled = existsSync(join(modules, 'core'));
const load = async (path: string): Promise<Record<string, unknown>> =>
  (await import(join(modules, path))) as Record<string, unknown>;

const apiKey = 'any';
let house: House;
let openai: ModelClass;
let anthropic: ModelClass;
let toolMessage: new (fields: Record<string, unknown>) => unknown;

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe.skipIf(!isInstalled)('LangChain, the last major before', () => {
  beforeAll(async () => {
    house = await startHouse();
    openai = (await load('openai/dist/index.js'))['ChatOpenAI'] as ModelClass;
    anthropic = (await load('anthropic/dist/index.js'))['ChatAnthropic'] as ModelClass;
    toolMessage = (await load('core/dist/messages/index.js'))['ToolMessage'] as typeof toolMessage;
  });
  afterAll(() => house.stop());

  const modelOf = (name: string, feature: string): Model =>
    name.startsWith('openai')
      ? new openai({ model: feature, apiKey, configuration: { baseURL: `${house.url}/v1` } })
      : new anthropic({ model: feature, apiKey, anthropicApiUrl: house.url });

  describe.each([
    ['openai on openai', 'chat'],
    ['openai on anthropic', 'notes'],
    // This version always sends sampling parameters, which the newest models refuse.
    ['anthropic on anthropic', 'claude-sonnet-4-5'],
    ['anthropic on openai', 'chat'],
  ])('%s', (name, feature) => {
    test('text and stream', async () => {
      expect((await modelOf(name, feature).invoke('say exactly: ahoy')).content).toBe('ahoy');
      let text = '';
      for await (const chunk of await modelOf(name, feature).stream('say exactly: ahoy there'))
        text += typeof chunk.content === 'string' ? chunk.content : '';
      expect(text).toBe('ahoy there');
    });

    test('a loop of tools', async () => {
      const bound = modelOf(name, feature).bindTools([weather]);
      const question = { role: 'user', content: 'use tool weather with {"city":"Oslo"}' };
      const first = await bound.invoke([question]);
      const [call] = first.tool_calls ?? [];
      expect(call).toMatchObject({ name: 'weather', args: { city: 'Oslo' } });
      const result = new toolMessage({ content: 'calm in Oslo', tool_call_id: call?.id ?? '' });
      expect(JSON.stringify((await bound.invoke([question, first, result])).content)).toContain(
        'calm in Oslo',
      );
    });
  });
});
