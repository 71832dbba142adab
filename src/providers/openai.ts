/** OpenAI's API, and the many servers that speak it: Ollama, llama.cpp, vLLM, OpenRouter. */
import type { Dialect } from '../core/target.ts';
import type { Operation } from '../core/record.ts';
import { callHeaders } from './call-headers.ts';
import { withCallerQuery } from './call-query.ts';
import { classify } from './classify.ts';
import type { ProviderAdapter } from './provider.ts';

export function pathOf(dialect: Dialect, operation: Operation): string {
  if (operation === 'embeddings') return '/embeddings';
  if (operation === 'count_tokens') return '/responses/input_tokens';
  switch (dialect) {
    case 'openai-chat':
      return '/chat/completions';
    case 'openai-responses':
      return '/responses';
    case 'gemini':
      throw new Error('this API does not speak gemini');
    case 'anthropic-messages':
      return '/messages';
  }
}

export const openai: ProviderAdapter = {
  offers: (operation, dialect) =>
    operation === 'answer' ||
    (operation === 'embeddings' && dialect === 'openai-chat') ||
    (operation === 'count_tokens' && dialect === 'openai-responses'),
  prepare({ target, dialect, operation, secret, callerHeaders, callerQuery, traceparent, body }) {
    const headers = callHeaders(callerHeaders, traceparent);
    if (secret !== null) headers.set('authorization', `Bearer ${secret.reveal()}`);
    const url = `${target.provider.baseUrl}${pathOf(dialect, operation)}`;
    return { url: withCallerQuery(url, callerQuery), headers, body };
  },
  classify,
  requestId: (headers) => headers.get('x-request-id'),
};
