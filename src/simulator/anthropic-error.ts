/** How a simulated Anthropic refuses: its own statuses, types and words. */
import type { Preset } from './faults.ts';
import type { Refusal } from './speech.ts';

export function anthropicError(status: number, type: string, message: string): Refusal {
  return {
    status,
    body: { type: 'error', error: { type, message }, request_id: null },
    headers: { 'x-should-retry': status === 429 || status >= 500 ? 'true' : 'false' },
  };
}

export const invalidRequest = (message: string): Refusal =>
  anthropicError(400, 'invalid_request_error', message);

/** What kind of trouble an error event tells of, in words. */
export function anthropicErrorWords(type: string): string {
  return type === 'overloaded_error' ? 'Overloaded' : 'Internal server error';
}

export function anthropicPreset(preset: Preset, model: string): Refusal {
  switch (preset) {
    case 'overloaded':
      return anthropicError(529, 'overloaded_error', 'Overloaded');
    case 'server_error':
      return anthropicError(500, 'api_error', 'Internal server error');
    case 'rate_limited':
      return {
        ...anthropicError(
          429,
          'rate_limit_error',
          "This request would exceed your organization's rate limit of 50 requests per minute.",
        ),
        headers: { 'anthropic-ratelimit-requests-remaining': '0', 'retry-after': '12' },
      };
    case 'quota_exhausted':
      return invalidRequest(
        'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      );
    case 'credential_rejected':
      return anthropicError(401, 'authentication_error', 'invalid x-api-key');
    case 'model_not_found':
      return anthropicError(404, 'not_found_error', `model: ${model}`);
    case 'context_exceeded':
      return invalidRequest('prompt is too long: 1200000 tokens > 1000000 maximum');
    case 'request_rejected':
      return invalidRequest('messages.0: Input should be a valid dictionary');
    case 'content_refused':
      return invalidRequest('Output blocked by content filtering policy');
    case 'edge_page':
      return {
        status: 502,
        body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n',
        headers: { 'content-type': 'text/html', server: 'cloudflare', 'cf-ray': '9a1b2c3d4e5f6071-FRA' },
      };
  }
}
