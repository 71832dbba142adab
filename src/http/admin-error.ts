/** Answers of the admin API: JSON that is never cached, and errors with a message, a remedy and the field at fault. */
import type { ControlError, ControlErrorCode } from '../control/verb.ts';

export type AdminErrorBody = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly field: string | null;
};
export type Read<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'error'; readonly error: AdminErrorBody };

export function invalidInput(message: string, remedy: string, field: string | null): Read<never> {
  return { kind: 'error', error: { status: 400, code: 'invalid', message, remedy, field } };
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}

export function adminError(
  { status, code, message, remedy, field }: AdminErrorBody,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return json({ error: { code, message, remedy, field } }, status, headers);
}

const statuses: Record<ControlErrorCode, number> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  unavailable: 503,
};

export function controlErrorReply({ code, message, remedy, field }: ControlError): Response {
  return adminError({ status: statuses[code], code, message, remedy, field });
}
