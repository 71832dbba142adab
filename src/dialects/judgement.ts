/** What can be said about an answer's form, the same for every dialect: broken tool calls and broken structured output. */
import type { FinishReason } from './conversation.ts';
import type { AnswerFacts, RequestFacts } from './dialect.ts';
import { fits } from './json-schema.ts';
import { isJsonObject, parseJson } from './json-value.ts';

/** What of the request an answer is judged by. */
export type AnswerContext = Pick<
  RequestFacts,
  'structuredOutput' | 'toolNames' | 'toolSchemas' | 'outputSchema'
>;

/** The provider's own finish word is kept to this length. */
export const finishRawLengthMax = 64;

/** Most text kept of one streamed answer in order to judge it; what is longer is not judged. */
export const judgedCharactersMax = 8_000_000;

/** True when the text is a JSON object, or nothing at all, which several servers send for a call without arguments. */
export function areArguments(json: string): boolean {
  return json === '' || isJsonObject(parseJson(json));
}

/** Whether the answer names a tool that the caller did not declare. A caller that declared none is not judged. */
export function isUndeclared(name: string, context: AnswerContext): boolean {
  return context.toolNames.size > 0 && !context.toolNames.has(name);
}

/** Whether structured output was asked for and the text is something else. A cut or refused answer is not judged. */
export function isStructureBroken(
  text: string,
  finish: FinishReason | null,
  context: AnswerContext,
): boolean {
  if (!context.structuredOutput || text === '') return false;
  if (finish !== 'stop' && finish !== 'stop_sequence') return false;
  return parseJson(text) === undefined;
}

/** A call as the caller's own names know it; `args` is the parsed value. */
export type JudgedCall = { readonly name: string; readonly args: unknown };

/** Whether a call that parses does not fit the schema its tool was declared with. */
export function isMisfit({ name, args }: JudgedCall, context: AnswerContext): boolean {
  if (!isJsonObject(args)) return false;
  const schema = context.toolSchemas?.().get(name);
  return schema !== undefined && !fits(schema, args);
}

type Misfit = Pick<AnswerFacts, 'misfit'>;

export const fitting: Misfit = {};
const misfitCall: Misfit = { misfit: 'tool_call' };
const misfitOutput: Misfit = { misfit: 'structured_output' };

/** What of a complete answer does not fit its schema; what does not even parse is said elsewhere. */
export function misfitOf(
  hasMisfitCall: boolean,
  text: string,
  finish: FinishReason | null,
  context: AnswerContext,
): Misfit {
  if (finish === 'length') return fitting;
  if (hasMisfitCall) return misfitCall;
  if (!context.structuredOutput || context.outputSchema === undefined || text === '') return fitting;
  if (finish !== 'stop' && finish !== 'stop_sequence') return fitting;
  const value = parseJson(text);
  return value === undefined || fits(context.outputSchema(), value) ? fitting : misfitOutput;
}
