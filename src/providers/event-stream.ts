/**
 * AWS event-stream frames of a Bedrock answer → the server-sent events that the frames carry. Each `chunk` frame holds
 * one event of the model's own format, and Converse's frames are events of their own; an exception frame becomes an error event that says its type. A frame that
 * fails its checksum becomes an event that cannot be read, so that the answer counts as malformed.
 */
import { sseText } from '../dialects/sse.ts';
import { objectOf, parseJson, textOf } from '../dialects/json-value.ts';
import { ConverseEvents } from './converse.ts';
import type { BodyReader } from './provider.ts';

/** Decodes one frame; throws when a checksum is wrong. */
type FrameCodec = {
  decode(frame: Uint8Array): {
    readonly headers: Readonly<Record<string, { readonly value: unknown }>>;
    readonly body: Uint8Array;
  };
};

// Loaded when first needed: whoever does not use AWS does not pay for it.
async function loadCodec(): Promise<FrameCodec> {
  const [{ EventStreamCodec }, { fromUtf8, toUtf8 }] = await Promise.all([
    import('@smithy/eventstream-codec'),
    import('@smithy/util-utf8'),
  ]);
  return new EventStreamCodec(toUtf8, fromUtf8);
}
let loading: Promise<FrameCodec> | null = null;

const encoder = new TextEncoder();
/** Frames are at most 16 MiB by their definition. */
const frameBytesMax = 16_777_216;
/** Length fields and checksums of an empty frame. */
const frameBytesMin = 16;
const unreadable = 'data: {unreadable frame\n\n';

function chunkText(payload: Uint8Array): string {
  const bytes = textOf(objectOf(parseJson(Buffer.from(payload).toString('utf8')))?.['bytes']);
  if (bytes === null) return unreadable;
  const data = Buffer.from(bytes, 'base64').toString('utf8');
  return sseText(textOf(objectOf(parseJson(data))?.['type']), data);
}

function exceptionText(type: string, payload: Uint8Array): string {
  const message =
    textOf(objectOf(parseJson(Buffer.from(payload).toString('utf8')))?.['message']) ?? 'The model failed.';
  return sseText('error', JSON.stringify({ type: 'error', error: { type, message } }));
}

function converseText(type: string, payload: Uint8Array, converse: ConverseEvents): string {
  const value = parseJson(Buffer.from(payload).toString('utf8'));
  if (value === undefined) return unreadable;
  return converse
    .read(type, value)
    .map((event) => sseText(event.type, JSON.stringify(event)))
    .join('');
}

function frameText(codec: FrameCodec, frame: Uint8Array, converse: ConverseEvents): string {
  let message: ReturnType<FrameCodec['decode']>;
  try {
    message = codec.decode(frame);
  } catch {
    return unreadable;
  }
  const header = (name: string): string => {
    const value = message.headers[name]?.value;
    return typeof value === 'string' ? value : '';
  };
  switch (header(':message-type')) {
    case 'event':
      return header(':event-type') === 'chunk'
        ? chunkText(message.body)
        : converseText(header(':event-type'), message.body, converse);
    case 'exception':
      return exceptionText(header(':exception-type'), message.body);
    case 'error':
      return exceptionText(header(':error-code'), message.body);
    default:
      return unreadable;
  }
}

/** Frames in any cutting → text of events. Bytes that cannot be a frame end in one unreadable event. */
function createFrameParser(codec: FrameCodec, model: string): { push(chunk: Uint8Array): string } {
  const converse = new ConverseEvents(model);
  let held: Buffer = Buffer.alloc(0);
  let broken = false;
  return {
    push(chunk) {
      if (broken) return '';
      held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      let text = '';
      while (held.length >= 4) {
        const length = held.readUInt32BE(0);
        if (length < frameBytesMin || length > frameBytesMax) {
          broken = true;
          held = Buffer.alloc(0);
          return text + unreadable;
        }
        if (held.length < length) break;
        text += frameText(codec, held.subarray(0, length), converse);
        held = held.subarray(length);
      }
      return text;
    },
  };
}

export function unframedEvents(body: BodyReader, model: string): BodyReader {
  let parser: ReturnType<typeof createFrameParser> | null = null;
  return {
    async read() {
      loading ??= loadCodec();
      parser ??= createFrameParser(await loading, model);
      for (;;) {
        const chunk = await body.read();
        if (chunk.done || chunk.value === undefined) return { done: true, value: undefined };
        const text = parser.push(chunk.value);
        if (text !== '') return { done: false, value: encoder.encode(text) };
      }
    },
    cancel: () => body.cancel(),
  };
}
