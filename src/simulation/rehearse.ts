/** Runs a rehearsal with each strategy. */
import { BreakwaterClient } from './breakwater-client.ts';
import { SimpleClient } from './simple-clients.ts';
import type { SimpleStrategy } from './simple-clients.ts';
import type { RunTally } from './tally.ts';
import { Arena } from './arena.ts';
import type { Rehearsal } from './arena.ts';

const simpleStrategies = {
  no_gateway: { retries: 0, fallsBack: false, breaker: false },
  retry_only: { retries: 2, fallsBack: false, breaker: false },
  naive_fallback: { retries: 2, fallsBack: true, breaker: false },
  common_breaker: { retries: 0, fallsBack: true, breaker: true },
} as const satisfies Readonly<Record<string, SimpleStrategy>>;

export type SimpleStrategyName = keyof typeof simpleStrategies;
export const simpleStrategyNames = Object.keys(simpleStrategies) as SimpleStrategyName[];
export type StrategyName = 'breakwater' | SimpleStrategyName;

export function rehearse(rehearsal: Rehearsal, strategy: StrategyName): RunTally {
  const arena = new Arena(rehearsal, strategy);
  const client =
    strategy === 'breakwater'
      ? new BreakwaterClient(arena)
      : new SimpleClient(arena, simpleStrategies[strategy]);
  return arena.run(client);
}
