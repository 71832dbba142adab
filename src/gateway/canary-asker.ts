/** Asks a target the fixed questions of a canary, one after another, and keeps of each answer what it was like. */
import { canaryOutputTokens, canaryQuestions } from '../core/canary.ts';
import type { Round } from '../core/canary.ts';
import { traitsOf } from '../core/canary-traits.ts';
import type { Traits } from '../core/canary-traits.ts';
import type { Target } from '../core/target.ts';
import type { AnswerEvent } from '../dialects/conversation.ts';
import type { Shared } from './exchange.ts';
import { sendProbe } from './probe.ts';
import type { Probed } from './probe.ts';
import type { GatewayState } from './state.ts';

/** What is kept of an answer while it comes; the rest of a longer one says no more. */
const charactersMax = 20_000;
/** Some models cannot be kept from thinking first. */
const thinkingTokens = 1_024;

export type AskOptions = {
  readonly shared: Shared;
  readonly state: GatewayState;
  /** Whether one more question may be paid for. */
  readonly mayAsk: () => boolean;
  readonly onAsked: (target: Target, probed: Exclude<Probed, null>) => void;
};

async function ask(
  target: Target,
  text: string,
  { shared, state, onAsked }: AskOptions,
): Promise<Traits | null> {
  const ticket = shared.board.admitOrdered(target);
  if (ticket === null) return null;
  let said = '';
  let refused = false;
  const onEvents = (events: readonly AnswerEvent[]): void => {
    for (const event of events) {
      if (event.kind === 'refusal_delta') refused = true;
      if ((event.kind === 'text_delta' || event.kind === 'refusal_delta') && said.length < charactersMax)
        said += event.text;
    }
  };
  const probed = await sendProbe(ticket, shared, state, {
    text,
    outputTokens: target.model.capabilities.has('thinking') ? thinkingTokens : canaryOutputTokens,
    effort: 'none',
    onEvents,
  });
  if (probed === null) return null;
  onAsked(target, probed);
  return probed.failure === null ? traitsOf(said, refused) : null;
}

/** One round; null when the money ended before it did. */
export async function askRound(target: Target, options: AskOptions): Promise<Round | null> {
  const round: (Traits | null)[] = [];
  for (const text of canaryQuestions) {
    if (!options.mayAsk()) return null;
    round.push(await ask(target, text, options));
  }
  return round;
}
