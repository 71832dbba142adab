/**
 * What a gate would have done with the traffic that was: stored attempts are played through the real rule, in the order
 * in which they ended, and each is asked whether the gate would have let it through. So an agreement can be tried on
 * last week before it is signed.
 *
 * What was sent to a target under the gate of that time is all there is to see: while that gate kept it away, nothing is
 * known. An attempt that this gate would have moved is no evidence for it; what another target would have answered is
 * not known either, so it is counted as moved, and as spared when it failed. No clock and no chance: lots are drawn
 * evenly, so the same records give the same report.
 */
import { admission, startProbe, wantsProbe } from './admission.ts';
import type { Evidence } from './evidence.ts';
import { failureRow } from './failure.ts';
import type { Transition } from './gate-moves.ts';
import { freshCell } from './health-cell.ts';
import type { HealthCell, HealthState } from './health-cell.ts';
import { healthRuleOf } from './health-rule.ts';
import type { HealthRule } from './health-rule.ts';
import { advance, observe } from './health.ts';
import { instant } from './ids.ts';
import type { Instant, TargetName } from './ids.ts';
import { isCount } from './record.ts';
import type { RequestRecord } from './record.ts';
import type { GateRule } from './snapshot.ts';

/** One attempt of the past, as far as a gate cares. */
export type PastAttempt = {
  readonly target: TargetName;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly failure: Evidence['failure'];
  readonly firstTokenMs: number | null;
  readonly callerKey: string | null;
  readonly requestKey: string;
};

/** One time the target was out. */
export type Trip = {
  /** The first failure of the excursion it was seen in, and when it was acted on. */
  readonly since: Instant | null;
  readonly shedAt: Instant;
  readonly ejectedAt: Instant | null;
  /** Null: it was out at the end of the records. */
  readonly backAt: Instant | null;
  readonly words: string;
  /** Attempts that would have gone elsewhere meanwhile, and how many of them failed where they went. */
  readonly moved: number;
  readonly spared: number;
};

export type Replayed = {
  readonly target: TargetName;
  readonly attempts: number;
  readonly failed: number;
  /** Failures that would still have been met: before it acted, as probes, or too few to act on. */
  readonly met: number;
  readonly trips: readonly Trip[];
};

/** The attempts of a record that say something about their targets. */
export function pastAttempts(record: RequestRecord): readonly PastAttempt[] {
  // That tokens can be counted says nothing of whether answers come.
  if (isCount(record.operation)) return [];
  return record.attempts.flatMap((attempt): PastAttempt[] => {
    if (attempt.outcome === 'cancelled') return [];
    const { failure } = attempt;
    const isSoft = failure === 'tool_call_invalid' || failure === 'structured_output_invalid';
    const { counts } = failure === null || isSoft ? { counts: 'target' } : failureRow(failure);
    if (counts !== 'target' && counts !== 'provider') return [];
    return [
      {
        target: attempt.target,
        startedAt: attempt.startedAt,
        endedAt: instant(attempt.startedAt + attempt.durationMs),
        failure: isSoft ? null : failure,
        firstTokenMs: record.stream ? attempt.firstTokenMs : null,
        callerKey: record.user === null ? record.key : `${record.key ?? ''}|${record.user}`,
        requestKey: record.id,
      },
    ];
  });
}

type Playing = {
  cell: HealthCell;
  movedAt: Instant;
  lot: number;
  attempts: number;
  failed: number;
  met: number;
  readonly trips: Trip[];
};

const isOut: Record<HealthState, boolean> = {
  healthy: false,
  shedding: true,
  ejected: true,
  probing: true,
  ramping: true,
};
/** Steps of the golden ratio draw lots evenly. */
const golden = 0.618_033_988_75;

function note(playing: Playing, { at, to, words, numbers }: Transition): void {
  playing.movedAt = at;
  const last = playing.trips.at(-1);
  const open = last !== undefined && last.backAt === null ? last : null;
  if (open === null) {
    if (isOut[to])
      playing.trips.push({
        since: numbers?.since ?? null,
        shedAt: at,
        ejectedAt: to === 'ejected' ? at : null,
        backAt: null,
        words,
        moved: 0,
        spared: 0,
      });
    return;
  }
  playing.trips[playing.trips.length - 1] = {
    ...open,
    ejectedAt: open.ejectedAt ?? (to === 'ejected' ? at : null),
    backAt: isOut[to] ? null : at,
  };
}

/** It would have gone elsewhere. */
function move(playing: Playing, failed: boolean): void {
  const last = playing.trips.at(-1);
  if (last === undefined) return;
  playing.trips[playing.trips.length - 1] = {
    ...last,
    moved: last.moved + 1,
    spared: last.spared + (failed ? 1 : 0),
  };
}

function play(playing: Playing, attempt: PastAttempt, rule: HealthRule): void {
  const { endedAt, failure, startedAt } = attempt;
  const failed = failure !== null;
  playing.attempts++;
  if (failed) playing.failed++;
  const advanced = advance(playing.cell, rule, endedAt);
  playing.cell = advanced.cell;
  if (advanced.transition !== null) note(playing, advanced.transition);
  playing.lot = (playing.lot + golden) % 1;
  const admitted = admission(playing.cell, rule, endedAt, playing.lot);
  // A request that was sent before the gate moved was on its way already.
  const isLate = startedAt < playing.movedAt;
  if (admitted.kind === 'out' && !isLate) {
    move(playing, failed);
    return;
  }
  if (failed) playing.met++;
  const probe = !isLate && (admitted.kind === 'probe' || wantsProbe(playing.cell, rule, endedAt));
  if (probe) playing.cell = startProbe(playing.cell, endedAt);
  const { generation } = playing.cell;
  const evidence: Evidence = {
    failure,
    generation: isLate ? generation - 1 : generation,
    probe,
    callerKey: attempt.callerKey,
    requestKey: attempt.requestKey,
    startedAt,
    firstTokenMs: attempt.firstTokenMs,
    soft: null,
    retryAfterMs: null,
  };
  const observed = observe(playing.cell, evidence, rule, endedAt, 0.5);
  playing.cell = observed.cell;
  if (observed.transition !== null) note(playing, observed.transition);
}

/** Attempts between two breaths. */
const breathAttempts = 500;

/** Plays attempts, in any order, through the gate of each target, in pieces. */
export function* replayGates(
  attempts: readonly PastAttempt[],
  gateOf: (target: TargetName) => GateRule | null,
): Generator<undefined, readonly Replayed[]> {
  // One key for everybody tells callers apart as little as none.
  const told = new Set(attempts.map(({ callerKey }) => callerKey)).size > 1;
  const inOrder = [...attempts].sort(
    (one, other) => one.endedAt - other.endedAt || one.startedAt - other.startedAt,
  );
  const playings = new Map<TargetName, { readonly playing: Playing; readonly rule: HealthRule } | null>();
  for (const [index, attempt] of inOrder.entries()) {
    if (index % breathAttempts === 0) yield;
    let found = playings.get(attempt.target);
    if (found === undefined) {
      const gate = gateOf(attempt.target);
      const rule = gate === null ? null : healthRuleOf(gate);
      found = rule === null ? null : { rule, playing: begin(rule, attempt.startedAt) };
      playings.set(attempt.target, found);
    }
    if (found !== null) play(found.playing, told ? attempt : { ...attempt, callerKey: null }, found.rule);
  }
  return [...playings].flatMap(([target, found]): Replayed[] => {
    if (found === null) return [];
    const { attempts: total, failed, met, trips } = found.playing;
    return [{ target, attempts: total, failed, met, trips }];
  });
}

function begin(rule: HealthRule, at: Instant): Playing {
  return { cell: freshCell(rule, at), movedAt: at, lot: 0, attempts: 0, failed: 0, met: 0, trips: [] };
}
