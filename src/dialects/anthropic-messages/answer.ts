/** Whole messages. */
import type { Answer, Part } from '../conversation.ts';
import type { AnswerFacts, JsonObject } from '../dialect.ts';
import { answerIdFor } from '../answer-id.ts';
import { foreignThinkingMark } from '../foreign-thinking.ts';
import {
  type AnswerContext,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  isUndeclared,
  misfitOf,
} from '../judgement.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';
import { callersToolName } from '../tool-names.ts';
import { blockKind } from './blocks.ts';
import { toolNameLengthMax } from './limits.ts';
import { decodeThinking, encodeThinking, inputOf } from './parts.ts';
import { readFinish, readUsage, writeFinish, writeUsage } from './usage.ts';

/** Whether a block holds something of an answer. */
function isFilled(block: JsonObject): boolean {
  switch (blockKind(textOf(block['type']) ?? '')) {
    case 'text':
      return (textOf(block['text']) ?? '') !== '';
    case 'thinking':
      return (textOf(block['thinking']) ?? '') !== '';
    case 'tool':
    case 'redacted':
    case 'server_tool':
    case 'other':
      return true;
  }
}

function isBrokenCall(block: JsonObject, context: AnswerContext): boolean {
  if (block['type'] !== 'tool_use') return false;
  if (!isJsonObject(block['input'])) return true;
  if (block['toolset_name'] !== undefined) return false;
  const name = callersToolName(textOf(block['name']) ?? '', context.toolNames, toolNameLengthMax);
  return isUndeclared(name, context);
}

function isCallMisfit(block: JsonObject, context: AnswerContext): boolean {
  if (block['type'] !== 'tool_use' || block['toolset_name'] !== undefined) return false;
  const name = callersToolName(textOf(block['name']) ?? '', context.toolNames, toolNameLengthMax);
  return isMisfit({ name, args: block['input'] }, context);
}

export function readAnswer(value: unknown, context: AnswerContext): AnswerFacts | null {
  const body = objectOf(value);
  if (body === null || !Array.isArray(body['content'])) return null;
  const blocks = objectsOf(body['content']);
  const raw = textOf(body['stop_reason']);
  const finish = readFinish(raw);
  const text = blocks
    .map((block) => (block['type'] === 'text' ? (textOf(block['text']) ?? '') : ''))
    .join('');
  return {
    model: textOf(body['model']),
    fingerprint: null,
    finish,
    finishRaw: raw?.slice(0, finishRawLengthMax) ?? null,
    usage: readUsage(body['usage']),
    empty: !blocks.some(isFilled) && finish !== 'refusal' && finish !== 'length',
    toolCallInvalid: finish !== 'length' && blocks.some((block) => isBrokenCall(block, context)),
    structuredOutputInvalid: isStructureBroken(text, finish, context),
    ...misfitOf(
      blocks.some((block) => isCallMisfit(block, context)),
      text,
      finish,
      context,
    ),
  };
}

function readBlock(block: JsonObject, declared: ReadonlySet<string>): Part | null {
  switch (block['type']) {
    case 'text': {
      const text = textOf(block['text']) ?? '';
      return text === '' ? null : { kind: 'text', text };
    }
    case 'thinking':
    case 'redacted_thinking':
      return decodeThinking(block);
    case 'tool_use':
      return {
        kind: 'tool_call',
        id: textOf(block['id']) ?? '',
        name: callersToolName(textOf(block['name']) ?? '', declared, toolNameLengthMax),
        arguments: JSON.stringify(block['input'] ?? {}),
      };
  }
  // Hosted tools and kinds not known here have no neutral form; they were not asked for across dialects.
  return null;
}

export function decodeAnswer(body: JsonObject, request: Pick<AnswerContext, 'toolNames'>): Answer {
  const parts = objectsOf(body['content']).flatMap((block) => {
    const part = readBlock(block, request.toolNames);
    return part === null ? [] : [part];
  });
  const explanation = textOf(objectOf(body['stop_details'])?.['explanation']);
  if (parts.length === 0 && explanation !== null) parts.push({ kind: 'refusal', text: explanation });
  return {
    id: textOf(body['id']) ?? '',
    model: textOf(body['model']) ?? '',
    parts,
    finish: readFinish(textOf(body['stop_reason'])) ?? 'other',
    stopSequence: textOf(body['stop_sequence']),
    usage: readUsage(body['usage']),
  };
}

function writePart(part: Part): JsonObject | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { type: 'text', text: part.text };
    case 'thinking':
      return (
        encodeThinking(part) ?? { type: 'thinking', thinking: part.text, signature: foreignThinkingMark }
      );
    case 'tool_call':
      return { type: 'tool_use', id: part.id, name: part.name, input: inputOf(part.arguments) };
    case 'image':
    case 'document':
    case 'tool_result':
      return null; // not part of an answer
  }
}

export function encodeAnswer(answer: Answer): JsonObject {
  return {
    id: answerIdFor(answer.id, 'msg_'),
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: answer.parts.flatMap((part) => writePart(part) ?? []),
    stop_reason: writeFinish(answer.finish),
    stop_sequence: answer.stopSequence,
    usage: writeUsage(answer.usage),
  };
}
