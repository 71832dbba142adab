/**
 * What happened to attempts lately, per target: the counts that playbooks ask for. Fed by every record as it is made, in
 * buckets of ten seconds, so that a window costs a few additions; it forgets what is older than any window.
 */
import type { FailureClass } from '../core/failure.ts';
import type { Counts } from '../core/playbook-condition.ts';
import type { RequestRecord } from '../core/record.ts';

const bucketMs = 10_000;
const bucketsMax = 360;
const targetsMax = 2_000;

type Bucket = {
  readonly at: number;
  requests: number;
  slow: number;
  quality: number;
  readonly failed: Map<FailureClass, number>;
};

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
  const byTarget = new Map<string, Bucket[]>();

  function bucketAt(target: string, at: number): Bucket | null {
    let buckets = byTarget.get(target);
    if (buckets === undefined) {
      if (byTarget.size >= targetsMax) return null;
      byTarget.set(target, (buckets = []));
    }
    const start = Math.floor(at / bucketMs) * bucketMs;
    const last = buckets.at(-1);
    if (last !== undefined && last.at >= start)
      return buckets.findLast((bucket) => bucket.at <= start) ?? last;
    const fresh: Bucket = { at: start, requests: 0, slow: 0, quality: 0, failed: new Map() };
    buckets.push(fresh);
    if (buckets.length > bucketsMax) buckets.shift();
    return fresh;
  }

  return {
    add(record, slowMs) {
      for (const attempt of record.attempts) {
        if (attempt.outcome === 'cancelled') continue;
        const bucket = bucketAt(attempt.target, attempt.startedAt + attempt.durationMs);
        if (bucket === null) continue;
        bucket.requests++;
        if (attempt.failure !== null)
          bucket.failed.set(attempt.failure, (bucket.failed.get(attempt.failure) ?? 0) + 1);
        if (attempt.firstTokenMs !== null && attempt.firstTokenMs > slowMs(attempt.target)) bucket.slow++;
        const isRefusal = attempt.outcome === 'ok' && record.finish === 'refusal';
        if (isRefusal || (attempt.failure !== null && qualityFailures.has(attempt.failure))) bucket.quality++;
      }
    },
    counts(target, windowMs, failures, now) {
      const total = { requests: 0, failed: 0, slow: 0, quality: 0 };
      for (const bucket of byTarget.get(target) ?? []) {
        if (bucket.at + bucketMs <= now - windowMs) continue;
        total.requests += bucket.requests;
        total.slow += bucket.slow;
        total.quality += bucket.quality;
        for (const [failure, count] of bucket.failed)
          if (failures === null || failures.includes(failure)) total.failed += count;
      }
      return total;
    },
  };
}
