/**
 * Reads a streamed response.
 *
 * Only its own end signal (`completed` or `incomplete`) ends it well: clients of this dialect take a stream without one
 * as broken, and so does this reader. Items may interleave on the wire; neutral events open one part at a time, so the
 * first open item is live and the others are kept until it is done. An event that does not parse, or speaks of an item
 * that was never opened, is `malformed` and changes nothing.
 */
import type { AnswerEvent, Opaque } from '../conversation.ts';
import type { AnswerFacts, JsonObject, ReadEvent, StreamReader } from '../dialect.ts';
import { type AnswerContext, judgedCharactersMax } from '../judgement.ts';
import { isJsonObject, numberOf, objectOf, objectsOf, parseJson, textOf } from '../json-value.ts';
import { errorReading, reading, readings } from '../readings.ts';
import { callersToolName } from '../tool-names.ts';
import { readAnswer } from './answer.ts';
import { reasoningPart } from './decode-items.ts';
import { eventWords } from './error.ts';
import { toolNameLengthMax } from './limits.ts';
import { callName } from '../custom-tools.ts';
import { readUsage } from './usage.ts';

/** More items than this in one answer are not an answer. */
const itemsMax = 1_000;

type Kind = 'message' | 'reasoning' | 'function_call' | 'custom_tool_call' | 'other';

type Item = {
  readonly kind: Kind;
  readonly first: JsonObject;
  /** What of the item was given on, or waits to be. */
  held: AnswerEvent[];
  openPart: 'text' | 'refusal' | 'thinking' | 'call' | null;
  hasText: boolean;
  isDone: boolean;
  /** Text of a custom call: it is inside JSON in the neutral form, so it waits for its end. */
  input: string;
};

const knownKinds: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'function_call',
  'custom_tool_call',
]);

const textDeltas: ReadonlyMap<string, 'text' | 'refusal' | 'thinking'> = new Map([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'refusal'],
  ['response.reasoning_summary_text.delta', 'thinking'],
  ['response.reasoning_text.delta', 'thinking'],
]);

const preambles: ReadonlySet<string> = new Set([
  'response.created',
  'response.in_progress',
  'response.queued',
]);

export class ResponseStreamReader implements StreamReader {
  readonly #context: AnswerContext;
  readonly #translate: boolean;
  readonly #items = new Map<number, Item>();
  #hasStarted = false;
  #hasContent = false;
  #hasHole = false;
  #id = '';
  #model: string | null = null;
  #characters = 0;
  #final: JsonObject | null = null;
  #events: AnswerEvent[] = [];

  constructor(options: { readonly translate: boolean; readonly request: AnswerContext }) {
    this.#context = options.request;
    this.#translate = options.translate;
  }

  read(event: string | null, data: string): ReadEvent {
    const value = parseJson(data);
    if (!isJsonObject(value)) {
      if (data.trim() === '[DONE]') return readings.unknown;
      return event === 'error' ? errorReading(eventWords(null)) : readings.malformed;
    }
    const type = textOf(value['type']) ?? event ?? '';
    const textKind = textDeltas.get(type);
    if (textKind !== undefined) return this.#readText(value, textKind);
    if (preambles.has(type)) return this.#readHead(value);
    switch (type) {
      case 'response.output_item.added':
        return this.#readAdded(value);
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#readCallDelta(value);
      case 'response.reasoning_summary_part.added':
        return this.#readSummaryPart(value);
      case 'response.output_item.done':
        return this.#readDone(value);
      case 'response.completed':
      case 'response.incomplete':
        return this.#readEnd(value);
      case 'response.failed':
      case 'error':
        return errorReading(eventWords(objectOf(value['response']) ?? value));
    }
    if (isJsonObject(value['error'])) return errorReading(eventWords(value));
    return type.startsWith('response.') ? readings.progress : readings.unknown;
  }

  /** Nothing but the end signal proves a response whole. */
  end(): 'complete' | 'truncated' {
    return this.#final === null ? 'truncated' : 'complete';
  }

  missingTerminal(): string {
    return '';
  }

  facts(): AnswerFacts {
    const whole = this.#final === null ? null : readAnswer(this.#final, this.#context);
    if (whole !== null)
      return { ...whole, empty: whole.empty && !this.#hasContent, model: whole.model ?? this.#model };
    return {
      model: this.#model,
      fingerprint: null,
      finish: null,
      finishRaw: null,
      usage: readUsage(this.#final?.['usage']),
      empty: !this.#hasContent,
      toolCallInvalid: false,
      structuredOutputInvalid: false,
    };
  }

  closing(): readonly AnswerEvent[] {
    if (!this.#translate) return [];
    const start = this.#start();
    for (const item of this.#items.values()) this.#finishItem(item, null);
    this.#flush();
    const { finish, usage } = this.facts();
    return [
      ...start,
      ...this.#drain(),
      { kind: 'finish', reason: finish ?? 'other', stopSequence: null, usage },
    ];
  }

  #readHead(value: JsonObject): ReadEvent {
    const response = objectOf(value['response']);
    if (response === null) return readings.malformed;
    this.#id = textOf(response['id']) ?? this.#id;
    this.#model = textOf(response['model']) ?? this.#model;
    return reading('preamble', this.#start());
  }

  #start(): readonly AnswerEvent[] {
    if (this.#hasStarted || !this.#translate) return [];
    this.#hasStarted = true;
    return [{ kind: 'start', id: this.#id, model: this.#model ?? '', usage: null }];
  }

  #readAdded(value: JsonObject): ReadEvent {
    const first = objectOf(value['item']);
    const index = numberOf(value['output_index']);
    if (first === null || index === null || this.#items.size >= itemsMax) return readings.malformed;
    const type = textOf(first['type']) ?? '';
    const kind = knownKinds.has(type) ? (type as Kind) : 'other';
    const item: Item = {
      kind,
      first,
      held: [],
      openPart: null,
      hasText: false,
      isDone: false,
      input: '',
    };
    this.#items.set(index, item);
    const isCall = kind === 'function_call' || kind === 'custom_tool_call';
    if (isCall) {
      item.openPart = 'call';
      const id = textOf(first['call_id']) ?? textOf(first['id']) ?? '';
      const name = callersToolName(callName(first), this.#context.toolNames, toolNameLengthMax);
      this.#give(item, { kind: 'tool_start', id, name });
    }
    this.#hasContent ||= isCall || kind === 'other';
    return reading(isCall || kind === 'other' ? 'content' : 'progress', [...this.#start(), ...this.#drain()]);
  }

  #itemOf(value: JsonObject): Item | null {
    return this.#items.get(numberOf(value['output_index']) ?? -1) ?? null;
  }

  /** What belongs to an item that was never opened: the answer has a hole. */
  #misfit(): ReadEvent {
    this.#hasHole = true;
    return readings.malformed;
  }

  #readText(value: JsonObject, kind: 'text' | 'refusal' | 'thinking'): ReadEvent {
    const added = value['delta'];
    const item = this.#itemOf(value);
    if (typeof added !== 'string') return readings.malformed;
    if (item === null) return this.#misfit();
    if (added === '') return readings.progress;
    item.hasText = true;
    this.#hasContent = true;
    this.#addText(item, kind, added);
    return reading('content', this.#drain());
  }

  #addText(item: Item, kind: 'text' | 'refusal' | 'thinking', text: string): void {
    if (!this.#translate) return;
    if (item.openPart !== kind) {
      this.#closePart(item, null);
      item.openPart = kind;
      this.#give(item, { kind: `${kind}_start` });
    }
    this.#give(item, { kind: `${kind}_delta`, text });
  }

  #readSummaryPart(value: JsonObject): ReadEvent {
    const item = this.#itemOf(value);
    if (item?.openPart === 'thinking') this.#give(item, { kind: 'thinking_delta', text: '\n\n' });
    return reading('progress', this.#drain());
  }

  #readCallDelta(value: JsonObject): ReadEvent {
    const added = value['delta'];
    const item = this.#itemOf(value);
    if (typeof added !== 'string') return readings.malformed;
    if (item === null) return this.#misfit();
    if (added === '') return readings.progress;
    item.hasText = true;
    this.#hasContent = true;
    this.#characters += added.length;
    if (item.kind === 'custom_tool_call') {
      if (this.#characters <= judgedCharactersMax) item.input += added;
    } else this.#give(item, { kind: 'tool_delta', json: added });
    return reading('content', this.#drain());
  }

  #readDone(value: JsonObject): ReadEvent {
    const item = this.#itemOf(value);
    const last = objectOf(value['item']);
    if (item === null || last === null) return this.#misfit();
    const hadContent = this.#hasContent;
    this.#finishItem(item, last);
    this.#flush();
    // An item may come whole, without deltas.
    return reading(this.#hasContent && !hadContent ? 'content' : 'progress', this.#drain());
  }

  #finishItem(item: Item, last: JsonObject | null): void {
    if (item.isDone) return;
    item.isDone = true;
    if (!item.hasText && last !== null) this.#addWhole(item, last);
    if (item.kind === 'custom_tool_call')
      this.#give(item, { kind: 'tool_delta', json: JSON.stringify({ input: item.input }) });
    this.#closePart(item, last);
  }

  #addWhole(item: Item, last: JsonObject): void {
    switch (item.kind) {
      case 'function_call': {
        const json = textOf(last['arguments']) ?? '';
        this.#give(item, { kind: 'tool_delta', json: json === '' ? '{}' : json });
        return;
      }
      case 'custom_tool_call':
        item.input = textOf(last['input']) ?? '';
        return;
      case 'message':
        for (const part of objectsOf(last['content'])) {
          const text = textOf(part['text']) ?? textOf(part['refusal']) ?? '';
          if (text === '') continue;
          this.#hasContent = true;
          this.#addText(item, part['type'] === 'refusal' ? 'refusal' : 'text', text);
        }
        return;
      case 'reasoning': {
        const part = reasoningPart(last);
        if (part.kind !== 'thinking' || part.text === '') return;
        this.#hasContent = true;
        this.#addText(item, 'thinking', part.text);
        return;
      }
      case 'other':
    }
  }

  #closePart(item: Item, last: JsonObject | null): void {
    if (item.openPart === null && item.kind !== 'reasoning') return;
    const part = item.kind === 'reasoning' && last !== null ? reasoningPart(last) : null;
    const opaque: Opaque | null = part?.kind === 'thinking' ? part.opaque : null;
    if (item.openPart === null) {
      if (opaque === null) return;
      // Encrypted reasoning without words still belongs to the turn.
      this.#give(item, { kind: 'thinking_start' });
    }
    item.openPart = null;
    this.#give(item, { kind: 'part_end', opaque });
  }

  #readEnd(value: JsonObject): ReadEvent {
    const response = objectOf(value['response']);
    if (response === null) return readings.malformed;
    this.#model = textOf(response['model']) ?? this.#model;
    this.#final = response;
    return this.#hasHole && this.#translate ? readings.truncated : readings.terminal;
  }

  /** The first item that is not done is live: what it gives goes on at once. */
  #give(item: Item, event: AnswerEvent): void {
    if (!this.#translate) return;
    item.held.push(event);
    this.#flush();
  }

  #flush(): void {
    for (const item of this.#items.values()) {
      this.#events.push(...item.held);
      item.held = [];
      if (!item.isDone) return;
    }
  }

  #drain(): readonly AnswerEvent[] {
    if (this.#events.length === 0) return this.#events;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
