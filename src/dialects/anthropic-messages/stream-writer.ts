/** Writes a streamed message: blocks one after the other with consecutive indexes, each event named. */
import type { AnswerEvent, Opaque } from '../conversation.ts';
import type { JsonObject, StreamWriter } from '../dialect.ts';
import { answerIdFor } from '../answer-id.ts';
import { foreignThinkingMark } from '../foreign-thinking.ts';
import { sseText } from '../sse.ts';
import { signatureOf } from './parts.ts';
import { writeFinish, writeUsage } from './usage.ts';

function event(type: string, fields: JsonObject): string {
  return sseText(type, JSON.stringify({ type, ...fields }));
}

export class MessageStreamWriter implements StreamWriter {
  #index = -1;
  #isThinking = false;

  write(next: AnswerEvent): string {
    switch (next.kind) {
      case 'start':
        return this.#start(next);
      case 'text_start':
      case 'refusal_start':
        return this.#open({ type: 'text', text: '' });
      case 'thinking_start':
        this.#isThinking = true;
        return this.#open({ type: 'thinking', thinking: '', signature: '' });
      case 'tool_start':
        return this.#open({ type: 'tool_use', id: next.id, name: next.name, input: {} });
      case 'text_delta':
      case 'refusal_delta':
        return this.#delta({ type: 'text_delta', text: next.text });
      case 'thinking_delta':
        return this.#delta({ type: 'thinking_delta', thinking: next.text });
      case 'tool_delta':
        return this.#delta({ type: 'input_json_delta', partial_json: next.json });
      case 'part_end':
        return this.#close(next.opaque);
      case 'finish':
        return this.#finish(next);
    }
  }

  #start(next: Extract<AnswerEvent, { kind: 'start' }>): string {
    const message = {
      id: answerIdFor(next.id, 'msg_'),
      type: 'message',
      role: 'assistant',
      model: next.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(next.usage),
    };
    return event('message_start', { message });
  }

  #open(block: JsonObject): string {
    this.#index += 1;
    return event('content_block_start', { index: this.#index, content_block: block });
  }

  #delta(delta: JsonObject): string {
    return event('content_block_delta', { index: this.#index, delta });
  }

  #close(opaque: Opaque | null): string {
    const signature = this.#isThinking ? (signatureOf(opaque) ?? foreignThinkingMark) : null;
    this.#isThinking = false;
    const signed = signature === null ? '' : this.#delta({ type: 'signature_delta', signature });
    return signed + event('content_block_stop', { index: this.#index });
  }

  #finish(next: Extract<AnswerEvent, { kind: 'finish' }>): string {
    const delta = { stop_reason: writeFinish(next.reason), stop_sequence: next.stopSequence };
    return event('message_delta', { delta, usage: writeUsage(next.usage) }) + event('message_stop', {});
  }
}
