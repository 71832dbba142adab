/** The dialect `openai-chat`. */
import type { DialectCodec } from '../dialect.ts';
import { sseText } from '../sse.ts';
import { decodeAnswer, encodeAnswer, readAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { errorBody, errorEvent, readError } from './error.ts';
import { chatPlaces } from './places.ts';
import { readFacts } from './request-facts.ts';
import { ChatStreamReader } from './stream-reader.ts';
import { ChatStreamWriter } from './stream-writer.ts';

/** A chunk that adds nothing to the answer: for clients that read `choices[0]` without looking. */
const emptyChunk = {
  id: '',
  object: 'chat.completion.chunk',
  created: 0,
  model: '',
  choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: null }],
};

export const openaiChat: DialectCodec = {
  name: 'openai-chat',
  operation: 'answer',
  scrub: () => null,
  readFacts,
  decodeRequest,
  encodeRequest,
  readAnswer,
  decodeAnswer,
  encodeAnswer,
  streamReader: (options) => new ChatStreamReader(options),
  streamWriter: (options) => new ChatStreamWriter(options),
  readError,
  errorBody,
  errorEvent,
  places: chatPlaces,
  noticeEvent: (notice) => sseText(null, JSON.stringify({ ...emptyChunk, breakwater: { notice } })),
  keepAlive: ': keep-alive\n\n',
};
