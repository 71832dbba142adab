/** Whole responses. */
import type { Answer, Part } from '../conversation.ts';
import type { AnswerFacts, AnswerOptions, JsonObject } from '../dialect.ts';
import { answerIdFor } from '../answer-id.ts';
import {
  type AnswerContext,
  areArguments,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  isUndeclared,
  misfitOf,
} from '../judgement.ts';
import { objectOf, objectsOf, textOf, parseJson } from '../json-value.ts';
import { callersToolName } from '../tool-names.ts';
import { reasoningPart } from './decode-items.ts';
import { toolNameLengthMax } from './limits.ts';
import { callName } from '../custom-tools.ts';
import {
  callItem,
  itemPrefix,
  messageItem,
  reasoningItem,
  refusalPart,
  responseOf,
  textPart,
} from './output.ts';
import { rawFinish, readFinish, readUsage, writeFinish } from './usage.ts';

function isCall(item: JsonObject): boolean {
  return item['type'] === 'function_call' || item['type'] === 'custom_tool_call';
}

const partTexts = (item: JsonObject, type: string, field: string): readonly string[] =>
  objectsOf(item['content']).flatMap((part) => (part['type'] === type ? [textOf(part[field]) ?? ''] : []));

/** Whether an item holds something of an answer; what is not known here is taken to. */
function isFilled(item: JsonObject): boolean {
  switch (item['type']) {
    case 'message':
      return [...partTexts(item, 'output_text', 'text'), ...partTexts(item, 'refusal', 'refusal')].some(
        (text) => text !== '',
      );
    case 'reasoning':
      return [...objectsOf(item['summary']), ...objectsOf(item['content'])].some(
        (part) => (textOf(part['text']) ?? '') !== '',
      );
  }
  return true;
}

function isBrokenCall(item: JsonObject, context: AnswerContext): boolean {
  const name = callersToolName(callName(item), context.toolNames, toolNameLengthMax);
  if (textOf(item['name']) === null || isUndeclared(name, context)) return true;
  return item['type'] === 'function_call' && !areArguments(textOf(item['arguments']) ?? '');
}

function isCallMisfit(item: JsonObject, context: AnswerContext): boolean {
  if (item['type'] !== 'function_call') return false;
  const name = callersToolName(callName(item), context.toolNames, toolNameLengthMax);
  return isMisfit({ name, args: parseJson(textOf(item['arguments']) ?? '') }, context);
}

/** Null for what is no response, and for one that failed: its error is read instead. */
export function readAnswer(value: unknown, context: AnswerContext): AnswerFacts | null {
  const body = objectOf(value);
  if (body === null || !Array.isArray(body['output']) || body['status'] === 'failed') return null;
  const items = objectsOf(body['output']);
  const calls = items.filter(isCall);
  const refusal = items.some((item) => partTexts(item, 'refusal', 'refusal').length > 0);
  const finish = readFinish(body, { toolCall: calls.length > 0, refusal });
  const text = items.flatMap((item) => partTexts(item, 'output_text', 'text')).join('');
  return {
    model: textOf(body['model']),
    fingerprint: null,
    finish,
    finishRaw: rawFinish(body)?.slice(0, finishRawLengthMax) ?? null,
    usage: readUsage(body['usage']),
    empty: finish !== null && !items.some(isFilled) && finish !== 'refusal' && finish !== 'length',
    toolCallInvalid: finish !== 'length' && calls.some((item) => isBrokenCall(item, context)),
    structuredOutputInvalid: isStructureBroken(text, finish, context),
    ...misfitOf(
      calls.some((item) => isCallMisfit(item, context)),
      text,
      finish,
      context,
    ),
  };
}

function partsOf(item: JsonObject, declared: ReadonlySet<string>): readonly Part[] {
  switch (item['type']) {
    case 'message':
      return objectsOf(item['content']).flatMap((part): readonly Part[] => {
        if (part['type'] === 'output_text') return [{ kind: 'text', text: textOf(part['text']) ?? '' }];
        if (part['type'] === 'refusal') return [{ kind: 'refusal', text: textOf(part['refusal']) ?? '' }];
        return [];
      });
    case 'reasoning':
      return [reasoningPart(item)];
    case 'function_call':
    case 'custom_tool_call':
      return [
        {
          kind: 'tool_call',
          id: textOf(item['call_id']) ?? textOf(item['id']) ?? '',
          name: callersToolName(callName(item), declared, toolNameLengthMax),
          arguments:
            item['type'] === 'function_call'
              ? (textOf(item['arguments']) ?? '')
              : JSON.stringify({ input: textOf(item['input']) ?? '' }),
        },
      ];
  }
  // Tools that the provider ran itself have no neutral form; they were not asked for across dialects.
  return [];
}

export function decodeAnswer(body: JsonObject, request: Pick<AnswerContext, 'toolNames'>): Answer {
  const parts = objectsOf(body['output']).flatMap((item) => partsOf(item, request.toolNames));
  const saw = {
    toolCall: parts.some((part) => part.kind === 'tool_call'),
    refusal: parts.some((part) => part.kind === 'refusal'),
  };
  return {
    id: textOf(body['id']) ?? '',
    model: textOf(body['model']) ?? '',
    parts,
    finish: readFinish(body, saw) ?? 'other',
    stopSequence: null,
    usage: readUsage(body['usage']),
  };
}

function itemOf(part: Part, name: string): JsonObject | null {
  switch (part.kind) {
    case 'text':
      return messageItem(`${itemPrefix.message}${name}`, 'completed', [textPart(part.text)]);
    case 'refusal':
      return messageItem(`${itemPrefix.message}${name}`, 'completed', [refusalPart(part.text)]);
    case 'thinking':
      return reasoningItem(`${itemPrefix.reasoning}${name}`, part.text, part.opaque);
    case 'tool_call':
      return callItem(`${itemPrefix.call}${name}`, 'completed', part);
    case 'image':
    case 'document':
    case 'tool_result':
      return null; // not part of an answer
  }
}

export function encodeAnswer(answer: Answer, options: AnswerOptions): JsonObject {
  const id = answerIdFor(answer.id, 'resp_');
  const bare = id.slice('resp_'.length);
  const output = answer.parts
    .map((part, index) => itemOf(part, `${bare}_${index}`))
    .filter((item) => item !== null);
  const refusal = answer.parts.some((part) => part.kind === 'refusal');
  return responseOf(
    { id, model: answer.model, createdSeconds: options.createdSeconds },
    writeFinish(answer.finish, { refusal }),
    output,
    answer.usage,
  );
}
