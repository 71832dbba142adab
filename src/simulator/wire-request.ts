/** Bytes of a connection → HTTP/1.1 requests. Understands only what clients of model APIs send. */
import { gunzipSync } from 'node:zlib';

export type WireRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
};

export type WireReading =
  | { readonly kind: 'request'; readonly request: WireRequest }
  /** The client waits for permission to send its body. */
  | { readonly kind: 'continue' }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad' };

const headBytesMax = 65_536;
const bodyBytesMax = 64 * 1_048_576;
/** What a client may send ahead while its last request is being answered. */
const aheadBytesMax = 1_048_576;
const inboxBytesMin = 4_096;
const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const chunkLineBytesMax = 1_024;

/** Bytes that arrived and are not read yet. Grows by doubling, so that a large body is copied a few times, not hundreds. */
class Inbox {
  #bytes = Buffer.allocUnsafe(inboxBytesMin);
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  append(chunk: Uint8Array): void {
    if (this.#to + chunk.length > this.#bytes.length) {
      const held = this.#bytes.subarray(this.#from, this.#to);
      const room = Math.max(inboxBytesMin, 2 * (held.length + chunk.length));
      const larger = Buffer.allocUnsafe(room);
      larger.set(held);
      this.#bytes = larger;
      this.#to = held.length;
      this.#from = 0;
    }
    this.#bytes.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  indexOf(mark: Buffer): number {
    return this.#bytes.subarray(this.#from, this.#to).indexOf(mark);
  }

  peek(count: number): string {
    return this.#bytes.toString('latin1', this.#from, this.#from + count);
  }

  take(count: number): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(this.#from, this.#from + count));
    this.#from += count;
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
      if (this.#bytes.length > aheadBytesMax) this.#bytes = Buffer.allocUnsafe(inboxBytesMin);
    }
    return taken;
  }
}

type Head = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** Bytes of the body; null when it comes in chunks. */
  readonly length: number | null;
  readonly chunks: Buffer[];
};

function readHead(text: string): Head | null {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return null;
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const chunked = headers.get('transfer-encoding')?.includes('chunked') === true;
  const length = Number(headers.get('content-length') ?? 0);
  if (!path.startsWith('/') || !(length >= 0 && length <= bodyBytesMax)) return null;
  return { method, path, headers, length: chunked ? null : length, chunks: [] };
}

function unpacked(headers: Headers, body: Buffer): Uint8Array | null {
  if (headers.get('content-encoding') !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: bodyBytesMax });
  } catch {
    return null;
  }
}

export class WireReader {
  readonly #inbox = new Inbox();
  #head: Head | null = null;
  #body = 0;

  /** False when the client sends more ahead than it may. */
  append(chunk: Uint8Array, answering: boolean): boolean {
    this.#inbox.append(chunk);
    return !answering || this.#inbox.length <= aheadBytesMax;
  }

  next(): WireReading {
    if (this.#head === null) {
      const end = this.#inbox.indexOf(headEnd);
      if (end < 0) return { kind: this.#inbox.length > headBytesMax ? 'bad' : 'more' };
      const head = readHead(this.#inbox.take(end + headEnd.length).toString('latin1', 0, end));
      if (head === null) return { kind: 'bad' };
      this.#head = head;
      this.#body = 0;
      if (head.headers.get('expect') === '100-continue') return { kind: 'continue' };
    }
    const body =
      this.#head.length === null ? this.#chunkedBody(this.#head) : this.#sizedBody(this.#head.length);
    if (typeof body === 'string') return { kind: body };
    const { method, path, headers } = this.#head;
    this.#head = null;
    const plain = unpacked(headers, body);
    return plain === null
      ? { kind: 'bad' }
      : { kind: 'request', request: { method, path, headers, body: plain } };
  }

  #sizedBody(length: number): Buffer | 'more' {
    return this.#inbox.length < length ? 'more' : this.#inbox.take(length);
  }

  #chunkedBody(head: Head): Buffer | 'more' | 'bad' {
    for (;;) {
      const line = this.#inbox.indexOf(lineEnd);
      if (line < 0) return this.#inbox.length > chunkLineBytesMax ? 'bad' : 'more';
      if (line > chunkLineBytesMax) return 'bad';
      const size = this.#chunkSize(line);
      if (size === null || this.#body + size > bodyBytesMax) return 'bad';
      const whole = line + lineEnd.length + size + lineEnd.length;
      if (this.#inbox.length < whole) return 'more';
      const chunk = this.#inbox.take(whole);
      if (size === 0) return Buffer.concat(head.chunks);
      this.#body += size;
      head.chunks.push(chunk.subarray(line + lineEnd.length, whole - lineEnd.length));
    }
  }

  #chunkSize(line: number): number | null {
    const size = Number.parseInt(this.#inbox.peek(line), 16);
    return size >= 0 ? size : null;
  }
}
