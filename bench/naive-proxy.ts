/**
 * The reference of `bench/overhead.ts`: the smallest proxy one would write by hand. It parses both bodies, as any
 * gateway must that reads the model's name and the usage, and does nothing else.
 */
const [portText = '0', upstream = ''] = process.argv.slice(2);

async function relayEvents(body: ReadableStream<Uint8Array>): Promise<Response> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.slice(block.indexOf('data: ') + 6);
        if (data !== '[DONE]') JSON.parse(data);
      }
      controller.enqueue(value);
    },
    cancel: () => reader.cancel(),
  });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(portText),
  idleTimeout: 0,
  async fetch(request) {
    const text = await request.text();
    const { stream } = JSON.parse(text) as { stream?: boolean };
    const answer = await fetch(`${upstream}${new URL(request.url).pathname}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: request.headers.get('authorization') ?? '',
      },
      body: text,
    });
    if (stream === true && answer.body !== null) return relayEvents(answer.body);
    const answerText = await answer.text();
    JSON.parse(answerText);
    return new Response(answerText, {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  },
});
console.log(JSON.stringify({ ready: server.port }));

export {};
