/** Whole chat completions. */
import type { Answer, Part } from '../conversation.ts';
import type { AnswerFacts, AnswerOptions, JsonObject } from '../dialect.ts';
import { customInput, itemName } from '../custom-tools.ts';
import { answerIdFor } from '../answer-id.ts';
import {
  type AnswerContext,
  areArguments,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  misfitOf,
  isUndeclared,
} from '../judgement.ts';
import { isJsonObject, objectOf, objectsOf, textOf, parseJson } from '../json-value.ts';
import { callersToolName, toolIdFor } from '../tool-names.ts';
import { failedChoice } from './error.ts';
import { toolNameLengthMax } from './limits.ts';
import { readFinish, readUsage, writeFinish, writeUsage } from './usage.ts';

type ReadCall = {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly isCustom: boolean;
};

function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? JSON.stringify(value) : '';
}

function readCalls(message: JsonObject, declared: ReadonlySet<string>): readonly ReadCall[] {
  const legacy = objectOf(message['function_call']);
  const entries = legacy === null ? objectsOf(message['tool_calls']) : [{ function: legacy }];
  return entries.map((entry: JsonObject) => {
    const custom = objectOf(entry['custom']);
    const body = objectOf(entry['function']) ?? custom;
    return {
      id: textOf(entry['id']) ?? '',
      name: callersToolName(textOf(body?.['name']) ?? '', declared, toolNameLengthMax),
      arguments: argumentsOf(body?.['arguments'] ?? body?.['input']),
      isCustom: custom !== null,
    };
  });
}

/** The text of a message; some servers send it as a list of parts. */
function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map((part) => textOf(part['text']) ?? '')
    .join('');
}

function reasoningIn(message: JsonObject): string {
  return textOf(message['reasoning_content']) ?? textOf(message['reasoning']) ?? '';
}

function firstChoice(body: JsonObject): { readonly choice: JsonObject; readonly message: JsonObject } | null {
  const [choice] = objectsOf(body['choices']);
  const message = objectOf(choice?.['message']);
  return choice === undefined || message === null ? null : { choice, message };
}

function isBroken(call: ReadCall, context: AnswerContext): boolean {
  if (call.name === '' || isUndeclared(call.name, context)) return true;
  return !call.isCustom && !areArguments(call.arguments);
}

function isCallMisfit(call: ReadCall, context: AnswerContext): boolean {
  return !call.isCustom && isMisfit({ name: call.name, args: parseJson(call.arguments) }, context);
}

export function readAnswer(value: unknown, context: AnswerContext): AnswerFacts | null {
  const body = objectOf(value);
  const first = body === null ? null : firstChoice(body);
  if (body === null || first === null || failedChoice(body['choices']) !== null) return null;
  const { choice, message } = first;
  const text = textIn(message['content']);
  const calls = readCalls(message, context.toolNames);
  const hasRefusal = (textOf(message['refusal']) ?? '') !== '';
  const raw = textOf(choice['finish_reason']);
  const finish = readFinish(raw === '' ? null : raw, { toolCall: calls.length > 0, refusal: hasRefusal });
  const reasoning = reasoningIn(message);
  const hasContent = text !== '' || calls.length > 0 || reasoning !== '' || isJsonObject(message['audio']);
  const usage = readUsage(body['usage']);
  const characters = calls.reduce((sum, call) => sum + call.arguments.length, text.length + reasoning.length);
  return {
    model: textOf(body['model']),
    fingerprint: textOf(body['system_fingerprint']),
    finish,
    finishRaw: raw?.slice(0, finishRawLengthMax) ?? null,
    usage,
    ...(usage === null ? { characters } : {}),
    empty: !hasContent && finish !== 'refusal' && finish !== 'length',
    toolCallInvalid: finish !== 'length' && calls.some((call) => isBroken(call, context)),
    structuredOutputInvalid: isStructureBroken(text, finish, context),
    ...misfitOf(
      calls.some((call) => isCallMisfit(call, context)),
      text,
      finish,
      context,
    ),
  };
}

export function decodeAnswer(body: JsonObject, request: Pick<AnswerContext, 'toolNames'>): Answer {
  const first = firstChoice(body);
  const message = first?.message ?? {};
  const id = textOf(body['id']) ?? '';
  const parts: Part[] = [];
  const thinking = reasoningIn(message);
  const text = textIn(message['content']);
  const refusal = textOf(message['refusal']) ?? '';
  if (thinking !== '') parts.push({ kind: 'thinking', text: thinking, opaque: null });
  if (text !== '') parts.push({ kind: 'text', text });
  if (refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  const calls = readCalls(message, request.toolNames);
  for (const [order, call] of calls.entries()) {
    const callId = call.id === '' ? toolIdFor(`call_${id}_${order}`) : call.id;
    const json = call.arguments === '' ? '{}' : call.arguments;
    parts.push({ kind: 'tool_call', id: callId, name: call.name, arguments: json });
  }
  const saw = { toolCall: calls.length > 0, refusal: refusal !== '' };
  return {
    id,
    model: textOf(body['model']) ?? '',
    parts,
    finish: readFinish(textOf(first?.choice['finish_reason']), saw) ?? 'other',
    stopSequence: null,
    usage: readUsage(body['usage']),
  };
}

function joined(parts: readonly Part[], kind: 'text' | 'thinking' | 'refusal'): string | null {
  const texts = parts.flatMap((part) => (part.kind === kind ? [part.text] : []));
  return texts.length === 0 ? null : texts.join('');
}

/** Chat completions say a refusal in words with `stop`, and one without words with `content_filter`. */
function finishOf(answer: Answer, refusal: string | null): string {
  return refusal !== null && answer.finish === 'refusal' ? 'stop' : writeFinish(answer.finish);
}

/** A call under the caller's own kind of tool. */
export function writtenCall(call: {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}): JsonObject {
  const { kind, name } = itemName(call.name);
  return kind === 'custom'
    ? { id: call.id, type: 'custom', custom: { name, input: customInput(call.arguments) } }
    : { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

export function encodeAnswer(answer: Answer, options: AnswerOptions): JsonObject {
  const { parts } = answer;
  const refusal = joined(parts, 'refusal');
  const thinking = joined(parts, 'thinking');
  const calls = parts.flatMap((part) => (part.kind === 'tool_call' ? [writtenCall(part)] : []));
  const message = {
    role: 'assistant',
    content: joined(parts, 'text'),
    refusal,
    ...(thinking === null || thinking === '' ? {} : { reasoning_content: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    id: answerIdFor(answer.id, 'chatcmpl-'),
    object: 'chat.completion',
    created: options.createdSeconds,
    model: answer.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(answer, refusal) }],
    ...(answer.usage === null ? {} : { usage: writeUsage(answer.usage) }),
  };
}
