/** Errors of responses: the same body as chat completions, another event. */
import type { CallerError, ErrorWords } from '../dialect.ts';
import { objectOf, textOf } from '../json-value.ts';
import { errorBody, errorWords } from '../openai-chat/error.ts';
import { sseText } from '../sse.ts';

/** The words of an `error` event, which are its own fields, or of an `error` inside it. */
export function eventWords(event: unknown): ErrorWords {
  const body = objectOf(event);
  const inner = objectOf(body?.['error']);
  if (inner !== null) return errorWords(inner);
  return {
    type: null,
    code: textOf(body?.['code']),
    message: textOf(body?.['message']) ?? '',
  };
}

/** Official clients raise on the event's name; nothing follows, because the answer did not end well. */
export function errorEvent(error: CallerError): string {
  const body = errorBody(error);
  const inner = objectOf(body['error']) ?? {};
  return sseText(
    'error',
    JSON.stringify({
      type: 'error',
      code: inner['code'] ?? null,
      message: error.message,
      param: error.param,
      error: inner,
      breakwater: error.breakwater,
    }),
  );
}
