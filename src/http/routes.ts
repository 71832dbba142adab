/** Every route of the data plane and the probes, with the role it requires. The admin API's table is in `admin-routes.ts`. */
import type { Dialect } from '../core/target.ts';

/** `caller`: a Breakwater key (or none yet, over loopback). `public`: nobody is asked. */
export type DataRoute = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly role: 'caller' | 'public';
} & (
  | { readonly kind: 'dialect'; readonly dialect: Dialect }
  | { readonly kind: 'health' | 'ready' | 'metrics' }
);

export const dataRoutes: readonly DataRoute[] = [
  { method: 'POST', path: '/v1/chat/completions', role: 'caller', kind: 'dialect', dialect: 'openai-chat' },
  { method: 'POST', path: '/v1/messages', role: 'caller', kind: 'dialect', dialect: 'anthropic-messages' },
  { method: 'GET', path: '/healthz', role: 'public', kind: 'health' },
  { method: 'GET', path: '/readyz', role: 'public', kind: 'ready' },
  { method: 'GET', path: '/metrics', role: 'public', kind: 'metrics' },
];

const byPath = new Map(dataRoutes.map((route) => [route.path, route]));

export function dataRouteAt(path: string): DataRoute | null {
  return byPath.get(path) ?? null;
}

/** The shape an error takes where no route says which dialect is spoken. */
export function dialectOf(path: string, headers: Headers): Dialect {
  return path.startsWith('/v1/messages') || headers.has('anthropic-version')
    ? 'anthropic-messages'
    : 'openai-chat';
}
