/** Gates in the JSON of the admin API: where each stands, what was agreed, and its evidence in columns of their own. */
import type { Health } from '../core/health-cell.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { Counts } from '../gateway/tally.ts';
import { timeText } from './wire.ts';
import type { Json } from './wire.ts';

export function gateToWire(health: Health, mode: GateRule['mode']): Json {
  const since = 'since' in health ? timeText(health.since) : null;
  const until = health.state === 'ejected' ? timeText(health.until) : null;
  return { state: health.state, since, until, words: 'words' in health ? health.words : null, mode };
}

/** Null when none was ever sent: nothing is claimed. */
export function probesToWire({ ok, failed, lastAt, lastFailure }: Counts): Json | null {
  return lastAt === null ? null : { ok, failed, last_at: timeText(lastAt), last_failure: lastFailure };
}

export function gateEntryToWire(target: Target, board: HealthBoard): Json {
  const { cell, mode } = board.view(target);
  const { traffic, probes } = board.columns(target.name);
  const { match, budget, breach, falseAlarm } = board.agreement(target);
  return {
    target: target.name,
    gate: gateToWire(cell.health, mode),
    agreement: {
      match,
      budget,
      breach,
      false_alarm: { count: falseAlarm.count, per_ms: falseAlarm.perMs },
      mode,
    },
    traffic: { ok: traffic.ok, failed: traffic.failed, in_flight: board.inFlight(target.name) },
    probes: probesToWire(probes),
  };
}
