/** A simulator of three providers, and one way to speak to them all. */
import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

import { startSimulator } from '../src/simulator/simulator.ts';
import type { Simulator } from '../src/simulator/simulator.ts';

export type Json = Record<string, unknown>;

export const startTestSimulator = (
  beforeCut: () => Promise<void> = () => Promise.resolve(),
): Promise<Simulator> =>
  startSimulator({
    seed: 7,
    beforeCut,
    providers: [
      { id: 'a', api: 'anthropic', keys: ['key-a'], models: ['claude-opus-5-5', 'claude-sonnet-4-5'] },
      { id: 'o', api: 'openai', keys: ['key-o'], models: ['gpt-5.2', 'gpt-4o'] },
      { id: 'local', api: 'openai-compatible', models: ['llama3.2:3b'] },
    ],
  });

export const spoken = [
  { id: 'a', path: '/v1/messages', model: 'claude-sonnet-4-5', key: 'key-a' },
  { id: 'o', path: '/chat/completions', model: 'gpt-4o', key: 'key-o' },
  { id: 'local', path: '/chat/completions', model: 'llama3.2:3b', key: 'any' },
] as const;

export type Spoken = (typeof spoken)[number];

export const [anthropic, openai, local] = spoken;

export type Post = (
  how: Spoken,
  body: Json,
  headers?: Record<string, string>,
  signal?: AbortSignal,
) => Promise<Response>;

export function posterTo(simulator: Simulator): Post {
  return (how, body, headers = {}, signal) =>
    fetch(`${simulator.baseUrl(how.id)}${how.path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${how.key}`,
        ...(how.id === 'a' ? { 'anthropic-version': '2023-06-01' } : {}),
        ...headers,
      },
      body: JSON.stringify({
        model: how.model,
        ...(how.id === 'a' ? { max_tokens: 500 } : {}),
        messages: [{ role: 'user', content: 'Hello' }],
        ...body,
      }),
      ...(signal === undefined ? {} : { signal }),
    });
}

/** The status and the words of a refusal. */
export async function refusalOf(answer: Response): Promise<string> {
  const said = (await answer.json()) as { error?: { message?: string } };
  return `${answer.status} ${said.error?.message ?? JSON.stringify(said)}`;
}

/** Reads a body to its end or its breaking, in the pieces that arrive. */
export async function drain(
  answer: Response,
  pieces: Uint8Array[] = [],
): Promise<{ text: string; pieces: Uint8Array[]; broke: string | null }> {
  let broke: string | null = null;
  try {
    for await (const piece of answer.body!) pieces.push(piece);
  } catch (problem) {
    broke = (problem as { code?: string }).code ?? String(problem);
  }
  return { text: new TextDecoder().decode(Buffer.concat(pieces)), pieces, broke };
}

export type Heard = {
  said: string;
  names: string[];
  finish: string | null;
  terminal: boolean;
  error: boolean;
};

/** What a stream says, read the same way for both formats. */
export function hear(text: string): Heard {
  const heard: Heard = { said: '', names: [], finish: null, terminal: false, error: false };
  for (const block of text.split('\n\n')) {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) continue;
    if (data === '[DONE]') heard.terminal = true;
    if (data === '[DONE]') continue;
    const event = JSON.parse(data) as {
      type?: string;
      error?: unknown;
      delta?: { text?: string; stop_reason?: string };
      choices?: { delta?: { content?: string }; finish_reason?: string | null }[];
    };
    heard.names.push(event.type ?? 'chunk');
    heard.said += event.delta?.text ?? event.choices?.[0]?.delta?.content ?? '';
    heard.finish ??= event.delta?.stop_reason ?? event.choices?.[0]?.finish_reason ?? null;
    if (event.type === 'message_stop') heard.terminal = true;
    if (event.error !== undefined) heard.error = true;
  }
  return heard;
}

/** How a call failed that must fail. */
export const failureOf = (asked: Promise<Response>): Promise<string> =>
  asked.then(
    (answer) => `answered with ${answer.status}`,
    (problem: { code?: string | number; name: string }) =>
      typeof problem.code === 'string' ? problem.code : problem.name,
  );

export const chunkedEnd = '0\r\n\r\n';

/** Waits for something that is on its way. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise(setImmediate);
  }
}

export const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' }, note: { type: 'string' } },
  required: ['city', 'days'],
  additionalProperties: false,
};
export const user = (content: unknown): Json => ({ role: 'user', content });
export const functionTool = (name: string): OpenAI.ChatCompletionTool => ({
  type: 'function',
  function: { name, parameters: schema },
});
export const claudeTool = (name: string): Anthropic.Tool => ({
  name,
  input_schema: schema as Anthropic.Tool.InputSchema,
});
