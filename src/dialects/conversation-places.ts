/** Where things stand in the neutral conversation; what a model does not take, its encoder leaves out and names. */
import type { RequestPlaces } from './adapt-request.ts';
import type { Conversation, Effort, Message } from './conversation.ts';

const system = (text: string): Message => ({ role: 'system', parts: [{ kind: 'text', text }] });

/** How many messages lead the conversation as its system prompt. */
function leading({ messages }: Conversation): number {
  const first = messages.findIndex((message) => message.role !== 'system');
  return first < 0 ? messages.length : first;
}

export const conversationPlaces: RequestPlaces<Conversation> = {
  systemText: (request) =>
    request.messages
      .slice(0, leading(request))
      .flatMap(({ parts }) => parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])))
      .join('\n\n'),
  withSystem(request, edit) {
    const led = request.messages.slice(0, leading(request));
    const rest = request.messages.slice(led.length);
    if (edit.kind === 'replace') return { ...request, messages: [system(edit.text), ...rest] };
    const before = edit.prepend === null ? [] : [system(edit.prepend)];
    const after = edit.append === null ? [] : [system(edit.append)];
    return { ...request, messages: [...before, ...led, ...after, ...rest] };
  },
  outputTokensMax: (request) => request.outputTokensMax,
  withOutputTokensMax: (request, tokens) => ({ ...request, outputTokensMax: tokens }),
  withParam(request, name, value) {
    switch (name) {
      case 'temperature':
      case 'topP':
      case 'topK':
        return { ...request, [name]: value };
      case 'stop':
        return { ...request, stop: value as readonly string[] };
      case 'effort':
        return { ...request, effort: value as Effort, thinkingBudgetTokens: null };
    }
  },
  hasTools: (request) => request.tools.length > 0,
  hasCalls: ({ messages }) =>
    messages.some(({ parts }) => parts.some(({ kind }) => kind === 'tool_call' || kind === 'tool_result')),
  withoutTools: (request, how) =>
    how === 'forbidden'
      ? { ...request, toolChoice: { kind: 'none' } }
      : { ...request, tools: [], toolChoice: null, parallelToolCalls: null },
  structure({ format }) {
    if (format === null) return null;
    return format.kind === 'schema' ? { kind: 'schema', schema: format.schema } : { kind: 'json' };
  },
  withStructure: (request, structure) => ({
    ...request,
    format: structure === null ? null : { kind: 'json' },
  }),
};
