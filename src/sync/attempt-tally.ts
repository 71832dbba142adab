/**
 * What happened to attempts lately, per target: the counts that playbooks ask for. Fed by every record as it is made, in
 * spans of ten seconds, so that a window costs a few additions; it forgets what is older than any window.
 */
import type { FailureClass } from '../core/failure.ts';
import type { Counts } from '../core/playbook-condition.ts';
import { windowMsMax } from '../core/playbook.ts';
import type { RequestRecord } from '../core/record.ts';
import { RecentSpans } from './recent-spans.ts';

const spanMs = 10_000;
const spansMax = windowMsMax / spanMs + 1;
const targetsMax = 2_000;

type Span = {
  requests: number;
  slow: number;
  quality: number;
  readonly failed: Map<FailureClass, number>;
};
const noneYet = (): Span => ({ requests: 0, slow: 0, quality: 0, failed: new Map() });

/** Failures that say something of how good answers are. */
const qualityFailures: ReadonlySet<FailureClass> = new Set([
  'empty_completion',
  'tool_call_invalid',
  'structured_output_invalid',
]);

export type AttemptTally = {
  readonly add: (record: RequestRecord, slowMs: (target: string) => number) => void;
  readonly counts: (
    target: string,
    windowMs: number,
    failures: readonly FailureClass[] | null,
    now: number,
  ) => Counts;
};

export function createAttemptTally(): AttemptTally {
  const byTarget = new Map<string, RecentSpans<Span>>();

  function spanAt(target: string, at: number): Span | null {
    let spans = byTarget.get(target);
    if (spans === undefined) {
      if (byTarget.size >= targetsMax) return null;
      byTarget.set(target, (spans = new RecentSpans(spanMs, spansMax, noneYet)));
    }
    return spans.at(at);
  }

  return {
    add(record, slowMs) {
      for (const attempt of record.attempts) {
        if (attempt.outcome === 'cancelled') continue;
        const span = spanAt(attempt.target, attempt.startedAt + attempt.durationMs);
        if (span === null) continue;
        span.requests++;
        if (attempt.failure !== null)
          span.failed.set(attempt.failure, (span.failed.get(attempt.failure) ?? 0) + 1);
        if (attempt.firstTokenMs !== null && attempt.firstTokenMs > slowMs(attempt.target)) span.slow++;
        const isRefusal = attempt.outcome === 'ok' && record.finish === 'refusal';
        if (isRefusal || (attempt.failure !== null && qualityFailures.has(attempt.failure))) span.quality++;
      }
    },
    counts(target, windowMs, failures, now) {
      const total = { requests: 0, failed: 0, slow: 0, quality: 0 };
      for (const span of byTarget.get(target)?.within(windowMs, now) ?? []) {
        total.requests += span.requests;
        total.slow += span.slow;
        total.quality += span.quality;
        for (const [failure, count] of span.failed)
          if (failures === null || failures.includes(failure)) total.failed += count;
      }
      return total;
    },
  };
}
