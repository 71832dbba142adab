/** What tests of the codecs share: fixtures, and running a stream through a reader and a writer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerEvent } from '../src/dialects/conversation.ts';
import type {
  DialectCodec,
  Encoded,
  EventMeaning,
  JsonObject,
  ModelTraits,
  StreamReader,
} from '../src/dialects/dialect.ts';
import type { AnswerContext } from '../src/dialects/judgement.ts';
import { codecFor } from '../src/dialects/registry.ts';
import { createSseParser } from '../src/dialects/sse.ts';

export const chat = codecFor('openai-chat');
export const messages = codecFor('anthropic-messages');
export const plainContext: AnswerContext = { structuredOutput: false, toolNames: new Set() };

export const openaiTraits: ModelTraits = {
  upstream: 'gpt-4o',
  vendor: 'openai',
  family: 'gpt-4o',
  outputTokens: 16_000,
  compatible: false,
  thinking: true,
};
export const claudeTraits: ModelTraits = {
  upstream: 'claude-opus-4-5',
  vendor: 'anthropic',
  family: 'claude-opus',
  outputTokens: 64_000,
  compatible: false,
  thinking: true,
};

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dir, '../src/dialects/fixtures', name)));
}

export function fixtureText(name: string): string {
  return new TextDecoder().decode(fixture(name));
}

export type Played = {
  readonly meanings: readonly EventMeaning['kind'][];
  readonly events: readonly AnswerEvent[];
  readonly reader: StreamReader;
};

/** Everything a reader makes of a stream, cut into the given chunks. */
export function play(
  codec: DialectCodec,
  chunks: readonly Uint8Array[],
  options: { readonly context?: AnswerContext; readonly translate?: boolean } = {},
): Played {
  const parser = createSseParser({ eventBytesMax: 1_000_000 });
  const reader = codec.streamReader({
    translate: options.translate ?? true,
    request: options.context ?? plainContext,
  });
  const meanings: EventMeaning['kind'][] = [];
  const events: AnswerEvent[] = [];
  const last = chunks.flatMap((chunk) => [...parser.push(chunk)]);
  const end = parser.end();
  for (const block of end === null ? last : [...last, end]) {
    if (block.data === null) continue;
    const reading = reader.read(block.event, block.data);
    meanings.push(reading.meaning.kind);
    events.push(...reading.events);
  }
  events.push(...reader.closing());
  return { meanings, events, reader };
}

export function playText(codec: DialectCodec, text: string, context?: AnswerContext): Played {
  return play(codec, [new TextEncoder().encode(text)], context === undefined ? {} : { context });
}

/** A stream of this dialect from its data, each with its event name where the dialect has them. */
export function streamOf(codec: DialectCodec, data: readonly unknown[]): string {
  return data
    .map((each) => {
      const json = typeof each === 'string' ? each : JSON.stringify(each);
      const type = (each as { type?: unknown }).type;
      return codec.name === 'anthropic-messages'
        ? `event: ${String(type)}\ndata: ${json}\n\n`
        : `data: ${json}\n\n`;
    })
    .join('');
}

/** Deltas of one kind joined, so that streams compare by what they say and not by how they were cut. */
export function joinedEvents(events: readonly AnswerEvent[]): readonly AnswerEvent[] {
  const joined: AnswerEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.kind === 'tool_delta' && last?.kind === 'tool_delta')
      joined[joined.length - 1] = { kind: 'tool_delta', json: last.json + event.json };
    else if ('text' in event && last !== undefined && 'text' in last && last.kind === event.kind)
      joined[joined.length - 1] = { ...event, text: last.text + event.text };
    else joined.push(event);
  }
  return joined;
}

/** The stream as the other dialect's caller gets it. */
export function translated(
  from: DialectCodec,
  to: DialectCodec,
  text: string,
  context?: AnswerContext,
): string {
  const writer = to.streamWriter({ includeUsage: true, createdSeconds: 1_790_000_000 });
  return playText(from, text, context)
    .events.map((event) => writer.write(event))
    .join('');
}

/** A request of one dialect as the other's model gets it. */
export function encodedFor(
  from: DialectCodec,
  to: DialectCodec,
  traits: ModelTraits,
  body: JsonObject,
): Encoded {
  const conversation = from.decodeRequest(body);
  if ('kind' in conversation) throw new Error(conversation.message);
  return to.encodeRequest(conversation, traits);
}

export function bodyOf(encoded: Encoded): JsonObject {
  if (encoded.kind === 'lacks') throw new Error(`lacks ${encoded.capability}`);
  return encoded.body;
}
