/** A house in which a provider is about to fail, the same question in every format, and what comes of it read alike. */
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

export type Faulty = {
  readonly house: House;
  readonly time: LeapingTime;
  /** Answers of providers whose headers have come. */
  readonly begun: () => number;
};

export async function startFaulty(): Promise<Faulty> {
  const time = new LeapingTime();
  const house = await startHouse(withGoogle, [...simulated, simulatedGoogle], time);
  let begun = 0;
  const { reachability } = house.server.engine.gateway;
  const heardFrom = reachability.heardFrom.bind(reachability);
  Object.assign(reachability, {
    heardFrom: (url: string) => {
      begun++;
      heardFrom(url);
    },
  });
  return { house, time, begun: () => begun };
}

export type Spoken = {
  readonly dialect: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini';
  readonly path: string;
  readonly feature: string;
  readonly alone: string;
  readonly provider: string;
  readonly backup: string;
};

export const spoken: readonly Spoken[] = [
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

export const preferredOf: Readonly<Record<string, string>> = {
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

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly id: string;
};

export function callersOf(faulty: () => Faulty) {
  async function ask(how: Spoken, model: string, stream: boolean, body: Json = {}): Promise<Answer> {
    const response = await fetch(`${faulty().house.url}${pathOf(how, model, stream)}`, {
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
    await until(() => faulty().house.asked(how.provider).length === 1, 'it is asked');
    if (stream && fault.where !== 'headers') await until(() => faulty().begun() === 1, 'its answer begins');
    if (stream && fault.where === 'after_events') await faulty().house.heard(how.provider);
    faulty().time.leap(stream ? tooLongMs.stream : tooLongMs.whole);
  }

  return { ask, outwait };
}

/** What an error says of Breakwater, wherever the format has room for it. */
export function oursIn(text: string): Json {
  const body = JSON.parse(text) as { breakwater?: Json; error?: { details?: readonly Json[] } };
  return body.breakwater ?? body.error?.details?.[0] ?? {};
}

/** The text that a stream carries, and how it ends. */
export function readStream(text: string): {
  said: string;
  ending: 'terminal' | 'error' | 'none';
  errors: number;
} {
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
