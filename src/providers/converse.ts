/**
 * Bedrock's Converse, in which every publisher's models can be asked: a Messages body as Converse writes it, and its
 * answers back again. The two formats name the same things differently, so this is a change of framing like the others
 * of a cloud; what Converse has no place for is refused by name rather than left out.
 */
import type { JsonObject } from '../dialects/dialect.ts';
import { isJsonObject, objectOf, objectsOf, present, textOf } from '../dialects/json-value.ts';

/** Something the other side has no place for. */
class Unsayable extends Error {
  readonly what: string;
  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

const documentFormats: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/plain', 'txt'],
  ['text/html', 'html'],
  ['text/csv', 'csv'],
]);

function imageBlock(block: JsonObject): JsonObject {
  const source = objectOf(block['source']);
  const format = /^image\/(png|jpeg|gif|webp)$/.exec(textOf(source?.['media_type']) ?? '')?.[1];
  if (source?.['type'] !== 'base64' || format === undefined) throw new Unsayable('image_url');
  return { image: { format, source: { bytes: source['data'] } } };
}

function documentBlock(block: JsonObject, order: number): JsonObject {
  const source = objectOf(block['source']);
  const mediaType = textOf(source?.['media_type']) ?? '';
  const format = documentFormats.get(mediaType);
  if (format === undefined) throw new Unsayable('document');
  const bytes =
    source?.['type'] === 'text'
      ? Buffer.from(textOf(source['data']) ?? '').toString('base64')
      : textOf(source?.['data']);
  if (bytes === null) throw new Unsayable('document_url');
  // Names may hold little more than letters here, and must differ.
  const title = (textOf(block['title']) ?? 'document').replaceAll(/[^A-Za-z0-9 -]/g, ' ').trim();
  return { document: { format, name: `${title === '' ? 'document' : title} ${order}`, source: { bytes } } };
}

function resultBlock(block: JsonObject): JsonObject {
  const { content } = block as { content?: unknown };
  const inner =
    typeof content === 'string'
      ? [{ text: content }]
      : objectsOf(content).flatMap((each) => blockOf(each, 0));
  return {
    toolResult: {
      toolUseId: block['tool_use_id'],
      content: inner.length === 0 ? [{ text: '' }] : inner,
      ...(block['is_error'] === true ? { status: 'error' } : {}),
    },
  };
}

function blockOf(block: JsonObject, order: number): readonly JsonObject[] {
  switch (block['type']) {
    case 'text':
      return block['text'] === '' ? [] : [{ text: block['text'] }];
    case 'image':
      return [imageBlock(block)];
    case 'document':
      return [documentBlock(block, order)];
    case 'tool_use':
      return [{ toolUse: { toolUseId: block['id'], name: block['name'], input: block['input'] ?? {} } }];
    case 'tool_result':
      return [resultBlock(block)];
    case 'thinking': {
      const reasoningText = { text: block['thinking'], signature: block['signature'] };
      return [{ reasoningContent: { reasoningText } }];
    }
    case 'redacted_thinking':
      return [{ reasoningContent: { redactedContent: block['data'] } }];
  }
  throw new Unsayable(textOf(block['type']) ?? 'content');
}

function blocksOf(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return [{ text: content }];
  return objectsOf(content).flatMap(blockOf);
}

function toolConfig(body: JsonObject): JsonObject | null {
  const tools = objectsOf(body['tools']).map((tool) => {
    if (tool['input_schema'] === undefined) throw new Unsayable('hosted_tools');
    return {
      toolSpec: present({
        name: tool['name'],
        description: tool['description'],
        inputSchema: { json: tool['input_schema'] },
      }),
    };
  });
  if (tools.length === 0) return null;
  const choice = objectOf(body['tool_choice']);
  switch (choice?.['type']) {
    case 'any':
      return { tools, toolChoice: { any: {} } };
    case 'tool':
      return { tools, toolChoice: { tool: { name: choice['name'] } } };
    case 'none':
      throw new Unsayable('tool_choice none');
  }
  return { tools };
}

function turnOf(message: JsonObject): JsonObject {
  const { role } = message;
  if (role !== 'user' && role !== 'assistant') throw new Unsayable('system_order');
  return { role, content: blocksOf(message['content']) };
}

export type Conversed =
  | { readonly kind: 'body'; readonly body: JsonObject }
  | { readonly kind: 'unsayable'; readonly what: string };

/** A Messages request as Converse takes it. */
export function converseRequest(body: JsonObject): Conversed {
  try {
    const format = objectOf(objectOf(body['output_config'])?.['format']);
    if (format !== null) throw new Unsayable('structured_output');
    const system = blocksOf(body['system']);
    const topK = body['top_k'];
    return {
      kind: 'body',
      body: present({
        messages: objectsOf(body['messages']).map(turnOf),
        system: system.length === 0 ? null : system,
        inferenceConfig: present({
          maxTokens: body['max_tokens'],
          temperature: body['temperature'],
          topP: body['top_p'],
          stopSequences: body['stop_sequences'],
        }),
        toolConfig: toolConfig(body),
        additionalModelRequestFields: topK === undefined ? null : { top_k: topK },
      }),
    };
  } catch (error) {
    if (error instanceof Unsayable) return { kind: 'unsayable', what: error.what };
    throw error;
  }
}

const stopReasons: ReadonlyMap<string, string> = new Map([
  ['guardrail_intervened', 'refusal'],
  ['content_filtered', 'refusal'],
  ['model_context_window_exceeded', 'model_context_window_exceeded'],
]);

const stopReason = (reason: unknown): string => {
  const word = textOf(reason) ?? 'end_turn';
  return stopReasons.get(word) ?? word;
};

function usageOf(value: unknown): JsonObject {
  const usage = objectOf(value);
  return {
    input_tokens: usage?.['inputTokens'] ?? 0,
    cache_read_input_tokens: usage?.['cacheReadInputTokens'] ?? 0,
    cache_creation_input_tokens: usage?.['cacheWriteInputTokens'] ?? 0,
    output_tokens: usage?.['outputTokens'] ?? 0,
  };
}

function answerBlock(block: JsonObject): readonly JsonObject[] {
  const tool = objectOf(block['toolUse']);
  if (tool !== null)
    return [{ type: 'tool_use', id: tool['toolUseId'], name: tool['name'], input: tool['input'] }];
  const reasoning = objectOf(objectOf(block['reasoningContent'])?.['reasoningText']);
  if (reasoning !== null)
    return [{ type: 'thinking', thinking: reasoning['text'], signature: reasoning['signature'] ?? '' }];
  return typeof block['text'] === 'string' ? [{ type: 'text', text: block['text'] }] : [];
}

/** A whole Converse answer as a message; null for what is none. */
export function messageOf(body: unknown, model: string): JsonObject | null {
  const answer = objectOf(body);
  const message = objectOf(objectOf(answer?.['output'])?.['message']);
  if (answer === null || message === null) return null;
  return {
    id: 'msg_bedrock',
    type: 'message',
    role: 'assistant',
    model,
    content: objectsOf(message['content']).flatMap(answerBlock),
    stop_reason: stopReason(answer['stopReason']),
    stop_sequence: null,
    usage: usageOf(answer['usage']),
  };
}

type MessageEvent = JsonObject & { readonly type: string };

/** Events of a Converse stream as those of a message. Blocks of text are opened by their first delta. */
export class ConverseEvents {
  readonly #model: string;
  #open = -1;
  #stop: string | null = null;

  constructor(model: string) {
    this.#model = model;
  }

  read(type: string, payload: unknown): readonly MessageEvent[] {
    const event = isJsonObject(payload) ? payload : {};
    switch (type) {
      case 'messageStart':
        return [
          {
            type: 'message_start',
            message: {
              id: 'msg_bedrock',
              type: 'message',
              role: 'assistant',
              model: this.#model,
              content: [],
              stop_reason: null,
              stop_sequence: null,
              usage: usageOf(null),
            },
          },
        ];
      case 'contentBlockStart':
        return this.#start(event);
      case 'contentBlockDelta':
        return this.#delta(event);
      case 'contentBlockStop':
        this.#open = -1;
        return [{ type: 'content_block_stop', index: event['contentBlockIndex'] }];
      case 'messageStop':
        this.#stop = stopReason(event['stopReason']);
        return [];
      case 'metadata':
        return this.#end(event);
    }
    return [];
  }

  #opened(index: unknown, block: JsonObject): MessageEvent {
    this.#open = typeof index === 'number' ? index : 0;
    return { type: 'content_block_start', index, content_block: block };
  }

  #start(event: JsonObject): readonly MessageEvent[] {
    const tool = objectOf(objectOf(event['start'])?.['toolUse']);
    if (tool === null) return [];
    const block = { type: 'tool_use', id: tool['toolUseId'], name: tool['name'], input: {} };
    return [this.#opened(event['contentBlockIndex'], block)];
  }

  #delta(event: JsonObject): readonly MessageEvent[] {
    const index = event['contentBlockIndex'];
    const delta = objectOf(event['delta']);
    const reasoning = objectOf(delta?.['reasoningContent']);
    const text = textOf(delta?.['text']);
    const thought = textOf(reasoning?.['text']);
    const signature = textOf(reasoning?.['signature']);
    const json = textOf(objectOf(delta?.['toolUse'])?.['input']);
    const opening: MessageEvent[] = [];
    if (this.#open !== index && (text !== null || thought !== null))
      opening.push(
        this.#opened(
          index,
          text === null ? { type: 'thinking', thinking: '', signature: '' } : { type: 'text', text: '' },
        ),
      );
    const added = (fields: JsonObject): readonly MessageEvent[] => [
      ...opening,
      { type: 'content_block_delta', index, delta: fields },
    ];
    if (text !== null) return added({ type: 'text_delta', text });
    if (thought !== null) return added({ type: 'thinking_delta', thinking: thought });
    if (signature !== null) return added({ type: 'signature_delta', signature });
    return json === null ? [] : added({ type: 'input_json_delta', partial_json: json });
  }

  /** Usage comes last here, after the reason. */
  #end(event: JsonObject): readonly MessageEvent[] {
    if (this.#stop === null) return [];
    return [
      {
        type: 'message_delta',
        delta: { stop_reason: this.#stop, stop_sequence: null },
        usage: usageOf(event['usage']),
      },
      { type: 'message_stop' },
    ];
  }
}
