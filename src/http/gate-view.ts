/** Gates in the JSON of the admin API: where each stands, what was agreed, and its evidence in columns of their own. */
import { reviewBy } from '../core/agreement.ts';
import type { Health } from '../core/health-cell.ts';
import type { Replayed } from '../core/gate-replay.ts';
import type { Instant } from '../core/ids.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Warning } from '../core/evidence.ts';
import type { Target } from '../core/target.ts';
import { timeText } from '../core/moment.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { Counts } from '../gateway/tally.ts';
import type { GateTest } from './admin-dependencies.ts';
import type { Json } from './wire.ts';

export function gateToWire(health: Health, mode: GateRule['mode']): Json {
  const since = 'since' in health ? timeText(health.since) : null;
  const until = health.state === 'ejected' ? timeText(health.until) : null;
  return { state: health.state, since, until, words: 'words' in health ? health.words : null, mode };
}

/** How answers are not like they were; it moves no request. */
export function warningsToWire(warnings: readonly Warning[]): Json[] {
  return warnings.map(({ signal, since, at, words }) => ({
    signal,
    since: timeText(since),
    at: timeText(at),
    words,
  }));
}

/** Null when none was ever sent: nothing is claimed. */
export function probesToWire({ ok, failed, lastAt, lastFailure }: Counts): Json | null {
  return lastAt === null ? null : { ok, failed, last_at: timeText(lastAt), last_failure: lastFailure };
}

/** Who agreed, and whether it is time to agree again. */
export function agreedToWire({ agreed }: GateRule, now: Instant): Json {
  const due = reviewBy(agreed);
  return {
    by: agreed === null ? [] : [...agreed.by],
    on: timeText(agreed?.on ?? null),
    review_by: timeText(due),
    stale: due !== null && now >= due,
  };
}

export function gateEntryToWire(target: Target, board: HealthBoard, now: Instant): Json {
  const { cell, mode, warnings } = board.view(target);
  const { traffic, probes } = board.columns(target.name);
  const gate = board.agreement(target);
  const { match, budget, breach, falseAlarm } = gate;
  return {
    target: target.name,
    gate: gateToWire(cell.health, mode),
    agreement: {
      match,
      budget,
      breach,
      false_alarm: { count: falseAlarm.count, per_ms: falseAlarm.perMs },
      mode,
      ...agreedToWire(gate, now),
    },
    traffic: { ok: traffic.ok, failed: traffic.failed, in_flight: board.inFlight(target.name) },
    probes: probesToWire(probes),
    warnings: warningsToWire(warnings),
  };
}

function replayedToWire({ target, attempts, failed, met, trips }: Replayed): Json {
  return {
    target,
    attempts,
    failed,
    met,
    trips: trips.map((trip) => ({
      since: timeText(trip.since),
      shed_at: timeText(trip.shedAt),
      ejected_at: timeText(trip.ejectedAt),
      back_at: timeText(trip.backAt),
      delay_ms: trip.since === null ? null : trip.shedAt - trip.since,
      moved: trip.moved,
      spared: trip.spared,
      words: trip.words,
    })),
  };
}

export function gateTestToWire({ since, until, records, isCut, current, proposed }: GateTest): Json {
  return {
    since: timeText(since),
    until: timeText(until),
    records,
    cut: isCut,
    current: current.map(replayedToWire),
    proposed: proposed === null ? null : proposed.map(replayedToWire),
  };
}
