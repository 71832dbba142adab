/**
 * The admin API: who has no role is refused before anything is read, and what is not in the table does not exist.
 * A change that is rejected here, before a verb of control saw it, leaves its audit row like any other rejection.
 */
import { z } from 'zod';

import { attempting, keptFields } from '../control/attempt.ts';
import type { Attempt } from '../control/attempt.ts';
import { StoreUnavailable } from '../control/queries.ts';
import { parseInput } from '../control/verb.ts';
import { actorRemedy, isActorName } from './actor-name.ts';
import { readAdminBody } from './admin-body.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, controlErrorReply, invalidInput } from './admin-error.ts';
import type { AdminErrorBody, Read } from './admin-error.ts';
import { readQuery } from './admin-query.ts';
import { adminRouteTable } from './admin-route-table.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { mayAct } from './roles.ts';
import type { Role } from './roles.ts';

type Matched = { readonly route: AdminRoute; readonly parameters: Readonly<Record<string, string>> };
type Refused = { readonly error: AdminErrorBody; readonly headers?: Readonly<Record<string, string>> };

/** A route's path as a pattern. Names of targets hold slashes, so `{target}` takes as many steps as there are. */
const patterns = adminRouteTable.map((route) => ({
  route,
  pattern: new RegExp(
    `^${route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => `(?<${name}>${name === 'target' ? '.+' : '[^/]+'})`)}$`,
  ),
}));

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Routes of the table at a path, whatever their method. */
function routesAt(path: string): readonly Matched[] {
  return patterns.flatMap(({ route, pattern }): Matched[] => {
    const found = pattern.exec(path);
    if (found === null) return [];
    const given = Object.entries(found.groups ?? {});
    return [{ route, parameters: Object.fromEntries(given.map(([name, text]) => [name, decoded(text)])) }];
  });
}

function match(request: Request, url: URL): Matched | Refused {
  const matches = routesAt(url.pathname);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const matched = matches.find(({ route }) => route.method === method);
  if (matched !== undefined) return matched;
  const methods = matches
    .map(({ route }) => (route.method === 'GET' ? 'GET, HEAD' : route.method))
    .join(', ');
  const unknown = matches.length === 0;
  return {
    error: {
      status: unknown ? 404 : 405,
      code: unknown ? 'not_found' : 'method_not_allowed',
      message: unknown ? 'There is nothing at this address.' : `This address takes ${methods}.`,
      remedy: 'See contract/openapi.json.',
      field: null,
    },
    ...(unknown ? {} : { headers: { allow: methods } }),
  };
}

const actorHeader = 'x-breakwater-actor';

/** Who decides, as the holder of the token says. A name that cannot be kept is refused, not replaced. */
function actorOf(request: Request): Read<string> {
  const named = request.headers.get(actorHeader);
  if (named === null) return { kind: 'read', value: 'admin' };
  if (isActorName(named)) return { kind: 'read', value: named };
  return invalidInput(`${actorHeader} is not a name that can be kept.`, actorRemedy, actorHeader);
}

function roleOf(request: Request, dependencies: AdminDependencies): Role | null {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  return token === undefined ? null : dependencies.roleOf(token);
}

const unauthenticated: AdminErrorBody = {
  status: 401,
  code: 'unauthenticated',
  message: 'The admin token is missing or wrong.',
  remedy: 'Send it as "Authorization: Bearer …".',
  field: null,
};

function forbidden(held: Role, required: Role): AdminErrorBody {
  return {
    status: 403,
    code: 'forbidden',
    message: `This takes the role ${required}; yours is ${held}.`,
    remedy: `Ask somebody who is ${required}.`,
    field: null,
  };
}

/** The body of a call that says everything by its address. */
const nothing = z.strictObject({});

/** What a call would change, for the case that it is refused. */
function attemptAt(
  { route, parameters }: Matched,
  by: { actor: string; role: Role; body: unknown },
): Attempt {
  const takes = route.body ?? route.query;
  const taken = takes instanceof z.ZodObject ? Object.keys(takes.shape) : [];
  return {
    actor: by.actor,
    call: `${route.method} ${route.path}`,
    kind: route.changes ?? 'nothing',
    id: idIn(parameters),
    role: by.role,
    body: keptFields(by.body, taken, route.neverKept ?? []),
  };
}

const idIn = (parameters: Matched['parameters']): string | null =>
  parameters['id'] ?? parameters['target'] ?? parameters['name'] ?? null;

/** Everything a route's handler needs, or why it is not asked. */
async function readCall(
  request: Request,
  url: URL,
  { route, parameters }: Matched,
): Promise<Read<Omit<AdminCall, 'actor'>>> {
  const query = readQuery(route.query ?? null, url);
  if (query.kind === 'error') return query;
  if (route.method === 'GET')
    return { kind: 'read', value: { parameters, query: query.value, body: null, request } };
  const body = await readAdminBody(request, {
    takesText: route.takesText === true,
    mayBeEmpty: route.body === undefined || route.bodyOptional === true,
  });
  if (body.kind === 'error') return body;
  if (route.body === undefined) {
    const parsed = parseInput(nothing, body.value);
    if (parsed.kind === 'error') return invalidInput(parsed.message, parsed.remedy, parsed.field);
  }
  return { kind: 'read', value: { parameters, query: query.value, body: body.value, request } };
}

async function serve(request: Request, url: URL, dependencies: AdminDependencies): Promise<Response> {
  const role = roleOf(request, dependencies);
  if (role === null) return adminError(unauthenticated, { 'www-authenticate': 'Bearer' });
  const matched = match(request, url);
  if ('error' in matched) return adminError(matched.error, matched.headers);
  const { route, parameters } = matched;
  const actor = actorOf(request);
  const name = actor.kind === 'read' ? actor.value : 'admin';
  const call = await readCall(request, url, matched);
  const reject = async (error: AdminErrorBody): Promise<Response> => {
    if (route.changes !== undefined)
      await dependencies.recordRejection(error.message, {
        actor: name,
        subject: idIn(parameters) ?? route.changes,
        ...(route.changes === 'content' ? { kind: 'content.refused' } : {}),
      });
    return adminError(error);
  };
  const answer = async (): Promise<Response> => {
    if (!mayAct(role, route.role)) return reject(forbidden(role, route.role));
    if (actor.kind === 'error') return reject(actor.error);
    if (call.kind === 'error') return reject(call.error);
    if (route.body !== undefined && route.changes === undefined) {
      const parsed = parseInput(route.body, call.value.body);
      if (parsed.kind === 'error') return controlErrorReply(parsed);
    }
    return route.handle({ ...call.value, actor: name }, dependencies);
  };
  if (route.changes === undefined) return answer();
  const given = call.kind === 'read' ? (call.value.body ?? call.value.query) : null;
  return attempting(attemptAt(matched, { actor: name, role, body: given }), answer);
}

/** A store in trouble is no bug of ours, and says so; everything else that is thrown is. */
function troubleReply(error: unknown, dependencies: AdminDependencies): Response {
  if (error instanceof StoreUnavailable)
    return adminError({
      status: 503,
      code: 'unavailable',
      message: 'The store cannot be read right now; traffic is not affected.',
      remedy: 'Try again in a moment.',
      field: null,
    });
  dependencies.onBug(error);
  return adminError({
    status: 500,
    code: 'internal_error',
    message: 'Breakwater could not handle this call. The fault is ours; it has been noted.',
    remedy: 'See the server log.',
    field: null,
  });
}

const streams = /^(?:text\/event-stream|text\/csv|application\/x-ndjson)/;

/** What a `HEAD` is told: as much as a `GET`, without the body. */
function headOf(answer: Response): Response {
  // The server tells the length of a text, and sends none of it; a stream would begin.
  if (!streams.test(answer.headers.get('content-type') ?? '')) return answer;
  void answer.body?.cancel().catch(() => {});
  return new Response(null, { status: answer.status, headers: answer.headers });
}

export function adminRoutes(dependencies: AdminDependencies): {
  handle(request: Request, url: URL): Promise<Response>;
} {
  return {
    async handle(request, url) {
      try {
        const answer = await serve(request, url, dependencies);
        return request.method === 'HEAD' ? headOf(answer) : answer;
      } catch (error) {
        return troubleReply(error, dependencies);
      }
    },
  };
}
