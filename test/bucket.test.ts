/** Objects put to a storage that checks what it is sent by itself, refuses, or says nothing. */
import { afterEach, expect, test } from 'bun:test';

import { createHmac } from 'node:crypto';

import { Secret } from '../src/core/secret.ts';
import { putObject } from '../src/notify/bucket.ts';

let storage: ReturnType<typeof Bun.serve> | null = null;
afterEach(() => storage?.stop(true));

function bucketAt(fetch: (request: Request) => Response | Promise<Response>) {
  storage = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
  return {
    bucket: 'audit',
    prefix: '',
    endpoint: `http://127.0.0.1:${storage.port}`,
    region: 'eu-central-1',
    accessKeyId: new Secret('the-id'),
    secretAccessKey: new Secret('the-secret'),
  };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signature Version 4 of an address, worked out from its specification. */
function isSigned(request: Request): boolean {
  const { host, pathname, searchParams } = new URL(request.url);
  const [id, day = '', region = '', service = '', end = ''] = (
    searchParams.get('X-Amz-Credential') ?? ''
  ).split('/');
  const fields = [...searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const query = fields
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const canonical = [request.method, pathname, query, `host:${host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join(
    '\n',
  );
  const scope = [day, region, service, end].join('/');
  const said = [
    'AWS4-HMAC-SHA256',
    searchParams.get('X-Amz-Date'),
    scope,
    Bun.SHA256.hash(canonical, 'hex'),
  ].join('\n');
  const key = [day, region, service, end].reduce<string | Buffer>(hmac, 'AWS4the-secret');
  const isOurs = id === 'the-id' && region === 'eu-central-1' && service === 's3';
  return isOurs && hmac(key, said).toString('hex') === searchParams.get('X-Amz-Signature');
}

const object = {
  key: 'a b/ü/2026/06/07/09-00-00.000Z.ndjson',
  body: '{"ü":1}\n',
  type: 'application/x-ndjson',
};

test('an object arrives signed, with its type, under its name', async () => {
  const taken: unknown[] = [];
  const to = bucketAt(async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    taken.push(
      isSigned(request),
      request.method,
      path,
      request.headers.get('content-type'),
      await request.text(),
    );
    return new Response('');
  });
  expect(await putObject(to, object, 30_000)).toBeNull();
  expect(taken).toEqual([true, 'PUT', `/audit/${object.key}`, object.type, object.body]);
});

test('a storage that refuses is quoted', async () => {
  const to = bucketAt(() => new Response('<Error><Code>SlowDown</Code></Error>', { status: 503 }));
  expect(await putObject(to, object, 30_000)).toBe('the storage answered 503 (SlowDown)');
});

test('a storage that says nothing is not waited for without end', async () => {
  const to = bucketAt(() => new Promise<Response>(() => {}));
  expect(await putObject(to, object, 100)).toBe('the storage did not answer in time');
});
