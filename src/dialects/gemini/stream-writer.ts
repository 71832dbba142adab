/** Writes a stream of generated content: a chunk for each piece, calls whole, the finish reason with the usage last. */
import type { AnswerEvent, Opaque } from '../conversation.ts';
import type { JsonObject, StreamWriter } from '../dialect.ts';
import { objectOf, textOf } from '../json-value.ts';
import { callPart } from './answer.ts';
import { skippedSignature } from './limits.ts';
import { writeFinish, writeUsage } from './usage.ts';

export class ContentStreamWriter implements StreamWriter {
  #id = '';
  #model = '';
  #call: { readonly id: string; readonly name: string; arguments: string } | null = null;
  #hasCall = false;
  #signature: string | null = null;

  write(next: AnswerEvent): string {
    switch (next.kind) {
      case 'start':
        this.#id = next.id;
        this.#model = next.model;
        return '';
      case 'text_delta':
      case 'refusal_delta':
        return this.#parts([{ text: next.text }]);
      case 'thinking_delta':
        return this.#parts([{ text: next.text, thought: true }]);
      case 'tool_start':
        this.#call = { id: next.id, name: next.name, arguments: '' };
        return '';
      case 'tool_delta':
        if (this.#call !== null) this.#call.arguments += next.json;
        return '';
      case 'part_end':
        return this.#close(next.opaque);
      case 'finish':
        return this.#chunk(
          {
            content: { role: 'model', parts: [{ text: '' }] },
            finishReason: writeFinish(next.reason),
            index: 0,
          },
          writeUsage(next.usage),
        );
      case 'text_start':
      case 'thinking_start':
      case 'refusal_start':
        return '';
    }
  }

  #close(opaque: Opaque | null): string {
    const call = this.#call;
    if (call === null) {
      if (opaque?.issuer === 'gemini') this.#signature = textOf(objectOf(opaque.value)?.['signature']);
      return '';
    }
    this.#call = null;
    const signature = this.#signature ?? (this.#hasCall ? null : skippedSignature);
    this.#signature = null;
    this.#hasCall = true;
    return this.#parts([callPart(call, signature)]);
  }

  #parts(parts: readonly JsonObject[]): string {
    return this.#chunk({ content: { role: 'model', parts }, index: 0 }, null);
  }

  #chunk(candidate: JsonObject, usage: JsonObject | null): string {
    const chunk = {
      candidates: [candidate],
      ...(usage === null ? {} : { usageMetadata: usage }),
      modelVersion: this.#model,
      responseId: this.#id,
    };
    return `data: ${JSON.stringify(chunk)}\r\n\r\n`;
  }
}
