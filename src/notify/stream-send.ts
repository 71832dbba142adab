/** Sends one piece of the ledger to where a stream goes. Says what went wrong, null when nothing did; never throws. */
import { manifest, otlpBody, webhookBody, windowBody, windowKey } from '../core/audit-stream.ts';
import type { StreamWindow } from '../core/audit-stream.ts';
import type { AuditStream } from '../core/configure-stream.ts';
import type { Instant } from '../core/ids.ts';
import { configuredOnly, guardedFetch, privateToo } from '../outbound/guarded-fetch.ts';
import { putObject } from './bucket.ts';
import { signedHeaders } from './standard-webhook.ts';

const limitMs = 30_000;
const answerBytesMax = 65_536;

type Post = { readonly body: string; readonly headers: Readonly<Record<string, string>> };

async function post(
  { url, allowPrivate }: { readonly url: string; readonly allowPrivate: boolean },
  { body, headers }: Post,
): Promise<string | null> {
  const answer = await guardedFetch({
    url,
    guard: allowPrivate ? privateToo : configuredOnly(url, []),
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Breakwater', ...headers },
    body,
    limitMs,
    bytesMax: answerBytesMax,
    redirectsMax: 0,
  });
  if (answer.kind === 'failed') return `the address ${answer.words}`;
  return answer.status >= 200 && answer.status < 300 ? null : `it answered ${answer.status}`;
}

/** The object first, its manifest last: what a manifest names is there. */
async function toBucket(
  { name, to }: Extract<AuditStream, { kind: 's3' }>,
  window: StreamWindow,
): Promise<string | null> {
  const place = `${to.prefix}${windowKey(window)}`;
  const body = windowBody(window);
  const object = body === '' ? null : { key: `${place}.ndjson`, sha256: Bun.SHA256.hash(body, 'hex') };
  if (object !== null) {
    const trouble = await putObject(to, { key: object.key, body, type: 'application/x-ndjson' }, limitMs);
    if (trouble !== null) return trouble;
  }
  const told = {
    key: `${place}.manifest.json`,
    body: manifest(name, window, object),
    type: 'application/json',
  };
  return putObject(to, told, limitMs);
}

export async function sendWindow(
  stream: AuditStream,
  window: StreamWindow,
  now: Instant,
): Promise<string | null> {
  switch (stream.kind) {
    case 'webhook': {
      const body = webhookBody(window, now);
      const id = `entries_${window.from}_${window.next}`;
      return post(stream, { body, headers: signedHeaders(id, body, stream.secrets, now) });
    }
    case 'otlp': {
      const headers = Object.fromEntries([...stream.headers].map(([name, value]) => [name, value.reveal()]));
      return post(stream, { body: otlpBody(window, now), headers });
    }
    case 's3':
      return toBucket(stream, window);
  }
}
