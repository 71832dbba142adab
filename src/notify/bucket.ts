/** S3 and what speaks like it. */
import type { Bucket } from '../core/configure-stream.ts';

export function bucketClient({
  bucket,
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: Bucket): Bun.S3Client {
  return new Bun.S3Client({
    bucket,
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(accessKeyId === null ? {} : { accessKeyId: accessKeyId.reveal() }),
    ...(secretAccessKey === null ? {} : { secretAccessKey: secretAccessKey.reveal() }),
  });
}
