/**
 * The query of a call. Within a dialect the caller's own goes along, as its headers do (`?beta=true` is how one SDK asks
 * for what is new); what must not go along is listed: every credential, what chooses an account or a version of the API,
 * which the configuration says, and what would change the form of the answer under its reader.
 */
const withheld: ReadonlySet<string> = new Set([
  'key',
  'api_key',
  'apikey',
  'token',
  'access_token',
  'oauth_token',
  'auth',
  'authorization',
  'subscription_key',
  'code',
  'sig',
  'signature',
  'api_version',
  'quotauser',
  'userproject',
  'userip',
  'alt',
  'callback',
  'fields',
  'prettyprint',
]);

/** Signed addresses, and parameters with which a host lets an address overrule headers. */
const withheldPrefixes = ['$', 'x_', 'ocp_apim_'] as const;

function decoded(name: string): string | null {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

/** What can be read in no way, or in several, stays here. */
function isWithheld(pair: string): boolean {
  const name = decoded(pair.split('=', 1)[0] ?? '')
    ?.trim()
    .toLowerCase()
    .replaceAll('-', '_');
  return (
    name === undefined ||
    name === '' ||
    withheld.has(name) ||
    withheldPrefixes.some((prefix) => name.startsWith(prefix))
  );
}

/** The query in an address, without its question mark. */
export function queryOf(url: string): string {
  const start = url.indexOf('?');
  if (start < 0) return '';
  const end = url.indexOf('#', start);
  return end < 0 ? url.slice(start + 1) : url.slice(start + 1, end);
}

/** The address with what of the caller's query may go along; the bytes of what goes along stay as they are. */
export function withCallerQuery(url: string, query: string): string {
  if (query === '') return url;
  const passed = query.split('&').filter((pair) => !isWithheld(pair));
  return passed.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${passed.join('&')}`;
}
