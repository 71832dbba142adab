/** A receiver on a real socket, fresh for each test: what it got, what it answers, and what is sent with a bulletin. */
import { instant } from '../src/core/ids.ts';
import type { Context } from '../src/notify/payload.ts';

type Received = { readonly headers: Record<string, string>; readonly body: string };

export type Receiver = {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it answers: the first is used up with each call, the last one stays. */
  answers: { status: number; headers?: Record<string, string> }[];
  readonly bodyOf: (index?: number) => unknown;
  readonly stop: () => Promise<void>;
};

export function startReceiver(): Receiver {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      received.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
      const { answers } = receiver;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return new Response('', answer ?? {});
    },
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${server.port}/hook`,
    received,
    answers: [{ status: 200 }],
    bodyOf: (index = 0) => JSON.parse(received[index]?.body ?? 'null') as unknown,
    stop: () => server.stop(true),
  };
  return receiver;
}

export const contextNow = (): Context => ({
  now: instant(Date.now()),
  link: 'https://status.example.com/status/incidents/inc_1',
  source: 'Acme AI',
});
export const base = { wants: { on: ['*'], atLeast: 'info' }, allowPrivate: true } as const;
