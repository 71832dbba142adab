/** What health needs to know of an answer that arrived. */
import type { SoftSignal } from '../core/evidence.ts';
import type { AnswerFacts, RequestFacts } from '../dialects/dialect.ts';
import { brokenForm } from './answer-source.ts';
import type { AnswerRead } from './ticket.ts';

/** What is wrong with it; null when nothing is. The worst comes first. */
function softSignal(facts: AnswerFacts): SoftSignal | null {
  const broken = brokenForm(facts);
  if (broken !== null) return broken;
  switch (facts.finish) {
    case 'refusal':
      return 'refused';
    case 'length':
      return facts.empty ? 'empty' : 'truncated';
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'pause':
    case 'other':
    case null:
      return null;
  }
}

export function answerRead(
  facts: AnswerFacts | null,
  { structuredOutput }: Pick<RequestFacts, 'structuredOutput'>,
): AnswerRead | null {
  if (facts === null) return null;
  return {
    soft: softSignal(facts),
    model: facts.model,
    fingerprint: facts.fingerprint,
    outputTokens: facts.usage?.outputTokens ?? null,
    hasCalls: facts.finish === 'tool_calls',
    isStructured: structuredOutput && (facts.finish === 'stop' || facts.finish === 'stop_sequence'),
  };
}
