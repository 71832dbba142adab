/**
 * What a power loss left at the end of SQLite's write-ahead log: the last transaction, if it was not finished. SQLite takes
 * it off by itself and says nothing; an operator wants to know. Read before the database is opened.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const headBytes = 32;
const frameHeadBytes = 24;
const pageBytesMax = 65_536;
const magics = { little: 0x37_7f_06_82, big: 0x37_7f_06_83 } as const;

type Sums = readonly [number, number];

/** SQLite's checksum, eight bytes at a time. */
function sumsOf(bytes: DataView, isLittle: boolean, [first, second]: Sums): Sums {
  let [one, two] = [first, second];
  for (let at = 0; at < bytes.byteLength; at += 8) {
    one = (one + bytes.getUint32(at, isLittle) + two) >>> 0;
    two = (two + bytes.getUint32(at + 4, isLittle) + one) >>> 0;
  }
  return [one, two];
}

function read(file: number, length: number, at: number): DataView | null {
  const bytes = new Uint8Array(length);
  return readSync(file, bytes, 0, length, at) === length ? new DataView(bytes.buffer) : null;
}

const part = (view: DataView, from: number, length: number): DataView =>
  new DataView(view.buffer, view.byteOffset + from, length);

/** Bytes after the last whole transaction that were meant to be one; 0 when it ends as it should. */
function unfinishedIn(file: number): number {
  const { size } = fstatSync(file);
  const head = read(file, headBytes, 0);
  const magic = head?.getUint32(0);
  if (head === null || (magic !== magics.little && magic !== magics.big)) return 0;
  const isLittle = magic === magics.little;
  const pageBytes = head.getUint32(8);
  // A head that is damaged says anything; SQLite does not read such a log.
  if (pageBytes < 512 || pageBytes > pageBytesMax) return 0;
  const salts = head.getBigUint64(16);
  let sums = sumsOf(part(head, 0, 24), isLittle, [0, 0]);
  let [whole, written] = [headBytes, headBytes];
  for (let at = headBytes; at < size; at += frameHeadBytes + pageBytes) {
    const frameHead = read(file, frameHeadBytes, at);
    // Frames of an older round of the log have other salts: they are no part of it.
    if (frameHead === null || frameHead.getBigUint64(8) !== salts) break;
    written = Math.min(size, at + frameHeadBytes + pageBytes);
    const page = read(file, pageBytes, at + frameHeadBytes);
    if (page === null) break;
    sums = sumsOf(page, isLittle, sumsOf(part(frameHead, 0, 8), isLittle, sums));
    if (frameHead.getUint32(16) !== sums[0] || frameHead.getUint32(20) !== sums[1]) break;
    if (frameHead.getUint32(4) !== 0) whole = written;
  }
  return written - whole;
}

export function unfinishedBytes(databasePath: string): number {
  const path = `${databasePath}-wal`;
  if (!existsSync(path)) return 0;
  const file = openSync(path, 'r');
  try {
    return unfinishedIn(file);
  } finally {
    closeSync(file);
  }
}
