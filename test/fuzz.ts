/**
 * Throws broken input at everything that reads bytes of strangers: requests, answers, streams and errors of every
 * dialect. Each must end in a value or a documented problem, never in a throw. Inputs are valid ones with parts
 * changed, so that they get past the first check; the same seed gives the same inputs.
 *
 *   bun test/fuzz.ts [--inputs 1000000] [--seed 1]
 */
import { parseArgs } from 'node:util';

import { dialects } from '../src/core/target.ts';
import type { DialectCodec, JsonObject, ModelTraits } from '../src/dialects/dialect.ts';
import { readJsonObject } from '../src/dialects/json-text.ts';
import { codecFor } from '../src/dialects/registry.ts';
import { createSseParser } from '../src/dialects/sse.ts';
import { probeBodies } from '../src/dialects/translation-table.ts';
import { converseRequest, messageOf } from '../src/providers/converse.ts';
import { seededRandom } from '../src/simulator/random.ts';

const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  '\u0000\uD800',
  [],
  [null],
  {},
  { type: 'text' },
  'data:image/png;base64,',
  'data:;base64',
  '{"a":',
];

const traits: ModelTraits = {
  upstream: 'gpt-5.2',
  vendor: 'openai',
  family: 'gpt-5',
  outputTokens: 1_000,
  compatible: false,
  thinking: true,
};
const judged = { structuredOutput: true, toolNames: new Set(['look']) };

type Random = () => number;
const pick = <T>(list: readonly T[], random: Random): T | undefined =>
  list[Math.floor(random() * list.length)];

/** The value with some of its parts replaced, taken out, doubled or renamed. */
function mutated(value: unknown, random: Random, share: number): unknown {
  if (random() < share) return pick(oddValues, random);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, random, share));
    return random() < share ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => random() >= share / 2)
      .map(([key, inner]) => [random() < share / 4 ? `${key}_` : key, mutated(inner, random, share)]),
  );
}

/** Text with bytes cut, doubled or changed. */
function torn(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const until = at + Math.floor(random() * 20);
  switch (Math.floor(random() * 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(until);
    case 2:
      return text.slice(0, until) + text.slice(at);
    default:
      return `${text.slice(0, at)}${String.fromCharCode(Math.floor(random() * 300))}${text.slice(at + 1)}`;
  }
}

function readRequest(codec: DialectCodec, body: JsonObject): void {
  codec.scrub(JSON.stringify(body), () => body);
  converseRequest(body);
  codec.readFacts(body);
  const conversation = codec.decodeRequest(body);
  if ('kind' in conversation) return;
  for (const other of dialects) codecFor(other).encodeRequest(conversation, traits);
}

function readAnswer(codec: DialectCodec, body: unknown): void {
  messageOf(body, 'm');
  codec.readError(body);
  if (codec.readAnswer(body, judged) === null) return;
  const answer = codec.decodeAnswer(body as JsonObject, judged);
  for (const other of dialects) codecFor(other).encodeAnswer(answer, { createdSeconds: 1 });
}

function readStream(codec: DialectCodec, text: string): void {
  const parser = createSseParser({ eventBytesMax: 100_000 });
  const reader = codec.streamReader({ translate: true, request: judged });
  const writers = dialects.map((other) =>
    codecFor(other).streamWriter({ createdSeconds: 1, includeUsage: true }),
  );
  const events = [...parser.push(new TextEncoder().encode(text))];
  const last = parser.end();
  if (last !== null) events.push(last);
  for (const { event, data } of events) {
    if (data === null) continue;
    for (const each of reader.read(event, data).events) for (const writer of writers) writer.write(each);
  }
  reader.end();
  reader.facts();
  for (const each of reader.closing()) for (const writer of writers) writer.write(each);
}

/** Valid answers and streams of a dialect, made by its own writers. */
function answersOf(codec: DialectCodec): { readonly whole: JsonObject; readonly stream: string } {
  const usage = { inputTokens: 5, outputTokens: 7, cachedTokens: 1, cacheWriteTokens: 0, reasoningTokens: 2 };
  const whole = codec.encodeAnswer(
    {
      id: 'a1',
      model: 'm',
      parts: [
        { kind: 'thinking', text: 'Hm', opaque: null },
        { kind: 'text', text: '{"a":1}' },
        { kind: 'tool_call', id: 'call_1', name: 'look', arguments: '{"city":"Oslo"}' },
      ],
      finish: 'tool_calls',
      stopSequence: null,
      usage,
    },
    { createdSeconds: 1 },
  );
  const writer = codec.streamWriter({ createdSeconds: 1, includeUsage: true });
  const stream = [
    writer.write({ kind: 'start', id: 'a1', model: 'm', usage: null }),
    writer.write({ kind: 'thinking_start' }),
    writer.write({ kind: 'thinking_delta', text: 'Hm' }),
    writer.write({ kind: 'part_end', opaque: null }),
    writer.write({ kind: 'text_start' }),
    writer.write({ kind: 'text_delta', text: 'Größe 🌊' }),
    writer.write({ kind: 'part_end', opaque: null }),
    writer.write({ kind: 'tool_start', id: 'call_1', name: 'look' }),
    writer.write({ kind: 'tool_delta', json: '{"city":"Oslo"}' }),
    writer.write({ kind: 'part_end', opaque: null }),
    writer.write({ kind: 'finish', reason: 'tool_calls', stopSequence: null, usage }),
  ].join('');
  return { whole, stream };
}

/** A stream whose events' contents are changed, not only their bytes. */
function mutatedStream(stream: string, random: Random): string {
  const blocks = stream.split(/(?<=\n\n)/).map((block) => {
    const [, before = '', data = '', after = ''] =
      /^([\s\S]*?data: )(\{.*\})(\r?\n[\s\S]*)$/.exec(block) ?? [];
    return data === ''
      ? block
      : `${before}${JSON.stringify(mutated(JSON.parse(data), random, 0.03))}${after}`;
  });
  const at = Math.floor(random() * blocks.length);
  if (random() < 0.3) blocks.splice(at, 1);
  if (random() < 0.3) blocks.splice(at, 0, blocks[Math.floor(random() * blocks.length)] ?? '');
  return blocks.join('');
}

export type FuzzOutcome = { readonly inputs: number; readonly thrown: readonly string[] };

export function fuzz(inputs: number, seed: number): FuzzOutcome {
  const random = seededRandom(seed);
  const thrown: string[] = [];
  const prepared = dialects.map((dialect) => {
    const codec = codecFor(dialect);
    return { codec, bodies: probeBodies(dialect), ...answersOf(codec) };
  });
  for (let input = 0; input < inputs && thrown.length < 10; input++) {
    const { codec, bodies, whole, stream } = prepared[input % prepared.length]!;
    const what = Math.floor(random() * 4);
    let given: unknown = null;
    try {
      if (what === 0) {
        given = mutated(pick(bodies, random), random, 0.05);
        if (typeof given === 'object' && given !== null && !Array.isArray(given))
          readRequest(codec, given as JsonObject);
      } else if (what === 1) {
        given = torn(JSON.stringify(pick(bodies, random)), random);
        const read = readJsonObject(String(given), { depthMax: 20 });
        if (read.kind === 'object') readRequest(codec, read.value);
      } else if (what === 2) {
        given = mutated(whole, random, 0.05);
        readAnswer(codec, given);
      } else {
        given = random() < 0.5 ? torn(stream, random) : mutatedStream(stream, random);
        readStream(codec, String(given));
      }
    } catch (error) {
      thrown.push(`${codec.name} input ${input}: ${String(error)}\n${JSON.stringify(given)?.slice(0, 600)}`);
    }
  }
  return { inputs, thrown };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
  });
  const { inputs, thrown } = fuzz(Number(values.inputs), Number(values.seed));
  for (const each of thrown) console.log(each);
  console.log(`${inputs} inputs, ${thrown.length} threw (seed ${values.seed})`);
  process.exit(thrown.length === 0 ? 0 : 1);
}
