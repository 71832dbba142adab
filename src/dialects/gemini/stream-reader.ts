/**
 * Reads a stream of generated content: each chunk is a partial answer, calls come whole, and there is no end signal.
 * The chunk with the finish reason is the last that matters, so a clean end after it is a whole answer, and a clean end
 * before it a truncated one.
 */
import type { AnswerEvent, Opaque } from '../conversation.ts';
import type { AnswerFacts, JsonObject, ReadEvent, StreamReader } from '../dialect.ts';
import {
  type AnswerContext,
  finishRawLengthMax,
  isStructureBroken,
  misfitOf,
  fitting,
  judgedCharactersMax,
} from '../judgement.ts';
import { parseExact } from '../exact-json.ts';
import { isJsonObject, objectOf, parseJson, textOf } from '../json-value.ts';
import { errorReading, reading, readings } from '../readings.ts';
import {
  blockReason,
  callIdOf,
  callIn,
  candidateOf,
  isBrokenCall,
  isCallMisfit,
  isFilled,
  isThought,
  nameIn,
} from './answer.ts';
import { opaqueOf } from './decode-contents.ts';
import { readError } from './error.ts';
import { partsOf } from './fields.ts';
import { brokenCallReasons, readFinish, readUsage } from './usage.ts';

/** More calls than this in one answer are not an answer. */
const callsMax = 1_000;

export class ContentStreamReader implements StreamReader {
  readonly #context: AnswerContext;
  readonly #translate: boolean;
  #hasStarted = false;
  #hasContent = false;
  #hasFailed = false;
  #hasBrokenCall = false;
  #hasMisfitCall = false;
  #calls = 0;
  #id = '';
  #model: string | null = null;
  #usage: AnswerFacts['usage'] = null;
  #finish: string | null = null;
  #isBlocked = false;
  #text = '';
  #characters = 0;
  #open: 'text' | 'thinking' | null = null;
  #opaque: Opaque | null = null;
  #events: AnswerEvent[] = [];

  constructor(options: { readonly translate: boolean; readonly request: AnswerContext }) {
    this.#context = options.request;
    this.#translate = options.translate;
  }

  read(_event: string | null, data: string): ReadEvent {
    const parsed = parseExact(data);
    const words = readError(parsed);
    if (words !== null) {
      this.#hasFailed = true;
      return errorReading(words);
    }
    if (!isJsonObject(parsed)) return readings.malformed;
    const { candidates } = parsed as { candidates?: unknown };
    if (candidates !== undefined && !Array.isArray(candidates)) return readings.malformed;
    return this.#readChunk(parsed);
  }

  end(): 'complete' | 'truncated' {
    return this.#finish !== null && !this.#hasFailed ? 'complete' : 'truncated';
  }

  missingTerminal(): string {
    return '';
  }

  facts(): AnswerFacts {
    const finish = this.#isBlocked ? 'refusal' : readFinish(this.#finish, { toolCall: this.#calls > 0 });
    const isBroken = brokenCallReasons.has(this.#finish ?? '');
    const isJudged = finish !== 'length' && this.#characters <= judgedCharactersMax;
    return {
      model: this.#model,
      fingerprint: null,
      finish,
      finishRaw: this.#finish?.slice(0, finishRawLengthMax) ?? null,
      usage: this.#usage,
      empty: !isBroken && !this.#hasContent && finish !== 'refusal' && finish !== 'length',
      toolCallInvalid: isBroken || (isJudged && this.#hasBrokenCall),
      structuredOutputInvalid: isJudged && isStructureBroken(this.#text, finish, this.#context),
      ...(isJudged ? misfitOf(this.#hasMisfitCall, this.#text, finish, this.#context) : fitting),
    };
  }

  closing(): readonly AnswerEvent[] {
    if (!this.#translate) return [];
    this.#start();
    this.#close();
    const { finish, usage } = this.facts();
    this.#emit({ kind: 'finish', reason: finish ?? 'other', stopSequence: null, usage });
    return this.#drain();
  }

  #readChunk(chunk: JsonObject): ReadEvent {
    this.#id = textOf(chunk['responseId']) ?? this.#id;
    this.#model = textOf(chunk['modelVersion']) ?? this.#model;
    this.#usage = readUsage(chunk['usageMetadata']) ?? this.#usage;
    const blocked = blockReason(chunk);
    if (blocked !== null) {
      this.#isBlocked = true;
      this.#finish = blocked;
    }
    const candidate = candidateOf(chunk);
    this.#finish = textOf(candidate?.['finishReason']) ?? this.#finish;
    if (this.#finish === 'FINISH_REASON_UNSPECIFIED') this.#finish = null;
    const parts = partsOf(candidate?.['content']);
    if (this.#translate) this.#start();
    let hasContent = false;
    for (const part of parts) hasContent = this.#readPart(part) || hasContent;
    const isPreamble = !hasContent && !this.#hasContent && this.#finish === null;
    this.#hasContent ||= hasContent;
    return reading(hasContent ? 'content' : isPreamble ? 'preamble' : 'progress', this.#drain());
  }

  /** True when the part is content. */
  #readPart(part: JsonObject): boolean {
    const call = callIn(part);
    if (call !== null) {
      this.#readCall(call, part);
      return true;
    }
    const text = textOf(part['text']) ?? '';
    const kind = isThought(part) ? 'thinking' : 'text';
    if (kind === 'text' && this.#context.structuredOutput) {
      this.#characters += text.length;
      if (this.#characters <= judgedCharactersMax) this.#text += text;
    }
    if (this.#translate) this.#addText(kind, text, part);
    return isFilled(part);
  }

  #addText(kind: 'text' | 'thinking', text: string, part: JsonObject): void {
    this.#opaque = opaqueOf(part) ?? this.#opaque;
    if (text === '') return;
    if (this.#open !== kind) {
      this.#close();
      this.#open = kind;
      this.#emit({ kind: `${kind}_start` });
    }
    this.#emit({ kind: `${kind}_delta`, text });
  }

  #readCall(call: JsonObject, part: JsonObject): void {
    const args = JSON.stringify(objectOf(call['args']) ?? {});
    if (this.#calls >= callsMax || isBrokenCall(call, this.#context)) this.#hasBrokenCall = true;
    else this.#hasMisfitCall ||= isCallMisfit({ ...call, args: parseJson(args) }, this.#context);
    if (this.#translate && this.#calls < callsMax) {
      this.#close();
      this.#signed(opaqueOf(part));
      const id = callIdOf(call, this.#id, this.#calls);
      this.#emit({ kind: 'tool_start', id, name: nameIn(call, this.#context.toolNames) });
      this.#emit({ kind: 'tool_delta', json: args });
      this.#emit({ kind: 'part_end', opaque: null });
    }
    this.#calls += 1;
  }

  /** What was signed about a call stands before it, as thought. */
  #signed(opaque: Opaque | null): void {
    if (opaque === null) return;
    this.#emit({ kind: 'thinking_start' });
    this.#emit({ kind: 'part_end', opaque });
  }

  #start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#emit({ kind: 'start', id: this.#id, model: this.#model ?? '', usage: this.#usage });
  }

  #close(): void {
    if (this.#open === null) return;
    this.#emit({ kind: 'part_end', opaque: this.#open === 'thinking' ? this.#opaque : null });
    this.#open = null;
    this.#opaque = null;
  }

  #emit(event: AnswerEvent): void {
    this.#events.push(event);
  }

  #drain(): readonly AnswerEvent[] {
    if (this.#events.length === 0) return this.#events;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
