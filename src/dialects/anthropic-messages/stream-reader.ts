/**
 * Reads a streamed message.
 *
 * Blocks come one after the other with consecutive indexes, and a delta fits its block. An event that does not is
 * `malformed` and changes nothing; when a block was lost that way, the end of the stream is `truncated`, because the
 * answer cannot be whole. Blocks, deltas and events that are not known are never malformed.
 */
import type { AnswerEvent } from '../conversation.ts';
import type { AnswerFacts, JsonObject, ReadEvent, StreamReader } from '../dialect.ts';
import {
  type AnswerContext,
  areArguments,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  isUndeclared,
  fitting,
  judgedCharactersMax,
  misfitOf,
} from '../judgement.ts';
import { isJsonObject, objectOf, parseJson, textOf } from '../json-value.ts';
import { errorReading, reading, readings } from '../readings.ts';
import { callersToolName } from '../tool-names.ts';
import { type BlockKind, blockKind, deltaFields, deltaFits } from './blocks.ts';
import { readError } from './error.ts';
import { toolNameLengthMax } from './limits.ts';
import { mergedUsage, readFinish, readUsage } from './usage.ts';

type Block = {
  readonly kind: BlockKind;
  readonly type: string;
  /** The start of the block as it came. */
  readonly first: JsonObject;
  /** Text of a tool call's input, or of an answer that must be judged. */
  kept: string;
  signature: string;
};

/** The input of a call: streamed, or given whole with its start. */
function inputOf(block: Block): unknown {
  return block.kept === '' ? (objectOf(block.first['input']) ?? {}) : parseJson(block.kept);
}

export class MessageStreamReader implements StreamReader {
  readonly #context: AnswerContext;
  readonly #translate: boolean;
  #hasStarted = false;
  #hasContent = false;
  #hasFailed = false;
  /** A block was dropped: the answer has a hole. */
  #hasHole = false;
  #hasBrokenCall = false;
  #hasMisfitCall = false;
  #open: Block | null = null;
  #nextIndex = 0;
  #id = '';
  #model: string | null = null;
  #usage: JsonObject | null = null;
  #stopReason: string | null = null;
  #stopSequence: string | null = null;
  #explanation: string | null = null;
  #text = '';
  #keptCharacters = 0;
  #events: AnswerEvent[] = [];

  constructor(options: { readonly translate: boolean; readonly request: AnswerContext }) {
    this.#context = options.request;
    this.#translate = options.translate;
  }

  read(event: string | null, data: string): ReadEvent {
    const value = parseJson(data);
    if (!isJsonObject(value)) {
      if (event === 'error') return this.#fail(data);
      return readings.malformed;
    }
    const type = textOf(value['type']) ?? event;
    switch (type ?? '') {
      case 'content_block_delta':
        return this.#readDelta(value);
      case 'content_block_start':
        return this.#readBlockStart(value);
      case 'content_block_stop':
        return this.#readBlockStop(value);
      case 'message_start':
        return this.#readStart(value);
      case 'message_delta':
        return this.#readMessageDelta(value);
      case 'message_stop':
        return this.#isWhole() ? readings.terminal : readings.truncated;
      case 'ping':
        return readings.liveness;
      case 'error':
        return this.#fail(value);
    }
    return isJsonObject(value['error']) ? this.#fail(value) : readings.unknown;
  }

  end(): 'complete' | 'truncated' {
    return this.#isWhole() ? 'complete' : 'truncated';
  }

  missingTerminal(): string {
    return 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
  }

  facts(): AnswerFacts {
    const finish = readFinish(this.#stopReason);
    const isJudged = finish !== 'length' && this.#keptCharacters <= judgedCharactersMax;
    return {
      model: this.#model,
      fingerprint: null,
      finish,
      finishRaw: this.#stopReason?.slice(0, finishRawLengthMax) ?? null,
      usage: readUsage(this.#usage),
      empty: !this.#hasContent && finish !== 'refusal' && finish !== 'length',
      toolCallInvalid: isJudged && this.#hasBrokenCall,
      structuredOutputInvalid: isJudged && isStructureBroken(this.#text, finish, this.#context),
      ...(isJudged ? misfitOf(this.#hasMisfitCall, this.#text, finish, this.#context) : fitting),
    };
  }

  closing(): readonly AnswerEvent[] {
    if (!this.#translate) return [];
    this.#close();
    const { finish, usage } = this.facts();
    if (this.#explanation !== null && !this.#hasContent) {
      this.#emit({ kind: 'refusal_start' });
      this.#emit({ kind: 'refusal_delta', text: this.#explanation });
      this.#emit({ kind: 'part_end', opaque: null });
    }
    this.#emit({ kind: 'finish', reason: finish ?? 'other', stopSequence: this.#stopSequence, usage });
    return this.#drain();
  }

  #fail(body: unknown): ReadEvent {
    this.#hasFailed = true;
    const words = readError(body) ?? { type: null, code: null, message: textOf(body) ?? '' };
    return errorReading(words);
  }

  #isWhole(): boolean {
    return (
      this.#hasStarted &&
      this.#stopReason !== null &&
      this.#open === null &&
      !this.#hasHole &&
      !this.#hasFailed
    );
  }

  #readStart(value: JsonObject): ReadEvent {
    const message = objectOf(value['message']);
    if (message === null || this.#hasStarted) return readings.malformed;
    this.#hasStarted = true;
    this.#id = textOf(message['id']) ?? '';
    this.#model = textOf(message['model']);
    this.#usage = objectOf(message['usage']);
    if (this.#translate)
      this.#emit({ kind: 'start', id: this.#id, model: this.#model ?? '', usage: readUsage(this.#usage) });
    return reading('preamble', this.#drain());
  }

  #readBlockStart(value: JsonObject): ReadEvent {
    const first = objectOf(value['content_block']);
    const type = textOf(first?.['type']);
    if (!this.#hasStarted || first === null || type === null || value['index'] !== this.#nextIndex)
      return this.#misfit(value);
    this.#close(); // a lost stop event loses nothing of the answer
    const block: Block = { kind: blockKind(type), type, first, kept: '', signature: '' };
    this.#open = block;
    this.#nextIndex += 1;
    const hasContent = this.#openBlock(block);
    this.#hasContent ||= hasContent;
    return reading(hasContent ? 'content' : 'progress', this.#drain());
  }

  /** True when the start of the block is content by itself. */
  #openBlock(block: Block): boolean {
    const { first, kind } = block;
    switch (kind) {
      case 'text': {
        const text = textOf(first['text']) ?? '';
        this.#keepText(text);
        if (this.#translate) this.#emit({ kind: 'text_start' });
        if (this.#translate && text !== '') this.#emit({ kind: 'text_delta', text });
        return text !== '';
      }
      case 'thinking': {
        const text = textOf(first['thinking']) ?? '';
        if (this.#translate) this.#emit({ kind: 'thinking_start' });
        if (this.#translate && text !== '') this.#emit({ kind: 'thinking_delta', text });
        return text !== '';
      }
      case 'tool':
        if (this.#translate)
          this.#emit({ kind: 'tool_start', id: textOf(first['id']) ?? '', name: this.#name(block) });
        return true;
      case 'redacted':
      case 'server_tool':
      case 'other':
        return true;
    }
  }

  #readDelta(value: JsonObject): ReadEvent {
    const block = this.#open;
    const delta = objectOf(value['delta']);
    const type = textOf(delta?.['type']);
    if (block === null || delta === null || type === null || value['index'] !== this.#nextIndex - 1)
      return this.#misfit(value);
    if (!deltaFits(type, block.kind)) return readings.malformed;
    const field = deltaFields.get(type);
    if (field === undefined) return readings.progress;
    const added = delta[field];
    if (typeof added !== 'string') return readings.malformed;
    if (added === '') return readings.progress;
    if (type === 'signature_delta') {
      block.signature += added;
      return readings.progress;
    }
    this.#addDelta(block, added);
    this.#hasContent = true;
    return reading('content', this.#drain());
  }

  #addDelta(block: Block, added: string): void {
    switch (block.kind) {
      case 'text':
        this.#keepText(added);
        if (this.#translate) this.#emit({ kind: 'text_delta', text: added });
        return;
      case 'thinking':
        if (this.#translate) this.#emit({ kind: 'thinking_delta', text: added });
        return;
      case 'tool':
        this.#keptCharacters += added.length;
        if (this.#keptCharacters <= judgedCharactersMax) block.kept += added;
        if (this.#translate) this.#emit({ kind: 'tool_delta', json: added });
        return;
      case 'redacted':
      case 'server_tool':
      case 'other':
    }
  }

  #readBlockStop(value: JsonObject): ReadEvent {
    if (this.#open === null || value['index'] !== this.#nextIndex - 1) return this.#misfit(value);
    this.#close();
    return reading('progress', this.#drain());
  }

  #readMessageDelta(value: JsonObject): ReadEvent {
    const delta = objectOf(value['delta']);
    if (!this.#hasStarted || delta === null) return readings.malformed;
    this.#close();
    this.#stopReason = textOf(delta['stop_reason']) ?? this.#stopReason;
    this.#stopSequence = textOf(delta['stop_sequence']) ?? this.#stopSequence;
    this.#explanation = textOf(objectOf(delta['stop_details'])?.['explanation']) ?? this.#explanation;
    this.#usage = mergedUsage(this.#usage, value['usage']);
    return reading('progress', this.#drain());
  }

  /** An event of a block that is not open. When that block was never seen, the answer lacks it. */
  #misfit(value: JsonObject): ReadEvent {
    const index = value['index'];
    if (typeof index !== 'number' || index >= this.#nextIndex) this.#hasHole = true;
    return readings.malformed;
  }

  #close(): void {
    const block = this.#open;
    if (block === null) return;
    this.#open = null;
    if (block.kind === 'tool') this.#closeTool(block);
    if (!this.#translate) return;
    if (block.kind === 'thinking' || block.kind === 'text' || block.kind === 'tool') {
      const opaque =
        block.kind === 'thinking'
          ? ({ issuer: 'anthropic-messages', value: { signature: block.signature } } as const)
          : null;
      this.#emit({ kind: 'part_end', opaque });
    }
  }

  #closeTool(block: Block): void {
    if (block.kept === '') {
      // A call without arguments streams none; some servers send the whole input with the start.
      const input = objectOf(block.first['input']) ?? {};
      if (this.#translate) this.#emit({ kind: 'tool_delta', json: JSON.stringify(input) });
    } else if (!areArguments(block.kept)) this.#hasBrokenCall = true;
    // Tools of a toolset are declared by the set, not by name.
    if (block.first['toolset_name'] === undefined && isUndeclared(this.#name(block), this.#context))
      this.#hasBrokenCall = true;
    else if (this.#context.toolSchemas !== undefined && block.first['toolset_name'] === undefined)
      this.#hasMisfitCall ||= isMisfit({ name: this.#name(block), args: inputOf(block) }, this.#context);
  }

  #name(block: Block): string {
    return callersToolName(textOf(block.first['name']) ?? '', this.#context.toolNames, toolNameLengthMax);
  }

  #keepText(text: string): void {
    if (!this.#context.structuredOutput) return;
    this.#keptCharacters += text.length;
    if (this.#keptCharacters <= judgedCharactersMax) this.#text += text;
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
