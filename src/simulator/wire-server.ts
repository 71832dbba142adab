/**
 * HTTP/1.1 on a raw socket, so that a simulated provider can do what a broken one does: reset a connection, end it in
 * the middle of a chunk, write one byte at a time. Understands only what clients of model APIs send.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export type WireRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
};

export type WireReply = {
  /** True once the client has gone. */
  readonly gone: () => boolean;
  readonly onGone: (callback: () => void) => void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when the client has taken it. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** A real TCP reset. */
  reset(): void;
  /** Closes in the middle of the body. */
  fin(): void;
};

const headBytesMax = 65_536;
const bodyBytesMax = 64 * 1_048_576;
const headEnd = Buffer.from('\r\n\r\n');

type Parsed = { readonly request: WireRequest; readonly rest: Buffer };

function dechunk(buffer: Buffer): { readonly body: Buffer; readonly rest: Buffer } | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(buffer.toString('latin1', at, line), 16);
    const start = line + 2;
    if (buffer.length < start + size + 2) return null;
    if (size === 0) return { body: Buffer.concat(parts), rest: buffer.subarray(start + 2) };
    parts.push(buffer.subarray(start, start + size));
    at = start + size + 2;
  }
}

function parse(buffer: Buffer): Parsed | 'more' | 'bad' {
  const end = buffer.indexOf(headEnd);
  if (end < 0) return buffer.length > headBytesMax ? 'bad' : 'more';
  const [first = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const after = buffer.subarray(end + headEnd.length);
  if (headers.get('transfer-encoding')?.includes('chunked') === true) {
    const chunked = dechunk(after);
    return chunked === null
      ? 'more'
      : { request: { method, path, headers, body: chunked.body }, rest: chunked.rest };
  }
  const length = Number(headers.get('content-length') ?? 0);
  if (!(length >= 0 && length <= bodyBytesMax)) return 'bad';
  if (after.length < length) return 'more';
  return {
    request: { method, path, headers, body: after.subarray(0, length) },
    rest: after.subarray(length),
  };
}

class SocketReply implements WireReply {
  readonly #socket: Socket;
  readonly #whenDone: () => void;
  #gone = false;
  #callbacks: (() => void)[] = [];
  #done = false;

  constructor(socket: Socket, whenDone: () => void) {
    this.#socket = socket;
    this.#whenDone = whenDone;
  }

  left(): void {
    if (this.#done || this.#gone) return;
    this.#gone = true;
    for (const callback of this.#callbacks) callback();
  }

  gone = (): boolean => this.#gone;

  onGone = (callback: () => void): void => {
    this.#callbacks.push(callback);
  };

  head(status: number, headers: Readonly<Record<string, string>>): void {
    const lines = Object.entries({ ...headers, 'transfer-encoding': 'chunked' }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    this.#socket.write(`HTTP/1.1 ${status} Simulated\r\n${lines.join('\r\n')}\r\n\r\n`);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#gone || bytes.length === 0) return Promise.resolve();
    const chunk = Buffer.concat([
      Buffer.from(`${bytes.length.toString(16)}\r\n`),
      bytes,
      Buffer.from('\r\n'),
    ]);
    if (this.#socket.write(chunk)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve);
    this.#callbacks.push(resolve);
    return promise;
  }

  end(): void {
    if (this.#gone) return;
    this.#done = true;
    this.#socket.write('0\r\n\r\n');
    this.#whenDone();
  }

  reset(): void {
    this.#done = true;
    this.#socket.resetAndDestroy();
  }

  fin(): void {
    this.#done = true;
    this.#socket.end();
  }
}

export type WireServer = {
  readonly port: number;
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
};

export type WireHandler = (request: WireRequest, reply: WireReply) => Promise<void>;

function serveSocket(socket: Socket, handler: WireHandler): void {
  let buffer: Buffer = Buffer.alloc(0);
  let current: SocketReply | null = null;
  const next = (): void => {
    if (current !== null) return;
    const parsed = parse(buffer);
    if (parsed === 'bad') socket.destroy();
    if (typeof parsed === 'string') return;
    buffer = parsed.rest;
    current = new SocketReply(socket, () => {
      current = null;
      next();
    });
    handler(parsed.request, current).catch(() => socket.destroy());
  };
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, Buffer.from(chunk)]);
    next();
  });
  socket.on('error', () => current?.left());
  socket.on('close', () => current?.left());
}

export async function listenOnWire(host: string, port: number, handler: WireHandler): Promise<WireServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveSocket(socket, handler);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, backlog: 4_096 }, resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    connections: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
