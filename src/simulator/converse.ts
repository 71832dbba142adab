/** Models other than Claude as Bedrock's Converse speaks to them. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import { anthropicSpeech } from './anthropic.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, Form, ReadRequest, Refusal, Speech, StreamEvent } from './speech.ts';

const objectAt = (body: Body, key: string): Body => (isObject(body[key]) ? body[key] : {});

const known = new Set([
  'model',
  'stream',
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'additionalModelRequestFields',
  'guardrailConfig',
  'requestMetadata',
  'performanceConfig',
]);
const blockKinds = new Set([
  'text',
  'image',
  'document',
  'toolUse',
  'toolResult',
  'reasoningContent',
  'cachePoint',
]);

/** Said as the vendor's own API says it; the door puts it into Bedrock's words. */
function refusal(message: string, status = 400): Refusal {
  return { status, body: { error: { message } }, headers: {} };
}

function blockProblem(block: Body): string | null {
  const kinds = Object.keys(block);
  const [kind = ''] = kinds;
  if (kinds.length !== 1 || !blockKinds.has(kind))
    return 'ContentBlock object at messages must set exactly one key.';
  if (kind === 'text' && textOf(block['text']) === '')
    return 'The text field in the ContentBlock object is blank.';
  if (kind === 'image' && typeof objectAt(objectAt(block, 'image'), 'source')['bytes'] !== 'string')
    return 'The image source must have bytes.';
  return null;
}

function problemOf(body: Body): string | null {
  const odd = Object.keys(body).find((key) => !known.has(key));
  if (odd !== undefined) return `Malformed input request: #: extraneous key [${odd}] is not permitted`;
  const messages = objectsOf(body['messages']);
  if (messages.length === 0) return 'A conversation must have at least one message.';
  if (messages[0]?.['role'] !== 'user') return 'A conversation must start with a user message.';
  for (const [index, message] of messages.entries()) {
    if (message['role'] === messages[index - 1]?.['role'])
      return 'A conversation must alternate between user and assistant roles.';
    const blocks = objectsOf(message['content']);
    if (blocks.length === 0) return `The content field in the Message object at messages.${index} is empty.`;
    const problem = blocks.map(blockProblem).find((each) => each !== null);
    if (problem !== undefined && problem !== null) return problem;
  }
  const usesTools = messages.some((message) =>
    objectsOf(message['content']).some(
      (block) => isObject(block['toolUse']) || isObject(block['toolResult']),
    ),
  );
  return usesTools && !isObject(body['toolConfig'])
    ? 'The toolConfig field must be defined when using toolUse and toolResult content blocks.'
    : null;
}

const textsOf = (blocks: readonly Body[]): string =>
  blocks
    .map((block) => textOf(block['text']))
    .filter((text) => text !== '')
    .join('\n');

function toolChoiceOf(config: Body): Asked['toolChoice'] {
  const choice = objectAt(config, 'toolChoice');
  const named = objectAt(choice, 'tool')['name'];
  if (typeof named === 'string') return { kind: 'named', name: named };
  return { kind: isObject(choice['any']) ? 'any' : 'auto' };
}

function askedOf(body: Body): Asked {
  const messages = objectsOf(body['messages']);
  const last = objectsOf(messages.at(-1)?.['content']);
  const results = last.filter((block) => isObject(block['toolResult']));
  const inference = objectAt(body, 'inferenceConfig');
  const config = objectAt(body, 'toolConfig');
  const system = textsOf(objectsOf(body['system']));
  const limit = inference['maxTokens'];
  return {
    model: textOf(body['model']),
    system: system === '' ? null : system,
    lastUserText: textsOf(last),
    toolResult:
      results.length === 0
        ? null
        : results.map((block) => textsOf(objectsOf(objectAt(block, 'toolResult')['content']))).join('; '),
    images: messages
      .flatMap((message) => objectsOf(message['content']))
      .filter((block) => isObject(block['image'])).length,
    tools: objectsOf(config['tools']).map((tool) => {
      const spec = objectAt(tool, 'toolSpec');
      return { name: textOf(spec['name']), schema: objectAt(spec, 'inputSchema')['json'] };
    }),
    toolChoice: toolChoiceOf(config),
    parallelTools: true,
    schema: null,
    json: false,
    outputTokensMax: typeof limit === 'number' ? limit : null,
    stops: listOf(inference['stopSequences']).map(textOf),
    hidesThinking: true,
    thinking: false,
    inputCharacters: JSON.stringify([body['messages'], body['toolConfig'] ?? '']).length,
  };
}

const stopWord: Record<PlannedAnswer['finish'], string> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  tool_calls: 'tool_use',
  length: 'max_tokens',
  refusal: 'content_filtered',
};

function usageOf(answer: PlannedAnswer): Body {
  return {
    inputTokens: answer.inputTokens,
    outputTokens: answer.outputTokens,
    totalTokens: answer.inputTokens + answer.outputTokens,
  };
}

function inputOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}

function wholeOf(answer: PlannedAnswer): Body {
  const calls = answer.toolCalls.map((call) => ({
    toolUse: { toolUseId: `tooluse_${call.id}`, name: call.name, input: inputOf(call.arguments) },
  }));
  const content = [...(answer.text === '' ? [] : [{ text: answer.text }]), ...calls];
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: stopWord[answer.finish],
    usage: usageOf(answer),
    metrics: { latencyMs: 42 },
  };
}

/** Written as events; the door makes frames of them. */
function eventsOf(answer: PlannedAnswer): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  const add = (type: string, fields: Body, role: StreamEvent['role']): void =>
    void events.push({
      text: `event: converse:${type}\ndata: ${JSON.stringify({ ...fields, p: 'abcdef' })}\n\n`,
      content: role === 'content',
      role,
    });
  add('messageStart', { role: 'assistant' }, 'preamble');
  let index = 0;
  if (answer.text !== '') {
    for (const text of tokensOf(answer.text))
      add('contentBlockDelta', { contentBlockIndex: index, delta: { text } }, 'content');
    add('contentBlockStop', { contentBlockIndex: index }, 'closing');
    index += 1;
  }
  for (const call of answer.toolCalls) {
    const toolUse = { toolUseId: `tooluse_${call.id}`, name: call.name };
    add('contentBlockStart', { contentBlockIndex: index, start: { toolUse } }, 'content');
    for (const input of tokensOf(call.arguments))
      add('contentBlockDelta', { contentBlockIndex: index, delta: { toolUse: { input } } }, 'content');
    add('contentBlockStop', { contentBlockIndex: index }, 'closing');
    index += 1;
  }
  add('messageStop', { stopReason: stopWord[answer.finish] }, 'finish');
  add('metadata', { usage: usageOf(answer), metrics: { latencyMs: 42 } }, 'terminal');
  return events;
}

function readRequest(body: Body, models: readonly string[]): ReadRequest {
  const model = textOf(body['model']);
  if (!models.includes(model))
    return { kind: 'refused', refusal: refusal('The provided model identifier is invalid.', 404) };
  const problem = problemOf(body);
  const form: Form = { stream: body['stream'] === true, includeUsage: true, choices: 1, obfuscate: false };
  return problem === null
    ? { kind: 'asked', asked: askedOf(body), form }
    : { kind: 'refused', refusal: refusal(problem) };
}

export const converseSpeech: Speech = {
  ...anthropicSpeech,
  answerPath: '/converse',
  sidePath: null,
  read: (body, _headers, models) => readRequest(body, models),
  whole: wholeOf,
  events: eventsOf,
};
