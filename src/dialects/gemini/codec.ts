/** The dialect `gemini`: generateContent and streamGenerateContent. */
import type { DialectCodec } from '../dialect.ts';
import { decodeAnswer, encodeAnswer, readAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { errorBody, errorEvent, readError } from './error.ts';
import { contentPlaces } from './places.ts';
import { readFacts } from './request-facts.ts';
import { ContentStreamReader } from './stream-reader.ts';
import { ContentStreamWriter } from './stream-writer.ts';

const aliveChunk = { candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, index: 0 }] };

export const gemini: DialectCodec = {
  name: 'gemini',
  addressed: true,
  inlineMedia: true,
  operation: 'answer',
  scrub: () => null,
  readFacts,
  decodeRequest,
  encodeRequest,
  readAnswer,
  decodeAnswer,
  encodeAnswer,
  streamReader: (options) => new ContentStreamReader(options),
  streamWriter: () => new ContentStreamWriter(),
  readError,
  errorBody,
  errorEvent,
  places: contentPlaces,
  noticeEvent: (notice) => `data: ${JSON.stringify({ ...aliveChunk, breakwater: { notice } })}\r\n\r\n`,
  // Comments confuse the official client; a chunk that says nothing does not.
  keepAlive: `data: ${JSON.stringify(aliveChunk)}\r\n\r\n`,
};
