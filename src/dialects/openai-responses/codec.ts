/** The dialect `openai-responses`. */
import type { DialectCodec } from '../dialect.ts';
import { sseText } from '../sse.ts';
import { errorBody, readError } from '../openai-chat/error.ts';
import { decodeAnswer, encodeAnswer, readAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { errorEvent } from './error.ts';
import { responsesPlaces } from './places.ts';
import { readFacts } from './request-facts.ts';
import { scrub } from './scrub.ts';
import { ResponseStreamReader } from './stream-reader.ts';
import { ResponseStreamWriter } from './stream-writer.ts';

export const openaiResponses: DialectCodec = {
  name: 'openai-responses',
  namesItems: true,
  operation: 'answer',
  scrub,
  readFacts,
  decodeRequest,
  encodeRequest,
  readAnswer,
  decodeAnswer,
  encodeAnswer,
  streamReader: (options) => new ResponseStreamReader(options),
  streamWriter: (options) => new ResponseStreamWriter(options),
  readError,
  errorBody,
  errorEvent,
  places: responsesPlaces,
  // The official client refuses kinds of events that it does not know; of this kind it reads nothing but the name.
  noticeEvent: (notice) =>
    sseText('keepalive', JSON.stringify({ type: 'keepalive', breakwater: { notice } })),
  keepAlive: ': keep-alive\n\n',
};
