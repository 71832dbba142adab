/** OpenAI's API, and the many servers that speak it: Ollama, llama.cpp, vLLM, OpenRouter. */
import type { Dialect } from '../core/target.ts';
import { callHeaders } from './call-headers.ts';
import { classify } from './classify.ts';
import type { ProviderAdapter } from './provider.ts';

function pathOf(dialect: Dialect): string {
  switch (dialect) {
    case 'openai-chat':
      return '/chat/completions';
    case 'anthropic-messages':
      return '/messages';
  }
}

export const openai: ProviderAdapter = {
  prepare({ target, dialect, secret, callerHeaders, traceparent, body }) {
    const headers = callHeaders(callerHeaders, traceparent);
    if (secret !== null) headers.set('authorization', `Bearer ${secret.reveal()}`);
    return { url: `${target.provider.baseUrl}${pathOf(dialect)}`, headers, body };
  },
  classify,
  requestId: (headers) => headers.get('x-request-id'),
};
