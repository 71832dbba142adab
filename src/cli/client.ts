/** The admin API, from the command line. */
import type { Call, ExitCode } from './command.ts';

export type Reply =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly exit: ExitCode; readonly message: string };
export type Json = { readonly [key: string]: unknown };

export const defaultUrl = 'http://127.0.0.1:4100';
const limitMs = 30_000;

function refusal(status: number, body: Json): Reply {
  const error = (body['error'] ?? {}) as { message?: string; remedy?: string };
  const exit: ExitCode = status === 401 || status === 403 ? 4 : 1;
  const hint = status === 401 ? ' Set BREAKWATER_ADMIN_TOKEN.' : '';
  return {
    ok: false,
    exit,
    message: `${error.message ?? `the server answered ${status}`} ${error.remedy ?? ''}${hint}`.trim(),
  };
}

/** Calls the admin API of a running server. */
export async function callAdmin(
  call: Call,
  method: 'GET' | 'POST',
  path: string,
  body?: Json,
): Promise<Reply> {
  const base = (call.environment.url ?? defaultUrl).replace(/\/+$/, '');
  const token = call.environment.adminToken?.reveal();
  try {
    const response = await fetch(`${base}/admin/v1/${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limitMs),
    });
    const value = (await response.json()) as Json;
    return response.ok ? { ok: true, value } : refusal(response.status, value);
  } catch {
    return {
      ok: false,
      exit: 3,
      message: `No Breakwater answers at ${base}. Start one with "breakwater serve", or set BREAKWATER_URL.`,
    };
  }
}

/** Prints a reply as JSON or as text; complains when there is none. */
export async function show(call: Call, reply: Reply, text: (value: Json) => string): Promise<ExitCode> {
  if (!reply.ok) {
    call.complain(call.json ? JSON.stringify({ error: reply.message }) : reply.message);
    return reply.exit;
  }
  call.print(call.json ? JSON.stringify(reply.value, null, 2) : text(reply.value));
  return 0;
}

export const items = (value: Json): readonly Json[] => (value['items'] ?? []) as readonly Json[];
/** A JSON value as a person reads it. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
