/**
 * The bulletins of warnings: answers of a target are not like they were, or say that they come from another model. From
 * the audit entry alone. They say what is odd and what to do; they are no incident, so none of them is graver than that.
 */
import { bounded } from './bulletin.ts';
import type { Bulletin } from './bulletin.ts';
import { warningSignals } from './evidence.ts';
import type { WarningSignal } from './evidence.ts';
import type { Change } from './record.ts';
import { messageId } from './switch-bulletin.ts';

const whatIsOdd: Readonly<Record<WarningSignal, string>> = {
  empty: 'more empty answers',
  truncated: 'more answers cut by a limit',
  tool_call_invalid: 'more broken tool calls',
  structured_output_invalid: 'more broken structured answers',
  refused: 'more refusals',
  slow_first_token: 'first tokens come later',
  slow_tokens: 'answers come more slowly',
  odd_length: 'answers of another length',
  changed_answers: 'other answers to the same questions',
  unclassified: 'failures of an unknown kind',
};

const isSignal = (value: unknown): value is WarningSignal =>
  warningSignals.some((signal) => signal === value);

function warning(change: Change): Bulletin | null {
  const { kind, subject, before, after, reason, at } = change;
  if (kind !== 'quality.warned' && kind !== 'quality.cleared') return null;
  const isWarned = kind === 'quality.warned';
  const signal = isWarned ? after : before;
  if (!isSignal(signal)) return null;
  const odd = whatIsOdd[signal];
  return bounded({
    id: messageId(change),
    type: kind,
    at,
    // Each signal of a target is a story of its own.
    subject: `${subject} ${signal}`,
    stage: isWarned ? 'begins' : 'ends',
    severity: isWarned ? 'warning' : 'info',
    title: isWarned ? `${subject}: ${odd}` : `Over: ${subject}: ${odd}`,
    text: isWarned
      ? `${reason ?? ''}. A warning moves no request: look at some answers, then leave it, or switch it off.`
      : `${reason ?? ''}.`,
    facts: [
      { name: 'Target', value: subject },
      { name: 'Signal', value: signal },
    ],
    page: null,
  });
}

/** What answers say of themselves, where they said something else before. */
function signal(change: Change): Bulletin | null {
  const { kind, subject, before, reason, at } = change;
  if (kind !== 'model.signal' || before === null) return null;
  return bounded({
    id: messageId(change),
    type: 'model.signal',
    at,
    subject,
    stage: 'goes_on',
    severity: 'warning',
    title: `${subject}: its answers say they come from something else`,
    text: reason ?? '',
    facts: [{ name: 'Target', value: subject }],
    page: null,
  });
}

/** Null when it is no news. */
export function warningBulletin(change: Change): Bulletin | null {
  return warning(change) ?? signal(change);
}
