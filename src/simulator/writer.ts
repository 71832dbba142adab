/** Writes text onto the wire in the style the faults ask for, and no further than they allow. */
import { faultOf } from './faults.ts';
import type { Fault } from './faults.ts';
import type { WireReply } from './wire-server.ts';

const encoder = new TextEncoder();
/** Long enough that two pieces arrive apart. */
const apartMs = 1;

/** Waits, but not longer than the client stays, nor than until it is `lifted`. */
export function pause(ms: number, reply: WireReply, lifted?: Promise<void>): Promise<void> {
  if (ms <= 0 || reply.gone()) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = (): void => {
    clearTimeout(timer);
    forget();
    resolve();
  };
  const timer = setTimeout(over, ms);
  const forget = reply.onGone(over);
  void lifted?.then(over);
  return promise;
}

const isLead = (byte: number | undefined): boolean => byte !== undefined && byte >= 0xc0;

/** Cuts after the first byte of every character that has several. */
function insideCharacters(bytes: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (let at = 1; at < bytes.length; at++) {
    if (!isLead(bytes[at - 1])) continue;
    pieces.push(bytes.subarray(from, at));
    from = at;
  }
  pieces.push(bytes.subarray(from));
  return pieces;
}

export class Writer {
  readonly #reply: WireReply;
  readonly #style: 'plain' | 'one_byte' | 'split';
  #bytesLeft: number;

  /** `bytesMax`: where the body is cut; infinite when it is not. */
  constructor(reply: WireReply, faults: readonly Fault[], bytesMax: number) {
    this.#reply = reply;
    this.#bytesLeft = bytesMax;
    this.#style =
      faultOf(faults, 'one_byte_writes') !== null
        ? 'one_byte'
        : faultOf(faults, 'split_utf8') !== null
          ? 'split'
          : 'plain';
  }

  /** `cut` once the last byte that is allowed is out. */
  async write(text: string): Promise<'written' | 'cut'> {
    const all = encoder.encode(text);
    const bytes = all.length < this.#bytesLeft ? all : all.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= bytes.length;
    await this.#send(bytes);
    return this.#bytesLeft <= 0 ? 'cut' : 'written';
  }

  async #send(bytes: Uint8Array): Promise<void> {
    switch (this.#style) {
      case 'plain':
        return this.#reply.write(bytes);
      case 'one_byte':
        for (let at = 0; at < bytes.length && !this.#reply.gone(); at++)
          await this.#reply.write(bytes.subarray(at, at + 1));
        return;
      case 'split':
        for (const [index, piece] of insideCharacters(bytes).entries()) {
          if (index > 0) await pause(apartMs, this.#reply);
          await this.#reply.write(piece);
        }
    }
  }
}
