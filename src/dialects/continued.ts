/**
 * A conversation whose answer broke off, put so that another model goes on where it stopped. A model that takes the
 * beginning of its own answer gets it as such; the others, which refuse it or begin anew, get it as said before, and are
 * asked to go on.
 */
import { claudeRules } from './anthropic-messages/claude.ts';
import type { Conversation, Message } from './conversation.ts';
import type { ModelTraits } from './dialect.ts';

const instruction =
  'Your answer was interrupted by a technical fault. Go on with it exactly where it stops, in the same language and form. Do not repeat what is there, do not begin again, and do not mention the interruption.';
const charactersPerToken = 4;
/** However much was said, a rest gets at least this much. */
const outputTokensMin = 64;

function takesPrefill(traits: ModelTraits): boolean {
  return traits.upstream.includes('claude') && claudeRules(traits).prefill;
}

export function continuedConversation(
  conversation: Conversation,
  said: string,
  traits: ModelTraits,
): Conversation {
  const prefilled = takesPrefill(traits);
  const text = prefilled ? said.trimEnd() : said;
  const begun: Message = { role: 'assistant', parts: [{ kind: 'text', text }] };
  const goOn: Message = { role: 'user', parts: [{ kind: 'text', text: instruction }] };
  const { outputTokensMax } = conversation;
  return {
    ...conversation,
    messages: [...conversation.messages, begun, ...(prefilled ? [] : [goOn])],
    outputTokensMax:
      outputTokensMax === null
        ? null
        : Math.max(outputTokensMin, outputTokensMax - Math.ceil(said.length / charactersPerToken)),
  };
}
