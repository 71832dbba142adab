/** The upstream of the benchmarks: the cheapest server that answers like OpenAI, whole (1 KB) or in 50 events. */
const text = 'All is well in the harbour tonight. '.repeat(24);
const whole = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5.2',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: text.slice(0, 700), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 500, completion_tokens: 200, total_tokens: 700 },
});

const chunk = (delta: unknown, finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'gpt-5.2', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`;

const events = [
  chunk({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: 47 }, (_, index) => chunk({ content: `word ${index} ` }, null)),
  chunk({}, 'stop'),
  'data: [DONE]\n\n',
].map((event) => new TextEncoder().encode(event));

/** Milliseconds between events; 0 sends one event a turn of the event loop. */
const gapMs = Number(process.argv[3] ?? 0);

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  idleTimeout: 0,
  async fetch(request) {
    const body = (await request.json()) as { stream?: boolean };
    if (body.stream !== true) return new Response(whole, { headers: { 'content-type': 'application/json' } });
    let next = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (next > 0) await (gapMs > 0 ? Bun.sleep(gapMs) : new Promise((resolve) => setImmediate(resolve)));
        const event = events[next];
        next++;
        if (event === undefined) controller.close();
        else controller.enqueue(event);
      },
    });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  },
});
console.log(JSON.stringify({ ready: server.port }));

export {};
