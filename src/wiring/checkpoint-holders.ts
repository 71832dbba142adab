/**
 * Those who hold checkpoints so that nobody can take them back: a file, a webhook, an object store. Each newer checkpoint
 * covers the older ones, so one that was not delivered is not tried again.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { AuditSettings } from '../core/configure-audit.ts';
import type { Bucket } from '../core/configure-stream.ts';
import { putObject } from '../notify/bucket.ts';
import { configuredOnly, guardedFetch } from '../outbound/guarded-fetch.ts';

export type Held = { readonly holder: 'file' | 'webhook' | 's3'; readonly trouble: string | null };
type Checkpoint = { readonly size: number; readonly note: string };

const limitMs = 10_000;

async function toFile(path: string, { note }: Checkpoint): Promise<string | null> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, `${note}\n`, { mode: 0o600, flush: true });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be written';
  }
}

async function toWebhook(url: string, { note }: Checkpoint): Promise<string | null> {
  const answer = await guardedFetch({
    url,
    guard: configuredOnly(url, []),
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: note,
    limitMs,
    bytesMax: 65_536,
    redirectsMax: 0,
  });
  if (answer.kind === 'failed') return answer.words;
  return answer.status >= 200 && answer.status < 300 ? null : `it answered ${answer.status}`;
}

/** Sizes are padded, so that the newest is the last of a listing. */
const toBucket = (bucket: Bucket, { size, note }: Checkpoint): Promise<string | null> => {
  const key = `${bucket.prefix}checkpoint-${String(size).padStart(15, '0')}.txt`;
  return putObject(bucket, { key, body: note, type: 'text/plain; charset=utf-8' }, limitMs);
};

/** Hands a checkpoint to every holder that is configured. Never throws. */
export async function holdCheckpoint(
  { file, webhook, s3 }: AuditSettings['checkpoints'],
  checkpoint: Checkpoint,
): Promise<readonly Held[]> {
  const held = async (holder: Held['holder'], sent: Promise<string | null>): Promise<Held> => ({
    holder,
    trouble: await sent,
  });
  return Promise.all([
    ...(file === null ? [] : [held('file', toFile(file, checkpoint))]),
    ...(webhook === null ? [] : [held('webhook', toWebhook(webhook, checkpoint))]),
    ...(s3 === null ? [] : [held('s3', toBucket(s3, checkpoint))]),
  ]);
}
