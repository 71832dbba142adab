/** Which codec speaks a dialect. */
import type { Dialect } from '../core/target.ts';
import { anthropicMessages } from './anthropic-messages/codec.ts';
import type { DialectCodec } from './dialect.ts';
import { openaiChat } from './openai-chat/codec.ts';

export function codecFor(dialect: Dialect): DialectCodec {
  switch (dialect) {
    case 'openai-chat':
      return openaiChat;
    case 'anthropic-messages':
      return anthropicMessages;
  }
}
