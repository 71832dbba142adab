/**
 * HTTP/1.1 on a raw socket, so that a simulated provider can do what a broken one does: reset a connection, end it in
 * the middle of a chunk, write one byte at a time.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';

import { WireReader } from './wire-request.ts';
import type { WireRequest } from './wire-request.ts';

export type WireReply = {
  /** True once the client has gone. */
  readonly gone: () => boolean;
  /** Calls back when the client goes, unless the returned function was called before. */
  readonly onGone: (callback: () => void) => () => void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when the client has taken it. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** A real TCP reset, after what was written has left. */
  reset(): void;
  /** Closes in the middle of the body. */
  fin(): void;
};

const nothing = (): void => {};

class SocketReply implements WireReply {
  readonly #socket: Socket;
  readonly #request: WireRequest;
  readonly #whenDone: () => void;
  readonly #callbacks = new Set<() => void>();
  #gone = false;
  #done = false;
  #unsentWrites = 0;
  #wantsReset = false;

  constructor(socket: Socket, request: WireRequest, whenDone: () => void) {
    this.#socket = socket;
    this.#request = request;
    this.#whenDone = whenDone;
  }

  left(): void {
    if (this.#done || this.#gone) return;
    this.#gone = true;
    for (const callback of this.#callbacks) callback();
    this.#callbacks.clear();
  }

  gone = (): boolean => this.#gone;

  onGone = (callback: () => void): (() => void) => {
    if (this.#gone) {
      callback();
      return nothing;
    }
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  };

  #send(bytes: Uint8Array | string): boolean {
    this.#unsentWrites++;
    return this.#socket.write(bytes, () => {
      this.#unsentWrites--;
      if (this.#unsentWrites === 0 && this.#wantsReset) this.#socket.resetAndDestroy();
    });
  }

  get #isBodiless(): boolean {
    return this.#request.method === 'HEAD';
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#gone) return;
    const lines = Object.entries({
      ...headers,
      date: new Date().toUTCString(),
      'transfer-encoding': 'chunked',
    });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#send(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${text}\r\n`);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#gone || this.#isBodiless || bytes.length === 0) return Promise.resolve();
    const size = `${bytes.length.toString(16)}\r\n`;
    if (this.#send(Buffer.concat([Buffer.from(size), bytes, Buffer.from('\r\n')]))) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const forget = this.onGone(resolve);
    this.#socket.once('drain', () => {
      forget();
      resolve();
    });
    return promise;
  }

  end(): void {
    if (this.#gone) return;
    this.#done = true;
    if (!this.#isBodiless) this.#send('0\r\n\r\n');
    if (this.#request.headers.get('connection')?.toLowerCase() === 'close') this.#socket.end();
    else this.#whenDone();
  }

  reset(): void {
    this.#done = true;
    this.#wantsReset = true;
    if (this.#unsentWrites === 0) this.#socket.resetAndDestroy();
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
  const reader = new WireReader();
  let current: SocketReply | null = null;
  const next = (): void => {
    if (current !== null) return;
    const reading = reader.next();
    switch (reading.kind) {
      case 'more':
        return;
      case 'bad':
        socket.destroy();
        return;
      case 'continue':
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        next();
        return;
      case 'request':
        current = new SocketReply(socket, reading.request, () => {
          current = null;
          next();
        });
        // A defect of the simulator must not pass for a fault it was asked for: it goes on, unhandled.
        void handler(reading.request, current).catch((problem: unknown) => {
          socket.destroy();
          throw problem;
        });
    }
  };
  const left = (): void => current?.left();
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    if (reader.append(Buffer.from(chunk), current !== null)) next();
    else socket.destroy();
  });
  socket.on('end', left);
  socket.on('error', left);
  socket.on('close', left);
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
      const closing = [...sockets].map((socket) => {
        const { promise: closed, resolve: close } = Promise.withResolvers<void>();
        socket.once('close', () => close());
        return closed;
      });
      const { promise: silent, resolve: silence } = Promise.withResolvers<void>();
      server.close(() => silence());
      for (const socket of sockets) socket.destroy();
      await Promise.all([...closing, silent]);
    },
  };
}
