/** What is wrong with an answer that arrived whole; null when nothing is. The worst comes first. */
import type { SoftSignal } from '../core/evidence.ts';
import type { AnswerFacts } from '../dialects/dialect.ts';

export function softSignal(facts: AnswerFacts | null): SoftSignal | null {
  if (facts === null) return null;
  if (facts.toolCallInvalid) return 'tool_call_invalid';
  if (facts.structuredOutputInvalid) return 'structured_output_invalid';
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
