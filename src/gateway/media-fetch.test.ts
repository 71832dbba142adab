import { afterAll, describe, expect, test } from 'bun:test';

import type { Conversation } from '../dialects/conversation.ts';
import { codecFor } from '../dialects/registry.ts';
import { createMediaFetcher, hasMediaUrls, withInlineMedia } from './media-fetch.ts';
import { isPublicAddress } from '../outbound/public-address.ts';

const png = Buffer.from('iVBORw0KGgo=', 'base64');
const hits: string[] = [];
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    const { pathname } = new URL(request.url);
    hits.push(pathname);
    if (pathname === '/moved') return Response.redirect('/picture', 302);
    if (pathname === '/page') return new Response('<html>', { headers: { 'content-type': 'text/html' } });
    if (pathname === '/large')
      return new Response(Buffer.alloc(5_000), { headers: { 'content-type': 'image/png' } });
    return new Response(png, { headers: { 'content-type': 'image/png; charset=binary' } });
  },
});
afterAll(() => server.stop(true));
const at = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
const open = createMediaFetcher({ guard: () => true, bytesMax: 1_000 });

describe('what may be fetched', () => {
  test('a picture, as the bytes it is', async () => {
    expect(await open(at('/picture'))).toEqual({
      kind: 'data',
      mediaType: 'image/png',
      base64: png.toString('base64'),
    });
  });

  test.each(['/moved', '/page', '/large'])('not %s', async (path) => {
    expect(await open(at(path))).toBeNull();
  });

  test.each([
    'file:///etc/passwd',
    'ftp://example.org/a.png',
    'not an address',
    'http://user:word@example.org/',
  ])('not %s', async (url) => {
    expect(await open(url)).toBeNull();
  });
});

describe('where it may be fetched from', () => {
  const guarded = createMediaFetcher();

  test('nothing of this machine is asked, by address or by name', async () => {
    hits.length = 0;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '0x7f.1'])
      expect(await guarded(`http://${host}:${server.port}/picture`)).toBeNull();
    expect(hits).toEqual([]);
  });

  test.each([
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    'fd00::1',
    'fe80::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(['1.1.1.1', '172.32.0.1', '8.8.8.8', '2606:4700:4700::1111', '::ffff:1.1.1.1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('in a conversation', () => {
  const decoded = codecFor('openai-chat').decodeRequest({
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
          { type: 'image_url', image_url: { url: 'https://example.org/gone.png' } },
        ],
      },
    ],
  }) as Conversation;
  const traits = {
    upstream: 'gemini-2.5-flash',
    vendor: 'google',
    family: 'gemini-flash',
    outputTokens: 1_000,
    compatible: false,
    thinking: true,
  };
  const asked: string[] = [];
  const fetcher = (url: string): Promise<{ kind: 'data'; mediaType: string; base64: string } | null> => {
    asked.push(url);
    return Promise.resolve(
      url.endsWith('a.png') ? { kind: 'data', mediaType: 'image/png', base64: 'AAAA' } : null,
    );
  };

  test('each address is asked once, and what was found takes its place', async () => {
    expect(hasMediaUrls(decoded)).toBe(true);
    const inline = await withInlineMedia(decoded, fetcher);
    expect(asked).toEqual(['https://example.org/a.png', 'https://example.org/gone.png']);
    expect(inline.messages[0]?.parts).toEqual([
      { kind: 'image', media: { kind: 'data', mediaType: 'image/png', base64: 'AAAA' } },
      { kind: 'image', media: { kind: 'url', url: 'https://example.org/gone.png' } },
    ]);
  });

  test('a target that takes no addresses is left out when one could not be fetched', async () => {
    const inline = await withInlineMedia(decoded, fetcher);
    expect(codecFor('gemini').encodeRequest(inline, traits)).toEqual({
      kind: 'lacks',
      capability: 'image_url',
    });
  });
});
