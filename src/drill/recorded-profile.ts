/**
 * Traffic and paces learnt from records: how often each feature is used, how long its requests are, and how fast each
 * target usually is. Failures are learnt as a share over the whole window, so a window with an outage in it makes for a
 * gloomy drill.
 */
import type { AttemptRecord, RequestRecord } from '../core/record.ts';
import type { Document } from './drill-plan.ts';

/** A feature that nobody used still takes part, hardly. */
const unusedRate = 0.001;
const failuresMax = 0.5;

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function trafficOf(records: readonly RequestRecord[], windowMs: number): Document {
  const attempts = records.flatMap((record) => record.attempts);
  const tokens = (read: (attempt: AttemptRecord) => number | null): object => {
    const middle = median(attempts.map(read).filter((count) => count !== null && count > 0) as number[]);
    return middle === null ? {} : { value: middle };
  };
  const input = tokens(({ inputTokens }) => inputTokens);
  const output = tokens(({ outputTokens }) => outputTokens);
  const callers = new Set(records.map(({ key, user }) => `${key ?? ''}|${user ?? ''}`)).size;
  return {
    rate: Math.max(unusedRate, (records.length * 1_000) / windowMs),
    callers: Math.min(10_000, Math.max(1, callers)),
    ...('value' in input ? { inputTokens: input.value } : {}),
    ...('value' in output ? { outputTokens: output.value } : {}),
  };
}

function paceOf(attempts: readonly AttemptRecord[]): Document {
  const good = attempts.filter(({ outcome }) => outcome === 'ok');
  const firstToken = median(
    good.flatMap(({ firstTokenMs }) => (firstTokenMs === null ? [] : [firstTokenMs])),
  );
  const answer = median(good.map(({ firstTokenMs, durationMs }) => durationMs - (firstTokenMs ?? 0)));
  const failed = attempts.filter(({ outcome }) => outcome === 'failed').length;
  const failures = attempts.length === 0 ? 0 : Math.min(failuresMax, failed / attempts.length);
  return {
    ...(firstToken === null ? {} : { firstToken: `${Math.max(1, Math.round(firstToken))}ms` }),
    ...(answer === null ? {} : { answer: `${Math.max(1, Math.round(answer))}ms` }),
    failures: `${(failures * 100).toFixed(3)}%`,
  };
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

export function recordedProfile(records: readonly RequestRecord[], windowMs: number): Document {
  const byFeature = grouped(records, ({ feature }) => feature);
  const byTarget = grouped(
    records.flatMap(({ attempts }) => attempts),
    ({ target }) => target,
  );
  return {
    traffic: {
      '*': { rate: unusedRate },
      ...Object.fromEntries([...byFeature].map(([name, list]) => [name, trafficOf(list, windowMs)])),
    },
    targets: Object.fromEntries([...byTarget].map(([name, attempts]) => [name, paceOf(attempts)])),
  };
}
