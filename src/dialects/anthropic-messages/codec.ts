/** The dialect `anthropic-messages`. */
import type { DialectCodec } from '../dialect.ts';
import { sseText } from '../sse.ts';
import { decodeAnswer, encodeAnswer, readAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { errorBody, errorEvent, readError } from './error.ts';
import { messagesPlaces } from './places.ts';
import { readFacts } from './request-facts.ts';
import { scrub } from './scrub.ts';
import { MessageStreamReader } from './stream-reader.ts';
import { MessageStreamWriter } from './stream-writer.ts';

export const anthropicMessages: DialectCodec = {
  name: 'anthropic-messages',
  operation: 'answer',
  scrub,
  readFacts,
  decodeRequest,
  encodeRequest,
  readAnswer,
  decodeAnswer,
  encodeAnswer,
  streamReader: (options) => new MessageStreamReader(options),
  streamWriter: () => new MessageStreamWriter(),
  readError,
  errorBody,
  errorEvent,
  places: messagesPlaces,
  // Every client knows a ping and reads nothing but its name; kinds that it does not know end some.
  noticeEvent: (notice) => sseText('ping', JSON.stringify({ type: 'ping', breakwater: { notice } })),
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
};
