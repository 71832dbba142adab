/** Errors of chat completions: what providers and compatible servers send, and what our callers get. */
import type { CallerError, ErrorWords, JsonObject } from '../dialect.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';
import { sseText } from '../sse.ts';

function wordOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return textOf(value);
}

/** The words of an `error` value, which is an object, or with some servers just a sentence. */
export function errorWords(error: unknown): ErrorWords {
  if (!isJsonObject(error)) return { type: null, code: null, message: textOf(error) ?? '' };
  return {
    type: textOf(error['type']),
    code: wordOf(error['code']),
    message: textOf(error['message']) ?? '',
  };
}

/** Servers that speak this dialect also answer `{detail}` (FastAPI), `{message}` or a list of one error. */
export function readError(body: unknown): ErrorWords | null {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const answer = objectOf(first);
  if (answer === null) return null;
  const { error, detail, message } = answer as { error?: unknown; detail?: unknown; message?: unknown };
  if (isJsonObject(error) || typeof error === 'string') return errorWords(error);
  if (typeof message === 'string') return errorWords(answer);
  if (typeof detail === 'string') return { type: null, code: null, message: detail };
  if (Array.isArray(detail)) return { type: null, code: null, message: JSON.stringify(detail) };
  return failedChoice(answer['choices']);
}

/** OpenRouter ends a choice that failed with the finish reason `error`, with what it knows of it beside that. */
export function failedChoice(choices: unknown): ErrorWords | null {
  for (const choice of objectsOf(choices)) {
    const { error, finish_reason: finish } = choice as { error?: unknown; finish_reason?: unknown };
    if (isJsonObject(error) || finish === 'error') return errorWords(error);
  }
  return null;
}

const typeByStatus: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [429, 'rate_limit_error'],
]);

function typeOf(error: CallerError): string {
  if (error.provider !== null && error.provider.type !== null) return error.provider.type;
  if (error.code === 'budget_exhausted') return 'insufficient_quota';
  return typeByStatus.get(error.status) ?? (error.status < 500 ? 'invalid_request_error' : 'server_error');
}

/** Official clients keep `error` and drop what stands beside it: offers must be inside, or nobody can take them up. */
export function errorBody(error: CallerError): JsonObject {
  const { offers } = error.breakwater;
  return {
    error: {
      message: error.message,
      type: typeOf(error),
      param: error.param,
      code: error.provider?.code ?? error.code,
      ...(offers === undefined ? {} : { offers }),
    },
    breakwater: error.breakwater,
  };
}

/** No `[DONE]` follows: the answer did not end well, and official clients raise on the `error` key. */
export function errorEvent(error: CallerError): string {
  return sseText(null, JSON.stringify(errorBody(error)));
}
