/** Every route of the data plane and the probes, with the role it requires. The admin API's table is in `admin-routes.ts`. */
import type { Dialect } from '../core/target.ts';
import type { Operation } from '../dialects/dialect.ts';

/** `caller`: a Breakwater key (or none yet, over loopback). `public`: nobody is asked. */
export type DataRoute = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly role: 'caller' | 'public';
} & (
  | { readonly kind: 'dialect'; readonly dialect: Dialect; readonly operation: Operation }
  | { readonly kind: 'models' }
  | { readonly kind: 'health' | 'ready' | 'metrics' | 'root' }
);

// oxfmt-ignore
export const dataRoutes: readonly DataRoute[] = [
  { method: 'POST', path: '/v1/chat/completions',      role: 'caller', kind: 'dialect', dialect: 'openai-chat',        operation: 'answer' },
  { method: 'POST', path: '/v1/responses',             role: 'caller', kind: 'dialect', dialect: 'openai-responses',   operation: 'answer' },
  { method: 'POST', path: '/v1/responses/input_tokens', role: 'caller', kind: 'dialect', dialect: 'openai-responses', operation: 'count_tokens' },
  { method: 'POST', path: '/v1/embeddings',            role: 'caller', kind: 'dialect', dialect: 'openai-chat',        operation: 'embeddings' },
  { method: 'POST', path: '/v1/messages',              role: 'caller', kind: 'dialect', dialect: 'anthropic-messages', operation: 'answer' },
  { method: 'POST', path: '/v1/messages/count_tokens', role: 'caller', kind: 'dialect', dialect: 'anthropic-messages', operation: 'count_tokens' },
  { method: 'GET',  path: '/v1/models',                role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/v1/models/{id}',           role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/',                         role: 'public', kind: 'root' },
  { method: 'GET',  path: '/healthz',                  role: 'public', kind: 'health' },
  { method: 'GET',  path: '/readyz',                   role: 'public', kind: 'ready' },
  { method: 'GET',  path: '/metrics',                  role: 'public', kind: 'metrics' },
];

const modelPrefix = '/v1/models/';
const byPath = new Map(dataRoutes.map((route) => [route.path, route]));

export function dataRouteAt(path: string): DataRoute | null {
  const found = byPath.get(path);
  if (found !== undefined) return found;
  return path.startsWith(modelPrefix) ? (byPath.get(`${modelPrefix}{id}`) ?? null) : null;
}

/** The model a path names; null when it asks for the list. A name that is not valid percent-encoding stays as it is. */
export function modelIn(path: string): string | null {
  const name = path.slice(modelPrefix.length);
  if (!path.startsWith(modelPrefix) || name === '') return null;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The shape an error takes where no route says which dialect is spoken. */
export function dialectOf(path: string, headers: Headers): Dialect {
  return path.startsWith('/v1/messages') || headers.has('anthropic-version')
    ? 'anthropic-messages'
    : 'openai-chat';
}
