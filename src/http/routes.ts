/** Every route of the data plane and the probes, with the role it requires. The admin API's table is in `admin-routes.ts`. */
import type { Dialect } from '../core/target.ts';
import type { Operation } from '../core/record.ts';
import type { Address } from '../gateway/handle.ts';
import { placeAt } from '../site/files.ts';

/** `caller`: a Breakwater key (or none yet, over loopback). `public`: nobody is asked. */
export type DataRoute = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly role: 'caller' | 'public';
} & (
  | { readonly kind: 'dialect'; readonly dialect: Dialect; readonly operation: Operation }
  | { readonly kind: 'models' }
  | { readonly kind: 'health' | 'ready' | 'metrics' | 'root' | 'status' | 'approve' }
);

// oxfmt-ignore
export const dataRoutes: readonly DataRoute[] = [
  { method: 'POST', path: '/v1/chat/completions',      role: 'caller', kind: 'dialect', dialect: 'openai-chat',        operation: 'answer' },
  { method: 'POST', path: '/v1/responses',             role: 'caller', kind: 'dialect', dialect: 'openai-responses',   operation: 'answer' },
  { method: 'POST', path: '/v1/responses/input_tokens', role: 'caller', kind: 'dialect', dialect: 'openai-responses', operation: 'count_tokens' },
  { method: 'POST', path: '/v1/embeddings',            role: 'caller', kind: 'dialect', dialect: 'openai-chat',        operation: 'embeddings' },
  { method: 'POST', path: '/v1/messages',              role: 'caller', kind: 'dialect', dialect: 'anthropic-messages', operation: 'answer' },
  { method: 'POST', path: '/v1/messages/count_tokens', role: 'caller', kind: 'dialect', dialect: 'anthropic-messages', operation: 'count_tokens' },
  { method: 'POST', path: '/v1beta/models/{model}:generateContent',       role: 'caller', kind: 'dialect', dialect: 'gemini', operation: 'answer' },
  { method: 'POST', path: '/v1beta/models/{model}:streamGenerateContent', role: 'caller', kind: 'dialect', dialect: 'gemini', operation: 'answer' },
  { method: 'POST', path: '/v1beta/models/{model}:countTokens',           role: 'caller', kind: 'dialect', dialect: 'gemini', operation: 'count_tokens' },
  { method: 'GET',  path: '/v1beta/models',            role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/v1beta/models/{id}',       role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/v1/models',                role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/v1/models/{id}',           role: 'caller', kind: 'models' },
  { method: 'GET',  path: '/',                         role: 'public', kind: 'root' },
  { method: 'GET',  path: '/status',                   role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/history',           role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/incidents/{id}',    role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/feed.atom',         role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/feed.rss',          role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/feed.json',         role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/calendar.ics',      role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/badge.svg',         role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/badge.json',        role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/badge/{feature}.svg',  role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/badge/{feature}.json', role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/banner',            role: 'public', kind: 'status' },
  { method: 'GET',  path: '/api/v2/{file}.json',       role: 'public', kind: 'status' },
  { method: 'GET',  path: '/status/approve/{token}',   role: 'public', kind: 'approve' },
  { method: 'POST', path: '/status/approve/{token}',   role: 'public', kind: 'approve' },
  { method: 'GET',  path: '/healthz',                  role: 'public', kind: 'health' },
  { method: 'GET',  path: '/readyz',                   role: 'public', kind: 'ready' },
  { method: 'GET',  path: '/metrics',                  role: 'public', kind: 'metrics' },
];

const byPath = new Map(dataRoutes.map((route) => [route.path, route]));
/** Where the link in a playbook's question leads. */
export const approvePrefix = '/status/approve/';
const modelPrefixes = ['/v1/models/', '/v1beta/models/'] as const;

/** `/v1beta/models/name:method`, and `/v1/…` as newer clients write it. */
const geminiPath = /^\/v1(?:beta)?\/(?:models\/)?(.+):(\w+)$/;

/** A request of HTTP/1.0 need not name a host; its address is then only a path. */
export const urlOf = ({ url }: Request): URL => new URL(url, 'http://localhost');

export function dataRouteAt(path: string): DataRoute | null {
  const found = byPath.get(path);
  if (found !== undefined) return found;
  const method = geminiPath.exec(path)?.[2];
  const addressed = method === undefined ? undefined : byPath.get(`/v1beta/models/{model}:${method}`);
  if (addressed !== undefined) return addressed;
  if (path === '/status/' || placeAt(path) !== null) return byPath.get('/status') ?? null;
  if (path.startsWith(approvePrefix)) return byPath.get(`${approvePrefix}{token}`) ?? null;
  const prefix = modelPrefixes.find((each) => path.startsWith(each));
  return prefix === undefined ? null : (byPath.get(`${prefix}{id}`) ?? null);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // not valid percent-encoding: it stays as it is
  }
}

/** The model a path names; null when it asks for the list. */
export function modelIn(path: string): string | null {
  const prefix = modelPrefixes.find((each) => path.startsWith(each));
  const name = prefix === undefined ? '' : path.slice(prefix.length);
  return name === '' ? null : decoded(name);
}

/** What the address of a request says of it, where the body does not. */
export function addressIn(path: string): Address | null {
  const [, model, method] = geminiPath.exec(path) ?? [];
  return model === undefined || method === undefined
    ? null
    : { model: decoded(model), stream: method === 'streamGenerateContent' };
}

/** The shape an error takes where no route says which dialect is spoken. */
export function dialectOf(path: string, headers: Headers): Dialect {
  if (path.startsWith('/v1beta/') || headers.has('x-goog-api-key')) return 'gemini';
  return path.startsWith('/v1/messages') || headers.has('anthropic-version')
    ? 'anthropic-messages'
    : 'openai-chat';
}
