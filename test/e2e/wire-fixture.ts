/** What tests over the wire send, and how. */
import type { Json } from '../harness.ts';

export const message = (model: string, more: Json = {}): Json => ({
  model,
  max_tokens: 20,
  messages: [{ role: 'user', content: 'Hello' }],
  ...more,
});

export function postTo(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  });
}
