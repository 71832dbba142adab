import { afterAll, beforeEach, describe, expect, test } from 'bun:test';

import { configuredOnly, guardedFetch, publicOnly } from './guarded-fetch.ts';
import type { Guard, Outgoing } from './guarded-fetch.ts';

const hits: string[] = [];
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    hits.push(`${request.method} ${pathname}`);
    if (pathname === '/loop') return Response.redirect('/loop', 302);
    if (pathname === '/moved') return Response.redirect('/here', 301);
    if (pathname === '/metadata') return Response.redirect('http://169.254.169.254/latest', 302);
    if (pathname === '/file') return Response.redirect('file:///etc/passwd', 302);
    if (pathname === '/large') return new Response(Buffer.alloc(5_000));
    if (pathname === '/echo')
      return new Response(`${await request.text()}|${request.headers.get('x-mine') ?? ''}`);
    if (pathname === '/silent') {
      const { promise } = Promise.withResolvers<Response>();
      return promise;
    }
    return new Response('here', { headers: { etag: '"1"' } });
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  hits.length = 0;
});

const origin = `http://127.0.0.1:${server.port}`;
const anywhere: Guard = () => true;
const ask = (path: string, more: Partial<Outgoing> = {}): ReturnType<typeof guardedFetch> =>
  guardedFetch({ url: `${origin}${path}`, guard: anywhere, limitMs: 20_000, bytesMax: 1_000, ...more });

test('an answer comes with its head and body', async () => {
  const answer = await ask('/x', { redirectsMax: 2 });
  expect(answer).toMatchObject({
    kind: 'answered',
    status: 200,
    headers: { etag: '"1"' },
    url: `${origin}/x`,
  });
  expect(answer.kind === 'answered' && Buffer.from(answer.body).toString()).toBe('here');
});

test('method, headers and body are sent as they are', async () => {
  const answer = await ask('/echo', { method: 'POST', headers: { 'x-mine': 'yes' }, body: 'words' });
  expect(answer.kind === 'answered' && Buffer.from(answer.body).toString()).toBe('words|yes');
});

describe('redirects', () => {
  test('are followed as far as asked, and say where they ended', async () => {
    expect(await ask('/moved', { redirectsMax: 1 })).toMatchObject({ status: 200, url: `${origin}/here` });
    expect(await ask('/moved')).toMatchObject({ kind: 'answered', status: 301 });
    expect(await ask('/loop', { redirectsMax: 3 })).toMatchObject({ trouble: 'too_many_redirects' });
    expect(hits.filter((hit) => hit === 'GET /loop')).toHaveLength(4);
  });

  test('are judged like the first address', async () => {
    const guard = configuredOnly(origin, []);
    expect(await ask('/metadata', { guard, redirectsMax: 3 })).toMatchObject({ trouble: 'address_refused' });
    expect(await ask('/file', { guard, redirectsMax: 3 })).toMatchObject({ trouble: 'not_an_address' });
  });

  test('never take a body along', async () =>
    expect(await ask('/moved', { method: 'POST', body: 'secret', redirectsMax: 3 })).toMatchObject({
      status: 301,
    }));
});

test.each([
  ['/large', {}, 'too_large'],
  ['/silent', { limitMs: 30 }, 'timed_out'],
  ['/x', { wants: () => false }, 'not_wanted'],
] as const)('%s %j is %s', async (path, more, trouble) =>
  expect(await ask(path, more)).toMatchObject({ kind: 'failed', trouble }),
);

test.each(['not an address', 'file:///etc/passwd', 'http://user:word@example.org/'])(
  '%s is no address',
  async (url) => expect(await ask('', { url })).toMatchObject({ kind: 'failed', trouble: 'not_an_address' }),
);

test('nobody there is a value, not an exception', async () =>
  expect(await ask('', { url: 'http://127.0.0.1:1/' })).toMatchObject({
    kind: 'failed',
    trouble: 'unreachable',
  }));

describe('guards', () => {
  test('strangers lead to nothing of ours, by address or by name', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1'])
      expect(await ask('', { url: `http://${host}:${server.port}/x`, guard: publicOnly })).toMatchObject({
        trouble: 'address_refused',
      });
    expect(hits).toEqual([]);
  });

  test.each([
    ['http://127.0.0.1:9/x', [], '127.0.0.1', '127.0.0.1', true],
    ['http://10.0.0.7/x', [], '10.0.0.7', '10.0.0.7', true],
    ['http://localhost:9/x', [], 'localhost', '127.0.0.1', true],
    ['https://status.example.org/x', [], 'status.example.org', '1.1.1.1', true],
    ['https://status.example.org/x', [], 'elsewhere.example', '1.1.1.1', true],
    // A public name that leads inside, a redirect that does, and the metadata of a cloud.
    ['https://status.example.org/x', [], 'status.example.org', '10.0.0.7', false],
    ['https://status.example.org/x', [], '10.0.0.7', '10.0.0.7', false],
    ['http://169.254.169.254/x', [], '169.254.169.254', '169.254.169.254', false],
    ['https://hooks.internal/x', ['hooks.internal'], 'hooks.internal', '10.0.0.7', true],
  ] as const)('%s with %j: %s at %s is %p', (url, allowed, host, address, expected) =>
    expect(configuredOnly(url, allowed)(host, address)).toBe(expected),
  );
});
