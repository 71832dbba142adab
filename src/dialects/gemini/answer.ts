/** Whole answers of generated content. */
import type { Answer, Part } from '../conversation.ts';
import type { AnswerFacts, JsonObject } from '../dialect.ts';
import {
  type AnswerContext,
  finishRawLengthMax,
  isMisfit,
  isStructureBroken,
  isUndeclared,
  misfitOf,
} from '../judgement.ts';
import { parseExact } from '../exact-json.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';
import { callersToolName, toolIdFor } from '../tool-names.ts';
import { opaqueOf } from './decode-contents.ts';
import { signatureOf } from './encode-contents.ts';
import { partsOf } from './fields.ts';
import { skippedSignature, toolNameLengthMax } from './limits.ts';
import { brokenCallReasons, readFinish, readUsage, writeFinish, writeUsage } from './usage.ts';

export function candidateOf(body: JsonObject): JsonObject | null {
  return objectsOf(body['candidates'])[0] ?? null;
}

/** A prompt that was blocked has no candidate, and a reason instead. */
export function blockReason(body: JsonObject): string | null {
  return textOf(objectOf(body['promptFeedback'])?.['blockReason']);
}

export function callIn(part: JsonObject): JsonObject | null {
  return objectOf(part['functionCall']);
}

export function isThought(part: JsonObject): boolean {
  return part['thought'] === true;
}

export function isFilled(part: JsonObject): boolean {
  const text = textOf(part['text']);
  return text === null ? Object.keys(part).some((key) => key !== 'thoughtSignature') : text !== '';
}

export function nameIn(call: JsonObject, declared: ReadonlySet<string>): string {
  return callersToolName(textOf(call['name']) ?? '', declared, toolNameLengthMax);
}

export function isBrokenCall(call: JsonObject, context: AnswerContext): boolean {
  const { args } = call as { args?: unknown };
  if (args !== undefined && args !== null && !isJsonObject(args)) return true;
  return textOf(call['name']) === null || isUndeclared(nameIn(call, context.toolNames), context);
}

export function isCallMisfit(call: JsonObject, context: AnswerContext): boolean {
  return isMisfit({ name: nameIn(call, context.toolNames), args: call['args'] ?? {} }, context);
}

export function readAnswer(value: unknown, context: AnswerContext): AnswerFacts | null {
  const body = objectOf(value);
  if (body === null || objectOf(body['error']) !== null) return null;
  const candidate = candidateOf(body);
  const blocked = blockReason(body);
  if (candidate === null && blocked === null) return null;
  const parts = partsOf(candidate?.['content']);
  const calls = parts.map(callIn).filter((call) => call !== null);
  const raw = blocked ?? textOf(candidate?.['finishReason']);
  const finish = blocked === null ? readFinish(raw, { toolCall: calls.length > 0 }) : 'refusal';
  const text = parts.map((part) => (isThought(part) ? '' : (textOf(part['text']) ?? ''))).join('');
  const isBroken = brokenCallReasons.has(raw ?? '');
  return {
    model: textOf(body['modelVersion']),
    fingerprint: null,
    finish,
    finishRaw: raw?.slice(0, finishRawLengthMax) ?? null,
    usage: readUsage(body['usageMetadata']),
    empty: !isBroken && !parts.some(isFilled) && finish !== 'refusal' && finish !== 'length',
    toolCallInvalid: isBroken || (finish !== 'length' && calls.some((call) => isBrokenCall(call, context))),
    structuredOutputInvalid: isStructureBroken(text, finish, context),
    ...misfitOf(
      calls.some((call) => isCallMisfit(call, context)),
      text,
      finish,
      context,
    ),
  };
}

/** Calls may come without ids; the place of a call within its answer makes one. */
export function callIdOf(call: JsonObject, answerId: string, order: number): string {
  return textOf(call['id']) ?? toolIdFor(`call_${answerId}_${order}`);
}

export function decodeAnswer(body: JsonObject, request: Pick<AnswerContext, 'toolNames'>): Answer {
  const id = textOf(body['responseId']) ?? '';
  const parts: Part[] = [];
  let calls = 0;
  for (const part of partsOf(candidateOf(body)?.['content'])) {
    const call = callIn(part);
    const text = textOf(part['text']) ?? '';
    if (call !== null) {
      const opaque = opaqueOf(part);
      if (opaque !== null) parts.push({ kind: 'thinking', text: '', opaque });
      parts.push({
        kind: 'tool_call',
        id: callIdOf(call, id, calls),
        name: nameIn(call, request.toolNames),
        arguments: JSON.stringify(call['args'] ?? {}),
      });
      calls += 1;
    } else if (isThought(part)) parts.push({ kind: 'thinking', text, opaque: opaqueOf(part) });
    else if (text !== '') parts.push({ kind: 'text', text });
  }
  const blocked = blockReason(body);
  const raw = textOf(candidateOf(body)?.['finishReason']);
  return {
    id,
    model: textOf(body['modelVersion']) ?? '',
    parts,
    finish: blocked === null ? (readFinish(raw, { toolCall: calls > 0 }) ?? 'other') : 'refusal',
    stopSequence: null,
    usage: readUsage(body['usageMetadata']),
  };
}

export function callPart(
  call: { readonly id: string; readonly name: string; readonly arguments: string },
  signature: string | null,
): JsonObject {
  const args = parseExact(call.arguments === '' ? '{}' : call.arguments);
  return {
    functionCall: {
      id: call.id,
      name: call.name,
      args: isJsonObject(args) ? args : { unparsed: call.arguments },
    },
    ...(signature === null ? {} : { thoughtSignature: signature }),
  };
}

function writtenParts(parts: readonly Part[]): readonly JsonObject[] {
  let signature: string | null = null;
  let hasCall = false;
  return parts.flatMap((part): readonly JsonObject[] => {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return [{ text: part.text }];
      case 'thinking':
        signature = signatureOf(part) ?? signature;
        return part.text === '' ? [] : [{ text: part.text, thought: true }];
      case 'tool_call': {
        // The caller sends the call back, and the first of a turn must be signed.
        const written = callPart(part, signature ?? (hasCall ? null : skippedSignature));
        signature = null;
        hasCall = true;
        return [written];
      }
      case 'image':
      case 'document':
      case 'tool_result':
        return []; // not part of an answer
    }
  });
}

export function encodeAnswer(answer: Answer): JsonObject {
  return {
    candidates: [
      {
        content: { role: 'model', parts: writtenParts(answer.parts) },
        finishReason: writeFinish(answer.finish),
        index: 0,
      },
    ],
    ...(answer.usage === null ? {} : { usageMetadata: writeUsage(answer.usage) }),
    modelVersion: answer.model,
    responseId: answer.id,
  };
}
