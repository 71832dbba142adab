/** Who a request is from: the key it carries, wherever the SDK of its caller puts one. */
import type { GatewayDependencies } from '../gateway/handle.ts';
import type { GatewayState } from '../gateway/state.ts';
import { tokenHash } from '../control/secrets.ts';

/** Clients of Gemini's format may send their key in the address. */
function queryKey(url: string): string | null {
  const start = url.indexOf('?');
  return start < 0 ? null : new URLSearchParams(url.slice(start)).get('key');
}

const bearer = /^bearer +(\S+) *$/i;

/**
 * A key is required as soon as one exists, and always beyond loopback. Of several that are sent, one that is known is
 * enough: an SDK may send an empty one, and a proxy in front of us may ask for one of its own.
 */
export function keyFinder(
  state: GatewayState,
  openLoopback: boolean,
  onUnknown: () => void,
): GatewayDependencies['keyFor'] {
  const known = (token: string | null | undefined) =>
    token === null || token === undefined || token === ''
      ? undefined
      : state.keys.byHash.get(tokenHash(token));
  return ({ headers, url }) => {
    if (!state.keys.everCreated && openLoopback) return null;
    const key =
      known(headers.get('x-api-key')) ??
      known(bearer.exec(headers.get('authorization') ?? '')?.[1]) ??
      known(headers.get('x-goog-api-key')) ??
      known(queryKey(url));
    if (key !== undefined) return key;
    onUnknown();
    return 'unauthenticated';
  };
}
