/** Which codec speaks a dialect. */
import type { Dialect } from '../core/target.ts';
import { anthropicMessages } from './anthropic-messages/codec.ts';
import type { Operation } from '../core/record.ts';
import type { DialectCodec } from './dialect.ts';
import { gemini } from './gemini/codec.ts';
import { openaiChat } from './openai-chat/codec.ts';
import { openaiResponses } from './openai-responses/codec.ts';
import {
  anthropicTokenCount,
  geminiTokenCount,
  openaiEmbeddings,
  responsesTokenCount,
} from './side-calls.ts';

export function codecFor(dialect: Dialect): DialectCodec {
  switch (dialect) {
    case 'openai-chat':
      return openaiChat;
    case 'openai-responses':
      return openaiResponses;
    case 'anthropic-messages':
      return anthropicMessages;
    case 'gemini':
      return gemini;
  }
}

/** The codec of a route: of the dialect's answers, or of a call beside them. */
export function codecForCall(dialect: Dialect, operation: Operation): DialectCodec {
  switch (operation) {
    case 'answer':
      return codecFor(dialect);
    case 'embeddings':
      return openaiEmbeddings;
    case 'count_tokens':
      return countCodecFor(dialect);
  }
}

function countCodecFor(dialect: Dialect): DialectCodec {
  switch (dialect) {
    case 'gemini':
      return geminiTokenCount;
    case 'openai-responses':
      return responsesTokenCount;
    case 'openai-chat':
    case 'anthropic-messages':
      return anthropicTokenCount;
  }
}
