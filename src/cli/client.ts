/** The admin API, from the command line. */
import type { Call, ExitCode } from './command.ts';
import { harmless } from './layout.ts';

export type Json = { readonly [key: string]: unknown };
export type Reply =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly exit: ExitCode; readonly message: string; readonly error: Json };

export const defaultUrl = 'http://127.0.0.1:4100';
const limitMs = 30_000;
const actorPattern = /^[\w.@][\w.@ -]{0,63}$/;

type Refused = Extract<Reply, { ok: false }>;

function failed(exit: ExitCode, message: string, error: Json = { message }): Refused {
  return { ok: false, exit, message, error };
}

function exitOf(status: number): ExitCode {
  if (status === 401 || status === 403) return 4;
  return status === 400 ? 2 : 1;
}

function refusal(status: number, body: Json, hasToken: boolean): Refused {
  const error = (body['error'] ?? {}) as { readonly message?: string; readonly remedy?: string };
  if (status === 401) {
    const why = hasToken
      ? 'BREAKWATER_ADMIN_TOKEN is not the token of this server.'
      : 'Set BREAKWATER_ADMIN_TOKEN.';
    return failed(4, `The server asks for the admin token. ${why}`, error);
  }
  const remedy = (error.remedy ?? '').replace(/^[a-z]/, (letter) => letter.toUpperCase());
  const message = error.message ?? `The server answered ${status}.`;
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return failed(exitOf(status), `${sentence} ${remedy}`.trim(), error);
}

function unreachable(error: unknown, base: string): Refused {
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError')
    return failed(
      3,
      `Breakwater at ${base} did not answer within ${limitMs / 1_000} s. What was asked may have been done: look before you try again.`,
    );
  if (name === 'SyntaxError')
    return failed(3, `What answers at ${base} is not Breakwater. Look at BREAKWATER_URL.`);
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return failed(
    3,
    `No Breakwater answers at ${base}${code}. Start one with "breakwater serve", or set BREAKWATER_URL.`,
  );
}

type Asked = {
  readonly call: Call;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Json | undefined;
  readonly limitMs: number;
  /** JSON unless said otherwise. */
  readonly accept?: string;
};

/** Calls the admin API of a running server; `read` takes what is not an error. */
async function ask<T extends { readonly ok: true }>(
  { call, method, path, body, limitMs: withinMs, accept = 'application/json' }: Asked,
  read: (response: Response) => Promise<T | Refused>,
): Promise<T | Refused> {
  const base = (call.environment.url ?? defaultUrl).replace(/\/+$/, '');
  if (!URL.canParse(base) || !/^https?:/.test(base))
    return failed(2, `BREAKWATER_URL is not an address: ${base}. Write it as ${defaultUrl}.`);
  const token = call.environment.adminToken?.reveal();
  const actor = call.options['as'];
  if (typeof actor === 'string' && !actorPattern.test(actor))
    return failed(2, '--as takes a name of 1 to 64 letters, digits, spaces or . _ @ -');
  try {
    const response = await fetch(`${base}/admin/v1/${path}`, {
      method,
      headers: {
        accept,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(typeof actor === 'string' ? { 'x-breakwater-actor': actor } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(withinMs),
    });
    return response.ok
      ? await read(response)
      : refusal(response.status, (await response.json()) as Json, token !== undefined);
  } catch (error) {
    return unreachable(error, base);
  }
}

export function callAdmin(call: Call, method: 'GET' | 'POST', path: string, body?: Json): Promise<Reply> {
  return ask({ call, method, path, body, limitMs }, async (response) => ({
    ok: true as const,
    value: (await response.json()) as Json,
  }));
}

/** An export may be long. */
const textLimitMs = 3_600_000;

/** Where an answer goes piece by piece. */
export type Sink = {
  /** As a person would say it: a file's name, `standard output`. */
  readonly name: string;
  readonly take: (piece: Uint8Array) => Promise<void>;
};

function unwritten({ name }: Sink, error: unknown): Refused | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Who reads has seen enough, as `head` does.
  if (code === 'EPIPE') return null;
  return failed(
    1,
    `${name} cannot be written (${code}). Is there such a folder, with room, and may you write there?`,
  );
}

/** An answer that is text: given piece by piece to a sink, or whole. */
export function callAdminText(
  call: Call,
  path: string,
  sink?: Sink,
): Promise<{ readonly ok: true; readonly text: string } | Refused> {
  return ask(
    { call, method: 'GET', path, limitMs: textLimitMs, accept: 'text/plain, */*' },
    async (response) => {
      if (sink === undefined) return { ok: true as const, text: await response.text() };
      const done = { ok: true as const, text: '' };
      for await (const piece of response.body ?? []) {
        try {
          await sink.take(piece);
        } catch (error) {
          return unwritten(sink, error) ?? done;
        }
      }
      return done;
    },
  );
}

/** Says why there is no reply, and ends with its exit code. */
export function complain(call: Call, reply: Refused): ExitCode {
  call.complain(call.json ? JSON.stringify({ error: reply.error }) : harmless(reply.message));
  return reply.exit;
}

/** Prints a reply as JSON or as text; complains when there is none. */
export function show(call: Call, reply: Reply, text: (value: Json) => string): ExitCode {
  if (!reply.ok) return complain(call, reply);
  call.print(call.json ? JSON.stringify(reply.value, null, 2) : harmless(text(reply.value)));
  return 0;
}

export const items = (value: Json): readonly Json[] => (value['items'] ?? []) as readonly Json[];
