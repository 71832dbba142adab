/**
 * Headers of a call. Within a dialect the caller's own go along, because versions, betas and what is invented next
 * belong to the conversation between caller and provider; what must not go along is listed: the connection's own
 * headers, addresses of clients, every credential, and Breakwater's headers.
 */
const withheld: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'content-length',
  'content-encoding',
  'content-type',
  'accept-encoding',
  'cookie',
  'forwarded',
  'via',
  'x-real-ip',
  'true-client-ip',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'openai-organization',
  'openai-project',
  'anthropic-workspace-id',
  'traceparent',
]);

const withheldPrefixes = ['x-breakwater-', 'x-forwarded-', 'cf-'] as const;

function isWithheld(name: string): boolean {
  return withheld.has(name) || withheldPrefixes.some((prefix) => name.startsWith(prefix));
}

/** Headers that the caller's `connection` header calls the connection's own. */
function namedByConnection(callerHeaders: Headers): readonly string[] {
  const connection = callerHeaders.get('connection');
  if (connection === null || connection === 'keep-alive') return [];
  return connection.split(',').map((name) => name.trim());
}

/** What can be the name of a header; anything else would throw where it is looked up. */
const isToken = (name: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(name);

export function callHeaders(callerHeaders: Headers | null, traceparent: string | null): Headers {
  // Copied whole, then cleared of what stays here: that is done natively and costs least.
  const headers = new Headers(callerHeaders ?? {});
  callerHeaders?.forEach((_value, name) => {
    if (isWithheld(name)) headers.delete(name);
  });
  if (callerHeaders !== null)
    for (const name of namedByConnection(callerHeaders)) if (isToken(name)) headers.delete(name);
  headers.set('content-type', 'application/json');
  headers.set('accept-encoding', 'identity');
  if (traceparent !== null) headers.set('traceparent', traceparent);
  return headers;
}
