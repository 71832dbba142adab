/**
 * An answer to who asked for a stream, with the label of something else. Official clients read what they asked for and
 * pass over the label, so its first character says what it is: events, a whole body (which may be an error that came
 * with a 200), or nothing of use, such as a page of a proxy.
 */
import { failureOf } from '../core/failure.ts';
import type { BodyReader, PieceRead } from '../providers/provider.ts';
import type { AnswerSource, Piece } from './answer-source.ts';

type Openings = {
  readonly events: (body: BodyReader) => AnswerSource;
  readonly whole: (body: BodyReader) => AnswerSource;
};

/** The byte after blanks; null where there are only blanks. */
function firstByte({ value }: PieceRead): number | null {
  return value?.find((byte) => byte > 0x20) ?? null;
}

/** A line of events begins with `data`, `event`, `id`, `retry`, a colon, or a mark of the byte order before these. */
const beginnings: ReadonlySet<number> = new Set([...Buffer.from('deir:'), 0xef]);
const brace = 0x7b;

/** Gives what was read already, then the rest. */
function replayed(first: PieceRead, body: BodyReader): BodyReader {
  let held: PieceRead | null = first;
  return {
    read: () => {
      if (held === null) return body.read();
      const read = held;
      held = null;
      return Promise.resolve(read);
    },
    cancel: () => body.cancel(),
  };
}

class UnlabelledSource implements AnswerSource {
  readonly #body: BodyReader;
  readonly #openings: Openings;
  #source: AnswerSource | null = null;
  #released = false;

  constructor(body: BodyReader, openings: Openings) {
    this.#body = body;
    this.#openings = openings;
  }

  facts: AnswerSource['facts'] = () => this.#source?.facts() ?? null;

  malformedEvents = (): number => this.#source?.malformedEvents() ?? 0;

  release(): void {
    this.#released = true;
    if (this.#source === null) void this.#body.cancel().catch(() => {});
    else this.#source.release();
  }

  async next(): Promise<Piece> {
    const source = (this.#source ??= await this.#opened());
    if (source !== null) return source.next();
    this.release();
    return { kind: 'failed', failure: failureOf('malformed_response', 'content_type'), words: null };
  }

  async #opened(): Promise<AnswerSource | null> {
    const { events, whole } = this.#openings;
    let read: PieceRead;
    try {
      do read = await this.#body.read();
      while (!read.done && firstByte(read) === null);
    } catch (error) {
      return events({ read: () => Promise.reject(error), cancel: () => this.#body.cancel() });
    }
    const byte = firstByte(read);
    if (this.#released || (!read.done && byte !== brace && !beginnings.has(byte ?? brace))) return null;
    const body = replayed(read, this.#body);
    return byte === brace ? whole(body) : events(body);
  }
}

export function unlabelledSource(body: BodyReader, openings: Openings): AnswerSource {
  return new UnlabelledSource(body, openings);
}
