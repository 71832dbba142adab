/** Compressed request bodies. The limit counts what comes out, so that a small bomb stays small. */
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';

export type Decompressed =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'unreadable'; readonly message: string };

type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/** `encoding` is the value of `content-encoding`; absent and `identity` leave the bytes as they are. */
export async function decompress(
  bytes: Uint8Array,
  encoding: string | null,
  bytesMax: number,
): Promise<Decompressed> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return { kind: 'bytes', bytes };
  const unpack = decompressors.get(name);
  if (unpack === undefined)
    return {
      kind: 'unreadable',
      message: `The content-encoding "${name.slice(0, 64)}" is not known here; send gzip, br, zstd, deflate or none.`,
    };
  try {
    return { kind: 'bytes', bytes: await unpack(bytes, { maxOutputLength: bytesMax }) };
  } catch (error) {
    if (isTooLarge(error)) return { kind: 'too_large' };
    return { kind: 'unreadable', message: `The body is not valid ${name}.` };
  }
}
