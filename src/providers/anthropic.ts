/** Anthropic's Messages API. */
import { callHeaders } from './call-headers.ts';
import { withCallerQuery } from './call-query.ts';
import { classify } from './classify.ts';
import type { ProviderAdapter } from './provider.ts';

/** Sent when we build the request; a caller of the same dialect sends its own. */
const version = '2023-06-01';

export const anthropic: ProviderAdapter = {
  offers: (operation) => operation !== 'embeddings',
  prepare({ target, operation, secret, callerHeaders, callerQuery, traceparent, body }) {
    const headers = callHeaders(callerHeaders, traceparent);
    if (!headers.has('anthropic-version')) headers.set('anthropic-version', version);
    const key = secret?.reveal() ?? null;
    // Tokens of a signed-in account go as a bearer; plain API keys as the API's own header.
    if (key !== null && key.startsWith('sk-ant-oat')) headers.set('authorization', `Bearer ${key}`);
    else if (key !== null) headers.set('x-api-key', key);
    const base = target.provider.baseUrl.replace(/\/v1$/, '');
    const path = operation === 'count_tokens' ? '/v1/messages/count_tokens' : '/v1/messages';
    return { url: withCallerQuery(`${base}${path}`, callerQuery), headers, body };
  },
  classify,
  requestId: (headers) => headers.get('request-id'),
};
