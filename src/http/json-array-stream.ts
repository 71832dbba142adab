/**
 * A streamed answer as one JSON array that grows, which Gemini's format takes where a client asks for a stream without
 * `alt=sse`. Each event becomes one element as soon as it is whole; an error event becomes the last one.
 */
import { createSseParser } from '../dialects/sse.ts';
import type { SseEvent } from '../dialects/sse.ts';

/** The response with its events as elements; what is no stream of events stays as it is. */
export function asJsonArray(response: Response, eventBytesMax: number): Response {
  if (
    response.body === null ||
    response.headers.get('content-type')?.startsWith('text/event-stream') !== true
  )
    return response;
  const parser = createSseParser({ eventBytesMax });
  const encoder = new TextEncoder();
  let opening = '[';
  const elements = (events: Iterable<SseEvent>): string => {
    let text = '';
    for (const { data } of events) {
      if (data === null) continue;
      text += opening + data;
      opening = ',\r\n';
    }
    return text;
  };
  const framing = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const text = elements(parser.push(bytes));
      if (text !== '') controller.enqueue(encoder.encode(text));
    },
    flush(controller) {
      const last = parser.end();
      const text = last === null ? '' : elements([last]);
      controller.enqueue(encoder.encode(`${text}${opening === '[' ? '[' : ''}]`));
    },
  });
  const headers = new Headers(response.headers);
  headers.set('content-type', 'application/json; charset=utf-8');
  return new Response(response.body.pipeThrough(framing), { status: response.status, headers });
}
