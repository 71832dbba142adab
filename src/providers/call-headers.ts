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

export function callHeaders(callerHeaders: Headers | null, traceparent: string | null): Headers {
  const headers = new Headers();
  if (callerHeaders !== null) {
    const connection = callerHeaders.get('connection');
    const named =
      connection === null
        ? null
        : new Set(
            connection
              .toLowerCase()
              .split(',')
              .map((name) => name.trim()),
          );
    callerHeaders.forEach((value, name) => {
      if (!isWithheld(name) && named?.has(name) !== true) headers.set(name, value);
    });
  }
  headers.set('content-type', 'application/json');
  headers.set('accept-encoding', 'identity');
  if (traceparent !== null) headers.set('traceparent', traceparent);
  return headers;
}
