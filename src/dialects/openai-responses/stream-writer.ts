/**
 * Writes a streamed response: items one after the other, each opened, filled and closed, and at the end the whole
 * response again, which some clients read alone. Numbers of events run from zero without a gap.
 */
import type { AnswerEvent, FinishReason, Opaque, Usage } from '../conversation.ts';
import type { AnswerOptions, JsonObject, StreamWriter } from '../dialect.ts';
import { answerIdFor } from '../answer-id.ts';
import { sseText } from '../sse.ts';
import { itemName } from '../custom-tools.ts';
import {
  callItem,
  itemPrefix,
  messageItem,
  reasoningItem,
  refusalPart,
  responseOf,
  summaryPart,
  textPart,
} from './output.ts';
import type { ResponseHead } from './output.ts';
import { writeFinish } from './usage.ts';

type Open = {
  readonly kind: 'text' | 'refusal' | 'thinking' | 'function' | 'custom';
  readonly itemId: string;
  readonly call: { readonly id: string; readonly name: string } | null;
  text: string;
};

export class ResponseStreamWriter implements StreamWriter {
  #head: ResponseHead;
  #sequence = 0;
  #open: Open | null = null;
  #hasRefusal = false;
  readonly #output: JsonObject[] = [];

  constructor(options: AnswerOptions) {
    this.#head = { id: answerIdFor('', 'resp_'), model: '', createdSeconds: options.createdSeconds };
  }

  write(next: AnswerEvent): string {
    switch (next.kind) {
      case 'start':
        return this.#start(next.id, next.model);
      case 'text_start':
        return this.#startMessage('text');
      case 'refusal_start':
        this.#hasRefusal = true;
        return this.#startMessage('refusal');
      case 'thinking_start':
        return this.#startThinking();
      case 'tool_start':
        return this.#startCall(next.id, next.name);
      case 'text_delta':
      case 'refusal_delta':
      case 'thinking_delta':
        return this.#delta(next.text);
      case 'tool_delta':
        return this.#delta(next.json);
      case 'part_end':
        return this.#close(next.opaque);
      case 'finish':
        return this.#finish(next.reason, next.usage);
    }
  }

  #event(type: string, fields: JsonObject): string {
    const text = sseText(type, JSON.stringify({ type, sequence_number: this.#sequence, ...fields }));
    this.#sequence += 1;
    return text;
  }

  #start(id: string, model: string): string {
    this.#head = { ...this.#head, id: answerIdFor(id, 'resp_'), model };
    const response = responseOf(this.#head, null, [], null);
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
  }

  #begin(kind: Open['kind'], prefix: string, call: Open['call']): Open {
    const itemId = `${prefix}${this.#head.id.slice('resp_'.length)}_${this.#output.length}`;
    this.#open = { kind, itemId, call, text: '' };
    return this.#open;
  }

  #place(open: Open): JsonObject {
    return { item_id: open.itemId, output_index: this.#output.length };
  }

  #added(item: JsonObject): string {
    return this.#event('response.output_item.added', { output_index: this.#output.length, item });
  }

  #startMessage(kind: 'text' | 'refusal'): string {
    const open = this.#begin(kind, itemPrefix.message, null);
    const part = kind === 'text' ? textPart('') : refusalPart('');
    return (
      this.#added(messageItem(open.itemId, 'in_progress', [])) +
      this.#event('response.content_part.added', { ...this.#place(open), content_index: 0, part })
    );
  }

  #startThinking(): string {
    const open = this.#begin('thinking', itemPrefix.reasoning, null);
    const item = { id: open.itemId, type: 'reasoning', summary: [] };
    return (
      this.#added(item) +
      this.#event('response.reasoning_summary_part.added', {
        ...this.#place(open),
        summary_index: 0,
        part: summaryPart(''),
      })
    );
  }

  #startCall(id: string, name: string): string {
    const { kind } = itemName(name);
    const open = this.#begin(kind, itemPrefix[kind === 'custom' ? 'custom' : 'call'], { id, name });
    return this.#added(callItem(open.itemId, 'in_progress', { id, name, arguments: '' }));
  }

  #delta(added: string): string {
    const open = this.#open;
    if (open === null) return '';
    open.text += added;
    const place = this.#place(open);
    switch (open.kind) {
      case 'text':
        return this.#event('response.output_text.delta', {
          ...place,
          content_index: 0,
          delta: added,
          logprobs: [],
        });
      case 'refusal':
        return this.#event('response.refusal.delta', { ...place, content_index: 0, delta: added });
      case 'thinking':
        return this.#event('response.reasoning_summary_text.delta', {
          ...place,
          summary_index: 0,
          delta: added,
        });
      case 'function':
        return this.#event('response.function_call_arguments.delta', { ...place, delta: added });
      case 'custom':
        return ''; // its text is inside JSON, which is whole only at the end
    }
  }

  #close(opaque: Opaque | null): string {
    const open = this.#open;
    if (open === null) return '';
    this.#open = null;
    const { text, item } = this.#done(open, opaque);
    const done = this.#event('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
    return text + done;
  }

  #done(open: Open, opaque: Opaque | null): { readonly text: string; readonly item: JsonObject } {
    const place = this.#place(open);
    const at = { ...place, content_index: 0 };
    const call = { id: open.call?.id ?? '', name: open.call?.name ?? '', arguments: open.text };
    switch (open.kind) {
      case 'text':
        return {
          text:
            this.#event('response.output_text.done', { ...at, text: open.text, logprobs: [] }) +
            this.#event('response.content_part.done', { ...at, part: textPart(open.text) }),
          item: messageItem(open.itemId, 'completed', [textPart(open.text)]),
        };
      case 'refusal':
        return {
          text:
            this.#event('response.refusal.done', { ...at, refusal: open.text }) +
            this.#event('response.content_part.done', { ...at, part: refusalPart(open.text) }),
          item: messageItem(open.itemId, 'completed', [refusalPart(open.text)]),
        };
      case 'thinking': {
        const summary = { ...place, summary_index: 0 };
        return {
          text:
            this.#event('response.reasoning_summary_text.done', { ...summary, text: open.text }) +
            this.#event('response.reasoning_summary_part.done', { ...summary, part: summaryPart(open.text) }),
          // The id was given when the item was opened; only its content may be the issuer's.
          item: { ...reasoningItem(open.itemId, open.text, opaque), id: open.itemId },
        };
      }
      case 'function':
        return {
          text: this.#event('response.function_call_arguments.done', {
            ...place,
            name: itemName(call.name).name,
            arguments: open.text,
          }),
          item: callItem(open.itemId, 'completed', call),
        };
      case 'custom': {
        const item = callItem(open.itemId, 'completed', call);
        const { input } = item;
        return {
          text:
            this.#event('response.custom_tool_call_input.delta', { ...place, delta: input }) +
            this.#event('response.custom_tool_call_input.done', { ...place, input }),
          item,
        };
      }
    }
  }

  #finish(reason: FinishReason, usage: Usage | null): string {
    const ended = writeFinish(reason, { refusal: this.#hasRefusal });
    const response = responseOf(this.#head, ended, this.#output, usage);
    return this.#event(`response.${ended.status}`, { response });
  }
}
