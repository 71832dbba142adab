/**
 * Reads a streamed chat completion.
 *
 * It is whole when every choice that was seen has its finish reason; `[DONE]` before that is the end of a truncated
 * answer (vLLM sends it after an error, too), and so is the end of the stream. A chunk that does not parse or does not
 * fit is `malformed` and changes nothing.
 */
import type { AnswerEvent } from '../conversation.ts';
import type { AnswerFacts, ErrorWords, JsonObject, ReadEvent, StreamReader } from '../dialect.ts';
import {
  type AnswerContext,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  isUndeclared,
  fitting,
  judgedCharactersMax,
  misfitOf,
} from '../judgement.ts';
import { isJsonObject, listOf, numberOf, objectOf, parseJson, textOf } from '../json-value.ts';
import { errorReading, reading, readings } from '../readings.ts';
import { callersToolName, toolIdFor } from '../tool-names.ts';
import { errorWords, failedChoice, readError } from './error.ts';
import { toolNameLengthMax } from './limits.ts';
import { PartSequence } from './part-sequence.ts';
import { CallTracker, type Call } from './tool-calls.ts';
import { readFinish, readUsage } from './usage.ts';

/** More tool calls or choices than this in one answer are not an answer. */
const callsMax = 1_000;
const choicesMax = 128;

type Choice = {
  readonly index: number;
  readonly tracker: CallTracker;
  finish: string | null;
  hasRefusal: boolean;
  /** Kept only when it must be judged. */
  text: string;
};

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function filled(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The delta of a choice; undefined when it has a wrong type. */
function deltaOf(choice: JsonObject): JsonObject | null | undefined {
  const delta = choice['delta'];
  if (isAbsent(delta)) return null;
  return isJsonObject(delta) ? delta : undefined;
}

function reasoningOf(delta: JsonObject): string | null {
  return filled(delta['reasoning_content']) ?? filled(delta['reasoning']);
}

/** Tool call entries of a delta, the older `function_call` included. */
function callEntries(delta: JsonObject): readonly unknown[] {
  const calls = listOf(delta['tool_calls']);
  if (calls !== null) return calls;
  const legacy = delta['function_call'];
  return isAbsent(legacy) ? [] : [{ index: 0, function: legacy }];
}

export class ChatStreamReader implements StreamReader {
  readonly #context: AnswerContext;
  readonly #choices: Choice[] = [];
  readonly #sequence: PartSequence | null;
  #hasStarted = false;
  #hasContent = false;
  #hasFailed = false;
  #id = '';
  #model: string | null = null;
  #fingerprint: string | null = null;
  #usage: AnswerFacts['usage'] = null;
  #textCharacters = 0;
  #keptCharacters = 0;

  constructor(options: { readonly translate: boolean; readonly request: AnswerContext }) {
    this.#context = options.request;
    this.#sequence = options.translate ? new PartSequence((call) => this.#naming(call)) : null;
  }

  read(event: string | null, data: string): ReadEvent {
    if (data === '[DONE]' || data.trim() === '[DONE]')
      return this.#isWhole() ? readings.terminal : readings.truncated;
    const chunk = parseJson(data);
    if (event === 'error') return this.#fail(readError(chunk) ?? errorWords(data));
    if (!isJsonObject(chunk)) return readings.malformed;
    if (!isAbsent(chunk['error'])) return this.#fail(errorWords(chunk['error']));
    const failed = failedChoice(chunk['choices']);
    return failed === null ? this.#readChunk(chunk) : this.#fail(failed);
  }

  end(): 'complete' | 'truncated' {
    return this.#isWhole() ? 'complete' : 'truncated';
  }

  missingTerminal(): string {
    return 'data: [DONE]\n\n';
  }

  facts(): AnswerFacts {
    const [choice] = this.#choices;
    const calls = choice?.tracker.calls ?? [];
    const saw = { toolCall: calls.length > 0, refusal: choice?.hasRefusal ?? false };
    const finish = readFinish(choice?.finish ?? null, saw);
    const callCharacters = this.#choices.reduce((sum, { tracker }) => sum + tracker.characters, 0);
    const isJudged = finish !== 'length' && this.#keptCharacters + callCharacters <= judgedCharactersMax;
    return {
      model: this.#model,
      fingerprint: this.#fingerprint,
      finish,
      finishRaw: choice?.finish?.slice(0, finishRawLengthMax) ?? null,
      usage: this.#usage,
      ...(this.#usage === null ? { characters: this.#textCharacters + callCharacters } : {}),
      empty: !this.#hasContent && finish !== 'refusal' && finish !== 'length',
      toolCallInvalid: isJudged && this.#choices.some((one) => this.#hasBrokenCall(one)),
      structuredOutputInvalid: isJudged && isStructureBroken(choice?.text ?? '', finish, this.#context),
      ...(isJudged
        ? misfitOf(this.#hasMisfitCall(choice), choice?.text ?? '', finish, this.#context)
        : fitting),
    };
  }

  closing(): readonly AnswerEvent[] {
    if (this.#sequence === null) return [];
    const opening = this.#start();
    this.#sequence.finish();
    const { finish, usage } = this.facts();
    return [
      ...opening,
      ...this.#sequence.drain(),
      { kind: 'finish', reason: finish ?? 'other', stopSequence: null, usage },
    ];
  }

  #fail(words: ErrorWords): ReadEvent {
    this.#hasFailed = true;
    return errorReading(words);
  }

  #isWhole(): boolean {
    if (this.#hasFailed || this.#choices.length === 0) return false;
    return this.#choices.every((choice) => choice.finish !== null);
  }

  #readChunk(chunk: JsonObject): ReadEvent {
    const choices = listOf(chunk['choices']);
    const hasUsage = isJsonObject(chunk['usage']);
    if (choices === null) {
      if (!isAbsent(chunk['choices'])) return readings.malformed;
      if (!hasUsage) return readings.unknown;
    }
    const entries = choices ?? [];
    if (!entries.every((entry) => this.#fits(entry))) return readings.malformed;
    this.#readEnvelope(chunk);
    if (entries.length === 0) return hasUsage || this.#hasContent ? readings.progress : readings.preamble;
    const opening = this.#start();
    let hasContent = false;
    for (const entry of entries) hasContent = this.#readChoice(entry as JsonObject) || hasContent;
    const isPreamble = !hasContent && !this.#hasContent && this.#choices.every((one) => one.finish === null);
    this.#hasContent ||= hasContent;
    const kind = hasContent ? 'content' : isPreamble ? 'preamble' : 'progress';
    if (this.#sequence === null) return readings[kind];
    return reading(kind, [...opening, ...this.#sequence.drain()]);
  }

  #readEnvelope(chunk: JsonObject): void {
    if (this.#id === '') this.#id = textOf(chunk['id']) ?? '';
    this.#model = filled(chunk['model']) ?? this.#model;
    this.#fingerprint = filled(chunk['system_fingerprint']) ?? this.#fingerprint;
    this.#usage = readUsage(chunk['usage']) ?? this.#usage;
  }

  #fits(entry: unknown): boolean {
    if (!isJsonObject(entry)) return false;
    const delta = deltaOf(entry);
    if (delta === undefined) return false;
    const choice = this.#find(numberOf(entry['index']) ?? 0);
    if (choice === undefined && this.#choices.length >= choicesMax) return false;
    if (delta === null) return true;
    const { content } = delta as { content?: unknown };
    if (!isAbsent(content) && typeof content !== 'string') return false;
    if (!isAbsent(delta['tool_calls']) && !Array.isArray(delta['tool_calls'])) return false;
    const calls = callEntries(delta);
    if (calls.length === 0) return true;
    const tracker = choice?.tracker ?? new CallTracker();
    return (
      tracker.calls.length + calls.length <= callsMax &&
      tracker.characters <= judgedCharactersMax &&
      calls.every((call) => tracker.fits(call))
    );
  }

  /** True when the entry brought content. */
  #readChoice(entry: JsonObject): boolean {
    const index = numberOf(entry['index']) ?? 0;
    const choice = this.#find(index) ?? this.#addChoice(index);
    choice.finish = filled(entry['finish_reason']) ?? choice.finish;
    const delta = objectOf(entry['delta']);
    if (delta === null) return false;
    const sequence = choice === this.#choices[0] ? this.#sequence : null;
    const thinking = reasoningOf(delta);
    const text = filled(delta['content']);
    const refusal = filled(delta['refusal']);
    this.#textCharacters += (thinking?.length ?? 0) + (text?.length ?? 0) + (refusal?.length ?? 0);
    if (thinking !== null) sequence?.addText('thinking', thinking);
    if (text !== null) {
      sequence?.addText('text', text);
      this.#keepText(choice, text);
    }
    if (refusal !== null) {
      choice.hasRefusal = true;
      sequence?.addText('refusal', refusal);
    }
    const hasCalls = this.#readCalls(choice, delta, sequence);
    return hasCalls || thinking !== null || text !== null || refusal !== null || isJsonObject(delta['audio']);
  }

  #readCalls(choice: Choice, delta: JsonObject, sequence: PartSequence | null): boolean {
    let hasContent = false;
    for (const entry of callEntries(delta)) {
      const { call, isNew, added } = choice.tracker.accept(entry as JsonObject);
      sequence?.addToCall(call, added);
      hasContent ||= isNew || added !== '';
    }
    return hasContent;
  }

  #find(index: number): Choice | undefined {
    const [first] = this.#choices;
    return first?.index === index ? first : this.#choices.find((choice) => choice.index === index);
  }

  #addChoice(index: number): Choice {
    const choice: Choice = { index, tracker: new CallTracker(), finish: null, hasRefusal: false, text: '' };
    this.#choices.push(choice);
    return choice;
  }

  #keepText(choice: Choice, text: string): void {
    if (!this.#context.structuredOutput) return;
    this.#keptCharacters += text.length;
    if (this.#keptCharacters <= judgedCharactersMax) choice.text += text;
  }

  #hasBrokenCall(choice: Choice): boolean {
    return choice.tracker.calls.some(
      (call) => choice.tracker.isBroken(call) || isUndeclared(this.#naming(call).name, this.#context),
    );
  }

  #hasMisfitCall(choice: Choice | undefined): boolean {
    if (choice === undefined || this.#context.toolSchemas === undefined) return false;
    return choice.tracker.calls.some(
      (call) =>
        !call.isCustom &&
        isMisfit({ name: this.#naming(call).name, args: parseJson(call.arguments) }, this.#context),
    );
  }

  #naming(call: Call): { readonly id: string; readonly name: string } {
    const id = call.id === '' ? toolIdFor(`call_${this.#id}_${call.order}`) : call.id;
    return { id, name: callersToolName(call.name, this.#context.toolNames, toolNameLengthMax) };
  }

  #start(): readonly AnswerEvent[] {
    if (this.#hasStarted || this.#sequence === null) return [];
    this.#hasStarted = true;
    return [{ kind: 'start', id: this.#id, model: this.#model ?? '', usage: null }];
  }
}
