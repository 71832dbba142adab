/** How much a model is asked to think. */
import type { Conversation, Effort, Message } from '../conversation.ts';
import type { JsonObject, ModelTraits } from '../dialect.ts';
import type { Encoding } from '../encoding.ts';
import type { ClaudeRules } from './claude.ts';
import { encodeThinking } from './parts.ts';

export type Thinking = { readonly thinking: JsonObject | null; readonly effort: string | null };
type ActiveEffort = Exclude<Effort, 'none'>;

const none: Thinking = { thinking: null, effort: null };
const budgetTokensMin = 1_024;
const budgetTokens: Readonly<Record<ActiveEffort, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_000,
};

function effortWord(effort: ActiveEffort, rules: ClaudeRules): string {
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' && !rules.extraEffort ? 'high' : effort;
}

/**
 * With a fixed budget the service wants the thoughts behind the latest calls back, signed. A caller of another
 * dialect does not have them.
 */
function lacksThoughts(messages: readonly Message[]): boolean {
  const answersCalls = messages.at(-1)?.parts.some((part) => part.kind === 'tool_result') ?? false;
  const latest = messages.findLast((message) => message.role === 'assistant');
  const hasThoughts = latest?.parts.some((part) => part.kind === 'thinking' && encodeThinking(part) !== null);
  return answersCalls && hasThoughts !== true;
}

/** What the caller wishes: an effort, or a budget as the nearest effort. */
function wishOf(conversation: Conversation): ActiveEffort | null {
  const { effort, thinkingBudgetTokens } = conversation;
  if (effort === 'none') return null;
  if (effort !== null || thinkingBudgetTokens === null) return effort;
  if (thinkingBudgetTokens <= budgetTokens.low) return 'low';
  return thinkingBudgetTokens <= budgetTokens.medium ? 'medium' : 'high';
}

/** The tokens that thinking takes on top of an answer, when the caller set no limit for both. */
export function thinkingShareTokens(conversation: Conversation): number {
  const wish = wishOf(conversation);
  return wish === null ? 0 : (conversation.thinkingBudgetTokens ?? budgetTokens[wish]);
}

export function thinkingOf(
  conversation: Conversation,
  traits: ModelTraits,
  rules: ClaudeRules,
  outputTokensMax: number,
  encoding: Encoding,
): Thinking {
  const wish = wishOf(conversation);
  if (wish === null) return none;
  const choice = conversation.toolChoice?.kind;
  // A forced tool and thinking exclude each other; the caller depends on the tool.
  const isForced = (choice === 'required' || choice === 'named') && rules.forcedTool;
  if (traits.thinking && !isForced) {
    if (rules.thinking === 'adaptive')
      return { thinking: { type: 'adaptive' }, effort: effortWord(wish, rules) };
    const budget = Math.min(thinkingShareTokens(conversation), Math.floor(outputTokensMax / 2));
    if (budget >= budgetTokensMin && !lacksThoughts(conversation.messages))
      return { thinking: { type: 'enabled', budget_tokens: budget }, effort: null };
  }
  encoding.warn('thinking');
  return none;
}
