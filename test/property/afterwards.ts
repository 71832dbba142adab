/** What can only be judged when a life is over: words in what is kept or streamed, and extra calls beyond their budgets. */
import { streamedEntry, otlpBody, webhookBody } from '../../src/core/audit-stream.ts';
import { recordToJson } from '../../src/core/record-json.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import { isRetry } from './judge.ts';
import type { Judge } from './judge.ts';
import { answerWords } from './providers.ts';
import { hedgeShare } from './world.ts';
import type { WorldSpec } from './world.ts';
import type { Instant } from '../../src/core/ids.ts';

const words = /words-of-\d+-end/;

export type Lived = {
  readonly spec: WorldSpec;
  readonly judge: Judge;
  readonly records: readonly RequestRecord[];
  readonly at: Instant;
  readonly seconds: number;
};

export function judgeAfterwards(life: Lived): void {
  const { judge, records, at } = life;
  const entries = records.map((record, index) =>
    streamedEntry({ index, hash: 'h', text: JSON.stringify({ ...recordToJson(record), salt: 's' }) }),
  );
  const batch = { from: 0, next: entries.length, entries };
  for (const text of [JSON.stringify(entries), webhookBody(batch, at), otlpBody(batch, at)])
    if (words.test(text) || text.includes(answerWords))
      judge.blame('records and streams hold nobody’s words', text);
  retriesWithin(life);
  hedgesWithin(life);
}

function retriesWithin({ judge, records, seconds }: Lived): void {
  const firsts = new Map<string, number>();
  const retries = new Map<string, number>();
  for (const { attempts } of records)
    for (const [index, { target }] of attempts.entries()) {
      const counted = isRetry(attempts[index - 1]?.whyNext ?? null) ? retries : firsts;
      counted.set(target, (counted.get(target) ?? 0) + 1);
    }
  for (const [target, count] of retries)
    if (count > 10 + seconds + 0.1 * (firsts.get(target) ?? 0))
      judge.blame('second tries stay within the budget', {
        target,
        count,
        firsts: firsts.get(target),
        seconds,
      });
}

function hedgesWithin({ judge, spec }: Lived): void {
  for (const [index, { hedge }] of spec.features.entries()) {
    if (!hedge) continue;
    const asked = [...judge.asked.values()].filter(({ scope }) => scope.feature === `f${index}`);
    const hedges = asked.filter(({ n }) => {
      const calls = judge.callsOf(n);
      return calls.some((call, at) =>
        calls.slice(0, at).some(({ endedAt }) => endedAt === null || endedAt > call.at),
      );
    }).length;
    if (hedges > 2 + hedgeShare * asked.length)
      judge.blame('hedges stay within their budget', { feature: index, hedges, asked: asked.length });
  }
}
