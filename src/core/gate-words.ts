/**
 * The sentence in numbers: why a gate moved, said so that an operator can judge it without another page.
 *
 * "31 of 118 attempts failed since 07:02:10 (26 %; usual 0.3 %, budget 0.5 %); by chance once in 40 years; next best
 * explanation: the whole provider, 1 in 300." It refuses to interpret: no cause is named that the numbers do not show.
 */
import { logLikelihood } from './detector.ts';
import type { GateCause, GateNumbers, GateScope } from './evidence.ts';
import type { Instant } from './ids.ts';
import { countedShare, writtenShare } from './percent.ts';

const dayMs = 86_400_000;

/** `07:02:10`, UTC. */
export function clockWords(at: Instant): string {
  const seconds = Math.floor((((at % dayMs) + dayMs) % dayMs) / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/**
 * Years between two excursions like this one if nothing were wrong: attempts between chance events are at least the
 * likelihood ratio of what was seen.
 */
export function chanceYears(seen: {
  readonly failed: number;
  readonly total: number;
  readonly p0: number;
  readonly perSecond: number;
}): number {
  const { failed, total, p0, perSecond } = seen;
  if (total === 0) return 0;
  const nats = logLikelihood(failed, total, failed / total) - logLikelihood(failed, total, p0);
  const seconds = Math.exp(Math.min(nats, 60)) / Math.max(perSecond, 1e-6);
  return Math.min(1e9, seconds / 31_557_600);
}

/** How rarely chance alone does it. */
export function chanceWords(years: number): string {
  if (years >= 1e6) return 'by chance less than once in a million years';
  if (years >= 2) return `by chance once in ${Number(years.toPrecision(2)).toLocaleString('en-US')} years`;
  const days = years * 365.25;
  if (days >= 2) return `by chance once in ${Math.round(days)} days`;
  return `by chance once in ${Math.max(1, Math.round(days * 24))} h`;
}

export function scopeWords(scope: GateScope): string {
  switch (scope.kind) {
    case 'key':
      return `key ${scope.name}`;
    case 'target':
      return `only ${scope.name}`;
    case 'model':
      return `model ${scope.name} everywhere`;
    case 'family':
      return `the family ${scope.name}`;
    case 'provider':
      return `the whole provider ${scope.name}`;
    case 'region':
      return `the region ${scope.name}`;
    case 'egress':
      return 'ourselves (unrelated providers fail together)';
  }
}

const what: Record<GateCause, string> = {
  failures: 'attempts failed',
  overload: 'attempts failed, mostly overloaded,',
  slow: 'first tokens were slower than they may be',
  waiting: 'requests wait far longer than usual for their first token',
  probes: 'attempts failed',
  person: 'attempts failed',
  time: 'attempts failed',
};

/** Odds are only worth saying up to here. */
const oddsMax = 1e6;

export function numbersWords(cause: GateCause, numbers: GateNumbers): string {
  const { failed, total, since, usual, budget, chanceYears, runnerUp } = numbers;
  const share = countedShare(total === 0 ? 0 : failed / total);
  const parts = [
    `${failed} of ${total} ${what[cause]} since ${clockWords(since)} (${share}; usual ${countedShare(usual)}, budget ${writtenShare(budget)})`,
  ];
  if (chanceYears !== null) parts.push(chanceWords(chanceYears));
  if (runnerUp !== null)
    parts.push(
      `next best explanation: ${scopeWords(runnerUp.scope)}, ${
        runnerUp.odds >= oddsMax
          ? 'less than 1 in a million'
          : `1 in ${Math.max(1, Math.round(runnerUp.odds)).toLocaleString('en-US')}`
      }`,
    );
  return parts.join('; ');
}
