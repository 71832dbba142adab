/** Requests of chat completions as a Claude model gets them, and of messages as an OpenAI model does. */
import { bodyOf, chat, claudeTraits, encodedFor, messages, openaiTraits } from './dialect-fixture.ts';
import type { Encoded, JsonObject, ModelTraits } from '../src/dialects/dialect.ts';

export const question = [{ role: 'user', content: 'q' }];

export const toClaude = (body: JsonObject, traits: Partial<ModelTraits> = {}): Encoded =>
  encodedFor(chat, messages, { ...claudeTraits, ...traits }, { model: 'x', messages: question, ...body });

export const toChat = (body: JsonObject, traits: Partial<ModelTraits> = {}): Encoded =>
  encodedFor(
    messages,
    chat,
    { ...openaiTraits, ...traits },
    { model: 'x', max_tokens: 900, messages: question, ...body },
  );

export const tool = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: {} } },
};

export const claudeTool = { name: 'f', input_schema: { type: 'object', properties: {} } };

export const newest = { upstream: 'claude-opus-5-5' };

export const adaptive = { upstream: 'claude-opus-4-8' };

export const claudeBody = (body: JsonObject, traits: Partial<ModelTraits> = {}): JsonObject =>
  bodyOf(toClaude(body, traits));

export const chatBody = (body: JsonObject, traits: Partial<ModelTraits> = {}): JsonObject =>
  bodyOf(toChat(body, traits));
