/** Reads a request body with its limits: size, and how long it may pause. */
import type { Limits } from '../core/snapshot.ts';
import { decompress } from './decompress.ts';
import type { Watchdog } from './watchdog.ts';

export type BodyRead =
  | { readonly kind: 'text'; readonly text: string; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'paused' }
  /** The caller closed the connection before all of it was here. */
  | { readonly kind: 'left' }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Keeps a byte order mark, so that it shows as what it is: not JSON. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): BodyRead {
  try {
    return { kind: 'text', text: decoder.decode(bytes), bytes };
  } catch {
    return { kind: 'unreadable', message: 'The body is not valid UTF-8.' };
  }
}

/** What a body is read under. */
export type Patience = {
  readonly limits: Limits;
  readonly watchdog: Watchdog;
  readonly now: () => number;
};

/** A promise that is not waited for longer than a body may pause. */
function within<T>(promise: Promise<T>, { limits, watchdog, now }: Patience): Promise<T | 'paused'> {
  const { promise: first, resolve, reject } = Promise.withResolvers<T | 'paused'>();
  const watch = { dueAt: now() + limits.bodyPauseMs, expire: () => resolve('paused') };
  watchdog.add(watch);
  promise.then(
    (value) => {
      watchdog.remove(watch);
      resolve(value);
    },
    (error: unknown) => {
      watchdog.remove(watch);
      reject(error);
    },
  );
  return first;
}

/** What arrived, unpacked where it was packed. */
async function unpacked(bytes: Uint8Array, request: Request, { limits }: Patience): Promise<BodyRead> {
  const encoding = request.headers.get('content-encoding');
  if (encoding === null) return decoded(bytes);
  const plain = await decompress(bytes, encoding, limits.bodyBytesMax);
  return plain.kind === 'bytes' ? decoded(plain.bytes) : plain;
}

async function readChunks(
  request: Request,
  body: ReadableStream<Uint8Array>,
  patience: Patience,
): Promise<BodyRead> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const read = await within(reader.read(), patience);
    if (read === 'paused') {
      void reader.cancel().catch(() => {});
      return { kind: 'paused' };
    }
    if (read.done) return unpacked(Buffer.concat(chunks), request, patience);
    size += read.value.length;
    if (size > patience.limits.bodyBytesMax) {
      void reader.cancel().catch(() => {});
      return { kind: 'too_large' };
    }
    chunks.push(read.value);
  }
}

/** A body this small has usually arrived with its headers. */
const smallBodyBytes = 65_536;

/** A small body that is not packed, read in one step: what nearly every request is. */
function readSmall(request: Request, { limits, watchdog, now }: Patience): Promise<BodyRead> {
  const { promise, resolve } = Promise.withResolvers<BodyRead>();
  const watch = { dueAt: now() + limits.bodyPauseMs, expire: () => resolve({ kind: 'paused' }) };
  watchdog.add(watch);
  request.bytes().then(
    (bytes) => {
      watchdog.remove(watch);
      resolve(decoded(bytes));
    },
    () => {
      watchdog.remove(watch);
      resolve(brokenOff(request));
    },
  );
  return promise;
}

function brokenOff({ signal }: Request): BodyRead {
  return signal.aborted
    ? { kind: 'left' }
    : { kind: 'unreadable', message: 'The body ended before it was complete.' };
}

export function readBody(request: Request, patience: Patience): Promise<BodyRead> {
  const announced = Number(request.headers.get('content-length') ?? Number.NaN);
  if (announced > patience.limits.bodyBytesMax) return Promise.resolve({ kind: 'too_large' });
  return announced <= smallBodyBytes && request.headers.get('content-encoding') === null
    ? readSmall(request, patience)
    : readInPieces(request, patience);
}

async function readInPieces(request: Request, patience: Patience): Promise<BodyRead> {
  try {
    return request.body === null
      ? { kind: 'unreadable', message: 'The request has no body.' }
      : await readChunks(request, request.body, patience);
  } catch {
    return brokenOff(request);
  }
}
