/** Errors of messages: what providers send, and what our callers get. */
import type { CallerError, ErrorWords, JsonObject } from '../dialect.ts';
import { isJsonObject, objectOf, textOf } from '../json-value.ts';
import { sseText } from '../sse.ts';

export function readError(body: unknown): ErrorWords | null {
  const answer = objectOf(body);
  if (answer === null) return null;
  const { error, message } = answer as { error?: unknown; message?: unknown };
  if (isJsonObject(error)) {
    const code = objectOf(error['details'])?.['error_code'] ?? error['code'];
    return {
      type: textOf(error['type']),
      code: typeof code === 'number' ? String(code) : textOf(code),
      message: textOf(error['message']) ?? '',
    };
  }
  if (typeof error === 'string') return { type: null, code: null, message: error };
  // Hosts of this dialect put their own faults in a bare message.
  return typeof message === 'string' ? { type: textOf(answer['type']), code: null, message } : null;
}

const typeByStatus: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);
const ownTypes: ReadonlySet<string> = new Set([
  ...typeByStatus.values(),
  'invalid_request_error',
  'api_error',
]);

/** The provider's own word where it is one of this dialect; clients of the official library branch on it. */
function typeOf(error: CallerError): string {
  const given = error.provider?.type;
  if (given !== undefined && given !== null && ownTypes.has(given)) return given;
  if (error.code === 'overloaded') return 'overloaded_error';
  return typeByStatus.get(error.status) ?? (error.status < 500 ? 'invalid_request_error' : 'api_error');
}

export function errorBody(error: CallerError): JsonObject {
  return {
    type: 'error',
    error: {
      type: typeOf(error),
      message: error.message,
      details: { error_code: error.provider?.code ?? error.code },
    },
    request_id: error.requestId,
    breakwater: error.breakwater,
  };
}

/** Official clients see an error only by the name of its event. */
export function errorEvent(error: CallerError): string {
  return sseText('error', JSON.stringify(errorBody(error)));
}
