/**
 * What a request takes from the budget of its key. Where a provider did not count the tokens of an answer (a streamed chat
 * completion says them only on request, and an answer that is cut not at all) they are estimated: a budget that anybody
 * could leave aside by not asking for the count would be none. Records keep to what was counted.
 */
import { costUsd } from '../core/cost.ts';
import { isCount } from '../core/record.ts';
import type { AttemptRecord } from '../core/record.ts';
import { charactersPerToken } from '../dialects/estimate.ts';
import type { Trace } from './trace.ts';
import type { Exchange } from './exchange.ts';

/** Null price: nothing is known to charge. An attempt that brought no content is not charged by providers either. */
function estimatedUsd({ ticket, firstTokenAt, source }: Trace, inputTokens: number): number {
  if (firstTokenAt === null) return 0;
  const outputTokens = Math.ceil((source?.facts()?.characters ?? 0) / charactersPerToken);
  const counts = { inputTokens, outputTokens, cachedTokens: 0, cacheWriteTokens: 0 };
  return costUsd(ticket.target.model.price, counts) ?? 0;
}

/** `attempts`: what the record says of `traces`, in their order. */
export function chargedUsd(
  { codec, traces, facts }: Pick<Exchange, 'codec' | 'traces' | 'facts'>,
  attempts: readonly AttemptRecord[],
): number {
  if (isCount(codec.operation)) return 0;
  return traces.reduce(
    (sum, trace, index) => sum + (attempts[index]?.costUsd ?? estimatedUsd(trace, facts.inputTokensEstimate)),
    0,
  );
}
