/** Errors of this format: Google's own shape, with ours among its details. */
import type { CallerError, ErrorWords, JsonObject } from '../dialect.ts';
import { objectOf, objectsOf, textOf } from '../json-value.ts';

/** The words of an error body, which some paths wrap in a list. */
export function readError(body: unknown): ErrorWords | null {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = objectOf(objectOf(first)?.['error']);
  if (error === null) return null;
  const reason = objectsOf(error['details'])
    .map((detail) => textOf(detail['reason']))
    .find((each) => each !== null);
  return {
    type: textOf(error['status']),
    code: reason ?? null,
    message: textOf(error['message']) ?? '',
  };
}

const statusWords: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [405, 'UNIMPLEMENTED'],
  [408, 'DEADLINE_EXCEEDED'],
  [413, 'INVALID_ARGUMENT'],
  [428, 'FAILED_PRECONDITION'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

export function errorBody(error: CallerError): JsonObject {
  return {
    error: {
      code: error.status,
      message: error.message,
      status: error.provider?.type ?? statusWords.get(error.status) ?? 'INTERNAL',
      details: [{ '@type': 'breakwater', ...error.breakwater }],
    },
  };
}

/** A chunk that is an error: official clients raise on it. */
export function errorEvent(error: CallerError): string {
  return `data: ${JSON.stringify(errorBody(error))}\r\n\r\n`;
}
