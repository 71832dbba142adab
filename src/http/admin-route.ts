/** What a route of the admin API is, and the answers that many of them share. Each area has its own file of routes. */
import type { z } from 'zod';

import type { Result } from '../control/verb.ts';
import type { AnswerName } from './admin-answers.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, controlErrorReply } from './admin-error.ts';
import type { Query } from './admin-query.ts';
import type { Role } from './roles.ts';

export type AdminCall = {
  readonly actor: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: unknown;
  readonly request: Request;
};

export type AdminRoute = {
  readonly method: 'GET' | 'POST';
  /** With `{id}` for what varies. */
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** No body stands for an empty object. */
  readonly bodyOptional?: true;
  /** A body of YAML or plain text stands for `{ "text": … }`. */
  readonly takesText?: true;
  /** Fields of the body that are written down nowhere, also when it is refused. */
  readonly neverKept?: readonly string[];
  /** What a verb of control changes. The verb parses the body itself, and what is rejected is written down. */
  readonly changes?:
    | 'switch'
    | 'key'
    | 'channel'
    | 'gate'
    | 'incident'
    | 'playbook'
    | 'message'
    | 'ledger'
    | 'records'
    | 'content'
    | 'hold';
  readonly answer: AnswerName;
  /** Of an answer that is no JSON, or not only. */
  readonly media?: Media | readonly Media[];
  /** 200 unless said otherwise. */
  readonly status?: 201 | readonly [200, 201];
  readonly handle: (call: AdminCall, dependencies: AdminDependencies) => Promise<Response>;
};

export type Media =
  | 'application/json'
  | 'application/x-ndjson'
  | 'text/event-stream'
  | 'text/html'
  | 'text/markdown'
  | 'text/plain';

export function sent<T>(result: Result<T>, show: (value: T) => Response): Response {
  return result.kind === 'error' ? controlErrorReply(result) : show(result.value);
}

/** Text that is made as fast as it is read. */
export function streamed(source: AsyncGenerator<string>, media: string): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: () => void source.return(null),
  });
  return new Response(body, {
    headers: { 'content-type': media, 'cache-control': 'no-store' },
  });
}

export const notFound = (what: string): Response =>
  adminError({
    status: 404,
    code: 'not_found',
    message: `There is no ${what}.`,
    remedy: 'Check the id.',
    field: null,
  });

/** The tag in `If-Match`; null when there is none, empty when it is not one. */
export function tagOf(request: Request): string | null {
  const text = request.headers.get('if-match');
  return text === null || text === '*' ? null : (/^(?:W\/)?"(.*)"$/.exec(text)?.[1] ?? '');
}

/** The revision in `If-Match`; null when there is none, NaN when it is not one. */
export function revisionOf(request: Request): number | null {
  const tag = tagOf(request);
  return tag === null ? null : /^\d+$/.test(tag) ? Number(tag) : Number.NaN;
}
