/**
 * Puts the parts of a streamed answer one after the other.
 *
 * Chat completions may send parallel tool calls interleaved; the neutral form has one open part at a time. The first
 * part is passed on live, later ones are kept back until the ones before are closed: text when anything follows it, a
 * tool call when its arguments are a whole JSON object or the answer ends.
 */
import type { AnswerEvent } from '../conversation.ts';
import { type Call, isWhole } from './tool-calls.ts';

type TextKind = 'text' | 'thinking' | 'refusal';
type PlainPart = { readonly kind: TextKind; held: string };
type CallPart = {
  readonly kind: 'call';
  readonly call: Call;
  readonly id: string;
  readonly name: string;
  held: string;
};

/** The name and the id a call has for the caller. */
export type CallNaming = (call: Call) => { readonly id: string; readonly name: string };

function startEvent(part: PlainPart | CallPart): AnswerEvent {
  switch (part.kind) {
    case 'text':
      return { kind: 'text_start' };
    case 'thinking':
      return { kind: 'thinking_start' };
    case 'refusal':
      return { kind: 'refusal_start' };
    case 'call':
      return { kind: 'tool_start', id: part.id, name: part.name };
  }
}

function deltaEvent(part: PlainPart | CallPart, added: string): AnswerEvent {
  switch (part.kind) {
    case 'text':
      return { kind: 'text_delta', text: added };
    case 'thinking':
      return { kind: 'thinking_delta', text: added };
    case 'refusal':
      return { kind: 'refusal_delta', text: added };
    case 'call':
      return { kind: 'tool_delta', json: added };
  }
}

export class PartSequence {
  readonly #naming: CallNaming;
  /** The first one is live, the others wait. */
  readonly #parts: (PlainPart | CallPart)[] = [];
  #events: AnswerEvent[] = [];

  constructor(naming: CallNaming) {
    this.#naming = naming;
  }

  /** The events since the last time. */
  drain(): readonly AnswerEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  addText(kind: TextKind, added: string): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && last.kind === kind) this.#add(last, added);
    else this.#open({ kind, held: '' }, added);
  }

  addToCall(call: Call, added: string): void {
    const part = this.#parts.find((open) => open.kind === 'call' && open.call === call);
    if (part !== undefined) {
      this.#add(part, added);
      if (this.#parts.length > 1 && added.trimEnd().endsWith('}')) this.#settle();
    } else if (call.name !== '') {
      // Until its name is known a call cannot start; what came before the name is in its arguments.
      this.#open({ kind: 'call', call, ...this.#naming(call), held: '' }, call.arguments);
    }
  }

  finish(): void {
    while (this.#parts.length > 0) this.#closeFirst();
  }

  #open(part: PlainPart | CallPart, added: string): void {
    this.#parts.push(part);
    if (this.#parts.length === 1) this.#events.push(startEvent(part));
    this.#add(part, added);
    this.#settle();
  }

  #add(part: PlainPart | CallPart, added: string): void {
    if (added === '') return;
    if (part === this.#parts[0]) this.#events.push(deltaEvent(part, added));
    else part.held += added;
  }

  #settle(): void {
    for (;;) {
      const [first] = this.#parts;
      if (first === undefined || this.#parts.length === 1) return;
      if (first.kind === 'call' && !isWhole(first.call)) return;
      this.#closeFirst();
    }
  }

  /** Closes the live part and makes the next one live. */
  #closeFirst(): void {
    const part = this.#parts.shift();
    if (part?.kind === 'call' && part.call.arguments === '') this.#events.push(deltaEvent(part, '{}'));
    this.#events.push({ kind: 'part_end', opaque: null });
    const [next] = this.#parts;
    if (next === undefined) return;
    this.#events.push(startEvent(next));
    if (next.held !== '') this.#events.push(deltaEvent(next, next.held));
  }
}
