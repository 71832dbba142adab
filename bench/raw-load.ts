/**
 * The cheapest load that can be made here: requests as prepared bytes on sockets that are kept, answers counted and not
 * read. A fetch costs its maker as much as the gateway; this costs about a tenth, so that one core makes more than another
 * can answer. Either as fast as answers come, or so many a second, each timed from the moment it was due.
 */
import type { Socket } from 'bun';

export type LoadAsked = {
  readonly url: string;
  readonly key: string;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** Null: the next request follows the answer. */
  readonly perSecond: number | null;
};
export type Loaded = { readonly waitsMs: readonly number[]; readonly seconds: number };

const headersEnd = '\r\n\r\n';
const lastChunk = '0\r\n\r\n';

/** Says when an answer is whole, from the bytes as they come. */
class AnswerReader {
  #text = '';
  #left: number | 'chunks' | null = null;

  /** Whether these bytes end the answer. Throws when it is no 200. */
  isWhole(bytes: Buffer): boolean {
    if (typeof this.#left === 'number') return this.#ended(bytes.length);
    this.#text += bytes.toString('latin1');
    if (this.#left === 'chunks') return this.#endedChunks();
    const end = this.#text.indexOf(headersEnd);
    if (end < 0) return false;
    const head = this.#text.slice(0, end);
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(`the answer began with ${head.slice(0, 40)}`);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    this.#left = length === undefined ? 'chunks' : Number(length);
    return this.#left === 'chunks'
      ? this.#endedChunks()
      : this.#ended(this.#text.length - end - headersEnd.length);
  }

  #ended(count: number): boolean {
    this.#left = Number(this.#left) - count;
    if (this.#left > 0) return false;
    return this.#over();
  }

  #endedChunks(): boolean {
    return this.#text.endsWith(lastChunk) && this.#over();
  }

  #over(): true {
    this.#text = '';
    this.#left = null;
    return true;
  }
}

const requestBytes = ({ url, key, body }: LoadAsked): Buffer =>
  Buffer.from(
    [
      'POST /v1/chat/completions HTTP/1.1',
      `host: ${new URL(url).host}`,
      'content-type: application/json',
      `authorization: Bearer ${key}`,
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );

type Line = { socket: Socket | null; since: number; readonly reader: AnswerReader };

/** Makes load until the time is over and every answer is there. */
export async function rawLoad(asked: LoadAsked): Promise<Loaded> {
  const bytes = requestBytes(asked);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const waitsMs: number[] = [];
  const free: Line[] = [];
  const lines = Array.from({ length: asked.connections }, (): Line => ({
    socket: null,
    since: 0,
    reader: new AnswerReader(),
  }));
  const { hostname, port } = new URL(asked.url);
  for (const line of lines)
    line.socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_socket, data) => {
          try {
            if (line.reader.isWhole(data)) answered(line);
          } catch (error) {
            reject(error as Error);
          }
        },
        close: () => reject(new Error('the connection was closed')),
        error: (_socket, error) => reject(error),
      },
    });
  const began = performance.now();
  const end = began + asked.seconds * 1_000;
  let open = 0;
  let sent = 0;
  const send = (line: Line, since: number): void => {
    line.since = since;
    open++;
    sent++;
    line.socket?.write(bytes);
  };
  /** When the next request is due. */
  const due = (): number =>
    asked.perSecond === null ? performance.now() : began + (sent * 1_000) / asked.perSecond;
  const answered = (line: Line): void => {
    open--;
    waitsMs.push(performance.now() - line.since);
    free.push(line);
    next();
  };
  const next = (): void => {
    for (let at = due(); free.length > 0 && at <= performance.now() && at < end; at = due()) {
      const line = free.shift();
      if (line !== undefined) send(line, at);
    }
    if (open === 0 && performance.now() >= end) resolve();
  };
  free.push(...lines);
  const timer = setInterval(next, 1);
  next();
  await promise.finally(() => clearInterval(timer));
  const seconds = (performance.now() - began) / 1_000;
  for (const { socket } of lines) {
    socket?.reload({ socket: { data: () => {} } });
    socket?.end();
  }
  return { waitsMs, seconds };
}
