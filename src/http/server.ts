/** The front door: one listening socket, limits on what may come in, and the way to each route. Thin. */
import type { DialectCodec } from '../dialects/dialect.ts';
import { codecFor, codecForCall } from '../dialects/registry.ts';
import { handle } from '../gateway/handle.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import { baseHeaders, earlyHeaders, errorResponse, nobodyAsked, unauthenticated } from '../gateway/reply.ts';
import type { ErrorReply } from '../gateway/reply.ts';
import { modelsAnswer } from './model-routes.ts';
import { asJsonArray } from './json-array-stream.ts';
import { addressIn, dataRouteAt, dialectOf, modelIn, urlOf } from './routes.ts';
import type { DataRoute } from './routes.ts';
import type { StatusRoutes } from './status-routes.ts';

/** What a socket is for. Whoever serves the admin API serves the metrics: both tell of the inside. */
export type Service = 'data' | 'admin' | 'status';

export type FrontDoor = {
  readonly host: string;
  readonly port: number;
  readonly serves: ReadonlySet<Service>;
  readonly gateway: GatewayDependencies;
  readonly admin: { handle(request: Request, url: URL): Promise<Response> };
  readonly metrics: () => string;
  /** The page behind the link in a playbook's question. */
  readonly approve: (request: Request, path: string) => Promise<Response>;
  readonly status: StatusRoutes;
  readonly isReady: () => boolean;
  /** False while the server lets open answers finish before it stops. */
  readonly accepts: () => boolean;
};

export type Listening = { readonly url: string; readonly port: number; readonly stop: () => Promise<void> };

/** Past this a body is cut off by the server itself; the gateway's own limit answers before, in the caller's dialect. */
const hardBodyBytesMax = 256 * 1024 * 1024;
/** A connection on which nothing moves is closed; requests that wait for an answer are exempt. */
const idleSecondsMax = 30;

function pathOf(url: string): string {
  if (url.startsWith('/')) return url.split('?', 1)[0] ?? '/';
  const start = url.indexOf('/', url.indexOf('//') + 2);
  if (start < 0) return '/';
  const query = url.indexOf('?', start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

function refusal(path: string, request: Request, gateway: GatewayDependencies, reply: ErrorReply): Response {
  const codec: DialectCodec = codecFor(dialectOf(path, request.headers));
  const id = gateway.newRequestId(gateway.clock.now());
  const headers = baseHeaders(codec.name, id);
  earlyHeaders(headers, gateway.state.snapshot, request.headers, null);
  return errorResponse(codec, reply, id, headers);
}

function probe(
  kind: Exclude<DataRoute['kind'], 'dialect' | 'models' | 'status' | 'approve'>,
  door: FrontDoor,
): Response {
  switch (kind) {
    case 'root':
      return new Response('Breakwater\n');
    case 'health':
      return new Response('ok\n');
    case 'ready':
      return door.isReady() && door.accepts()
        ? new Response('ready\n')
        : new Response('not ready\n', { status: 503 });
    case 'metrics':
      return new Response(door.metrics(), {
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      });
  }
}

function notFound(path: string, request: Request, door: FrontDoor): Response {
  const route = routeHere(path, door);
  const known = route?.method === request.method ? null : route;
  const message =
    known === null
      ? `There is nothing at ${path.slice(0, 200)}.`
      : `${path} takes ${known.method}, not ${request.method.slice(0, 16)}.`;
  const refused = refusal(path, request, door.gateway, {
    code: 'not_found',
    message,
    status: known === null ? 404 : 405,
  });
  if (known !== null) refused.headers.set('allow', known.method === 'GET' ? 'GET, HEAD' : known.method);
  return refused;
}

/** What clients ask before they begin: `HEAD` on an address they will post to. */
const reachable = (method: string): Response => new Response(null, { headers: { allow: method } });

function models(path: string, request: Request, door: FrontDoor): Response {
  const { gateway } = door;
  const key = gateway.keyFor(request);
  if (key === 'unauthenticated') return refusal(path, request, gateway, unauthenticated);
  const answer = modelsAnswer(request, modelIn(path), key, gateway);
  if (answer.kind === 'unknown')
    return refusal(path, request, gateway, {
      code: 'unknown_model',
      message: `No feature, model or target that this key may use is called ${answer.name.slice(0, 100)}.`,
      param: 'model',
    });
  const id = gateway.newRequestId(gateway.clock.now());
  const headers = baseHeaders(dialectOf(path, request.headers), id);
  earlyHeaders(headers, gateway.state.snapshot, request.headers, modelIn(path));
  return Response.json(answer.body, { headers: { ...headers, ...nobodyAsked } });
}

function serviceOf(kind: DataRoute['kind']): Service | 'every' {
  switch (kind) {
    case 'dialect':
    case 'models':
      return 'data';
    case 'status':
    case 'approve':
      return 'status';
    case 'metrics':
      return 'admin';
    case 'root':
    case 'health':
    case 'ready':
      return 'every';
  }
}

/** The route at a path, if this socket serves it. */
function routeHere(path: string, { serves }: FrontDoor): DataRoute | null {
  const found = dataRouteAt(path);
  if (found === null) return null;
  const service = serviceOf(found.kind);
  return service === 'every' || serves.has(service) ? found : null;
}

function route(request: Request, door: FrontDoor, exempt: () => void): Response | Promise<Response> {
  const path = pathOf(request.url);
  const isAdmin = path.startsWith('/admin/');
  if (isAdmin && door.serves.has('admin')) return door.admin.handle(request, urlOf(request));
  const found = isAdmin ? null : routeHere(path, door);
  if (found === null) return notFound(path, request, door);
  if (found.kind === 'approve') return door.approve(request, path);
  if (found.method === 'POST' && request.method === 'HEAD') return reachable(found.method);
  if (found.method !== request.method && !(found.method === 'GET' && request.method === 'HEAD'))
    return notFound(path, request, door);
  if (found.kind === 'models') return models(path, request, door);
  if (found.kind === 'status') return door.status.handle(path, request) ?? notFound(path, request, door);
  if (found.kind !== 'dialect') return probe(found.kind, door);
  if (!door.accepts())
    return refusal(path, request, door.gateway, {
      code: 'overloaded',
      message: 'Breakwater is stopping. Please try again.',
      retryAfterMs: 1_000,
    });
  const address = found.dialect === 'gemini' ? addressIn(path) : null;
  exempt();
  const answer = handle(request, codecForCall(found.dialect, found.operation), door.gateway, address);
  return address?.stream === true && urlOf(request).searchParams.get('alt') !== 'sse'
    ? answer.then((made) => asJsonArray(made, door.gateway.state.snapshot.limits.eventBytesMax))
    : answer;
}

/** Listens. Throws when the address is taken. */
export function listen(door: FrontDoor): Listening {
  const failed = (error: unknown, request: Request): Response => {
    door.gateway.onBug(error);
    return refusal('/', request, door.gateway, {
      code: 'internal_error',
      message: 'Breakwater could not handle this request. The fault is ours; it has been noted.',
    });
  };
  const server = Bun.serve({
    hostname: door.host,
    port: door.port,
    idleTimeout: idleSecondsMax,
    maxRequestBodySize: hardBodyBytesMax,
    fetch(request, listening) {
      try {
        const answer = route(request, door, () => listening.timeout(request, 0));
        return answer instanceof Promise ? answer.catch((error: unknown) => failed(error, request)) : answer;
      } catch (error) {
        return failed(error, request);
      }
    },
    error(error) {
      door.gateway.onBug(error);
      return new Response('internal error\n', { status: 500 });
    },
  });
  const port = server.port ?? door.port;
  return {
    url: `http://${door.host.includes(':') ? `[${door.host}]` : door.host}:${port}`,
    port,
    stop: () => server.stop(true),
  };
}
