/**
 * S3 and what speaks like it: one object is put, within a time. The address is signed here and called like every other,
 * because a storage that takes a connection and says nothing would otherwise be waited for without end.
 */
import type { Bucket } from '../core/configure-stream.ts';
import { guardedFetch, privateToo } from '../outbound/guarded-fetch.ts';

type Stored = { readonly key: string; readonly body: string; readonly type: string };

const answerBytesMax = 65_536;
/** A signed address is of no use to anybody after that. */
const signedSeconds = 300;

function signedAddress(
  { bucket, endpoint, region, accessKeyId, secretAccessKey }: Bucket,
  key: string,
): string {
  const client = new Bun.S3Client({
    bucket,
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(accessKeyId === null ? {} : { accessKeyId: accessKeyId.reveal() }),
    ...(secretAccessKey === null ? {} : { secretAccessKey: secretAccessKey.reveal() }),
  });
  return client.presign(key, { method: 'PUT', expiresIn: signedSeconds });
}

/** `<Code>SlowDown</Code>`: what the storage calls its trouble. */
function troubleCode(body: Uint8Array): string {
  const code = /<Code>(\w{1,64})<\/Code>/.exec(new TextDecoder().decode(body))?.[1];
  return code === undefined ? '' : ` (${code})`;
}

/** Says what went wrong, null when nothing did; never throws. */
export async function putObject(
  to: Bucket,
  { key, body, type }: Stored,
  limitMs: number,
): Promise<string | null> {
  try {
    const answer = await guardedFetch({
      url: signedAddress(to, key),
      guard: privateToo,
      method: 'PUT',
      headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) },
      body,
      limitMs,
      bytesMax: answerBytesMax,
    });
    if (answer.kind === 'failed') return `the storage ${answer.words}`;
    if (answer.status >= 200 && answer.status < 300) return null;
    return `the storage answered ${answer.status}${troubleCode(answer.body)}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be written';
  }
}
