/** How a simulated OpenAI refuses: its own statuses, types, codes and words. */
import type { Preset } from './faults.ts';
import type { Refusal } from './speech.ts';

export type OpenaiError = {
  readonly status: number;
  readonly type: string;
  readonly code?: string;
  readonly param?: string;
  readonly words: string;
};

export function openaiError({ status, type, code, param, words }: OpenaiError): Refusal {
  return {
    status,
    body: { error: { message: words, type, param: param ?? null, code: code ?? null } },
    headers: {},
  };
}

export const invalidRequest = (words: string, param?: string, code?: string): Refusal =>
  openaiError({
    status: 400,
    type: 'invalid_request_error',
    words,
    ...(param === undefined ? {} : { param }),
    ...(code === undefined ? {} : { code }),
  });

export function unknownModel(model: string): Refusal {
  return openaiError({
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    words: `The model \`${model}\` does not exist or you do not have access to it.`,
  });
}

export function openaiPreset(preset: Preset, model: string): Refusal {
  switch (preset) {
    case 'overloaded':
      return openaiError({
        status: 503,
        type: 'server_error',
        code: 'server_is_overloaded',
        words: 'Our servers are currently overloaded. Please try again later.',
      });
    case 'server_error':
      return openaiError({
        status: 500,
        type: 'server_error',
        words: 'The server had an error while processing your request. Sorry about that!',
      });
    case 'rate_limited':
      return {
        ...openaiError({
          status: 429,
          type: 'requests',
          code: 'rate_limit_exceeded',
          words: `Rate limit reached for ${model} in organization org-simulated on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 12s.`,
        }),
        headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '12s' },
      };
    case 'quota_exhausted':
      return openaiError({
        status: 429,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        words: 'You exceeded your current quota, please check your plan and billing details.',
      });
    case 'credential_rejected':
      return openaiError({
        status: 401,
        type: 'invalid_request_error',
        code: 'invalid_api_key',
        words: 'Incorrect API key provided. You can find your API key in your account settings.',
      });
    case 'model_not_found':
      return unknownModel(model);
    case 'context_exceeded':
      return invalidRequest(
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. Please reduce the length of the messages.",
        'messages',
        'context_length_exceeded',
      );
    case 'request_rejected':
      return invalidRequest(
        "Invalid type for 'messages[0]': expected an object.",
        'messages[0]',
        'invalid_type',
      );
    case 'content_refused':
      return invalidRequest(
        'The response was filtered due to the prompt triggering a content management policy.',
        'prompt',
        'content_filter',
      );
    case 'edge_page':
      return {
        status: 502,
        body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n',
        headers: { 'content-type': 'text/html', server: 'cloudflare', 'cf-ray': '9a1b2c3d4e5f6071-AMS' },
      };
  }
}
