/** The dialect `openai-chat`. */
import type { DialectCodec } from '../dialect.ts';
import { decodeAnswer, encodeAnswer, readAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { errorBody, errorEvent, readError } from './error.ts';
import { readFacts } from './request-facts.ts';
import { ChatStreamReader } from './stream-reader.ts';
import { ChatStreamWriter } from './stream-writer.ts';

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
  keepAlive: ': keep-alive\n\n',
};
