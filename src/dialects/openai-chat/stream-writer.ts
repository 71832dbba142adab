/** Writes a streamed chat completion: role first, then deltas, the finish chunk, usage when asked for, `[DONE]`. */
import type { AnswerEvent, FinishReason, Usage } from '../conversation.ts';
import type { AnswerOptions, JsonObject, StreamWriter } from '../dialect.ts';
import { itemName } from '../custom-tools.ts';
import { answerIdFor } from '../answer-id.ts';
import { sseText } from '../sse.ts';
import { writtenCall } from './answer.ts';
import { writeFinish, writeUsage } from './usage.ts';

export class ChatStreamWriter implements StreamWriter {
  readonly #options: AnswerOptions & { readonly includeUsage: boolean };
  #id = answerIdFor('', 'chatcmpl-');
  #model = '';
  #callIndex = -1;
  #hasRefusal = false;
  #custom: { readonly id: string; readonly name: string; arguments: string } | null = null;

  constructor(options: AnswerOptions & { readonly includeUsage: boolean }) {
    this.#options = options;
  }

  write(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        this.#id = answerIdFor(event.id, 'chatcmpl-');
        this.#model = event.model;
        return this.#delta({ role: 'assistant', content: '', refusal: null });
      case 'text_delta':
        return this.#delta({ content: event.text });
      case 'thinking_delta':
        return this.#delta({ reasoning_content: event.text });
      case 'refusal_delta':
        this.#hasRefusal = true;
        return this.#delta({ refusal: event.text });
      case 'tool_start':
        this.#callIndex += 1;
        this.#custom = itemName(event.name).kind === 'custom' ? { ...event, arguments: '' } : null;
        if (this.#custom !== null) return '';
        return this.#call({
          id: event.id,
          type: 'function',
          function: { name: event.name, arguments: '' },
        });
      case 'tool_delta':
        // The text of a custom tool is inside JSON, which is whole only at its end.
        if (this.#custom !== null) this.#custom.arguments += event.json;
        return this.#custom === null ? this.#call({ function: { arguments: event.json } }) : '';
      case 'finish':
        return this.#finish(event.reason, event.usage);
      case 'text_start':
      case 'thinking_start':
      case 'refusal_start':
        return '';
      case 'part_end':
        return this.#closeCustom();
    }
  }

  #closeCustom(): string {
    const call = this.#custom;
    this.#custom = null;
    return call === null ? '' : this.#call(writtenCall(call));
  }

  #call(fields: JsonObject): string {
    return this.#delta({ tool_calls: [{ index: this.#callIndex, ...fields }] });
  }

  #delta(delta: JsonObject, finish: string | null = null): string {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }], null);
  }

  #finish(reason: FinishReason, usage: Usage | null): string {
    const word = this.#hasRefusal && reason === 'refusal' ? 'stop' : writeFinish(reason);
    const counted = this.#options.includeUsage && usage !== null ? this.#chunk([], writeUsage(usage)) : '';
    return `${this.#delta({}, word)}${counted}data: [DONE]\n\n`;
  }

  #chunk(choices: readonly JsonObject[], usage: JsonObject | null): string {
    const chunk = {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#options.createdSeconds,
      model: this.#model,
      choices,
      ...(this.#options.includeUsage ? { usage } : {}),
    };
    return sseText(null, JSON.stringify(chunk));
  }
}
