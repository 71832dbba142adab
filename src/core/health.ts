/**
 * The gate: `observe(cell, evidence) → cell, transition`. Out quickly, back carefully.
 *
 * *Out in two tiers.* When a detector raises its alarm (`detector.ts`: a stated rate of false alarms, against what is
 * usual), the target is shed: at once, quietly, reversibly. For a moment nothing is asked of it, because most trouble
 * of providers is a hiccup of seconds. Then a few attempts are weighed (`trial.ts`). If it is well, it comes back and
 * nothing was declared. If it is sick, it is ejected: declared, and a story begins. A target that has had many hiccups
 * lately is believed less: the proof it takes grows with their number.
 *
 * *Back by proof.* After a hold that doubles with every failed round, is jittered so that replicas do not return in
 * step, and never undercuts the provider's own Retry-After, one probe at a time is weighed by the same trial. Then a
 * ramp: a growing share of requests, under an alarm twenty times as touchy as usual. A relapse starts over, and the
 * third ejection in a row has a long first hold, so that a target that flaps cannot carry traffic to and fro.
 *
 * One failing caller is not a failing target: what the detector finds to be one caller's own doing sets that caller
 * aside, and what cannot be told apart asks for probes. Only evidence of the current generation moves a cell. Time
 * that runs backwards stands still.
 *
 * It refuses to attribute: which class counts against the target was decided by the failure table, which scope is
 * sick by `attribution.ts`. It never looks at switches, so it cannot undo one.
 */
import { count, culprit, dropExcursion, suspicion } from './detector.ts';
import type { Evidence, GateCause } from './evidence.ts';
import { sawFirstToken, slowLimitMs } from './first-token.ts';
import { comeBack, eject, lastsMs, moved, said, shed, startRamp, unmoved } from './gate-moves.ts';
import type { Observed } from './gate-moves.ts';
import { hiccupsAt, recentAfter, withFirstToken } from './health-cell.ts';
import type { Health, HealthCell, Trouble } from './health-cell.ts';
import type { HealthRule } from './health-rule.ts';
import type { Instant } from './ids.ts';
import { freshTrial, tried, verdictOf } from './trial.ts';
import type { WaitingEvidence } from './waiting.ts';

const failuresMin = 3;
/** With nobody else asking and no probe to be had, one caller's failures are believed from here on. */
const aloneFailuresMin = 8;
/** About fifty good attempts in a row end a shed, about eighty an ejection, over a hundred a long one. */
const shedWellOdds = 100;
const returnWellOdds = 1_500;
const luckyPerProof = 115;
/** A well target is found sick at most once in this many trials: those of a shed, those on the way back. */
const shedSickOdds = 150;
const returnSickOdds = 1_000;
/** More suspicious than this (one failure is not, two are) a ramp goes no step further, for this many times its hold. */
const rampSuspicion = 0.3;
const rampWaits = 6;
/** While ramping the alarm is this much lower: e³ = 20 times as touchy. */
const rampNats = 3;
const rampSeenMin = 10;
const setAsideMs = 600_000;
const setAsideMax = 4;

const overloads: ReadonlySet<string | null> = new Set(['overloaded', 'rate_limited', 'quota_exhausted']);

type Which = 'failures' | 'slowness';

/** Whose an excursion is: the target's, nobody's yet, or one caller's, who is then left out of account in the cell given. */
function accused(
  cell: HealthCell,
  which: Which,
  rule: HealthRule,
  now: Instant,
): HealthCell | 'target' | 'open' {
  const bank = cell[which];
  const { excursion } = bank;
  if (excursion === null) return 'open';
  const found = culprit(excursion, bank.tuning.p0);
  switch (found.kind) {
    case 'caller':
      return {
        ...cell,
        [which]: dropExcursion(bank, rule[which], now),
        setAside: [
          { key: found.key, until: (now + setAsideMs) as Instant },
          ...cell.setAside.filter((each) => each.key !== found.key),
        ].slice(0, setAsideMax),
      };
    case 'undecided':
      return excursion.failed < aloneFailuresMin || !found.alone ? 'open' : 'target';
    case 'target':
      return 'target';
  }
}

/** What an alarm of a bank amounts to: a shed, somebody's own fault, or not yet enough to tell. */
function alarmed(cell: HealthCell, which: Which, rule: HealthRule, now: Instant): Observed {
  const { excursion } = cell[which];
  if (excursion === null || excursion.failed < failuresMin) return unmoved(cell);
  const found = accused(cell, which, rule, now);
  if (found !== 'target') return unmoved(found === 'open' ? cell : found);
  const { failed, total, since, overloaded } = excursion;
  const cause = which === 'slowness' ? 'slow' : overloaded * 2 > failed ? 'overload' : 'failures';
  return shed(cell, { cause, scope: null, runnerUp: null, since, failed, total }, rule, now);
}

/** Past which time to first token an answer counts as slow; null: not known yet. */
export function limitOf(cell: HealthCell, rule: HealthRule): number | null {
  return rule.firstTokenMs ?? slowLimitMs(cell.firstToken);
}

function isSlow(cell: HealthCell, evidence: Evidence, rule: HealthRule): boolean {
  const limit = limitOf(cell, rule);
  return limit !== null && evidence.firstTokenMs !== null && evidence.firstTokenMs > limit;
}

/** The cell after one outcome of a target in use: both detectors, and the probes of a suspicion. Spelt out because it runs with every attempt. */
function detected(cell: HealthCell, evidence: Evidence, rule: HealthRule, now: Instant): HealthCell {
  const { firstTokenMs, retryAfterMs } = evidence;
  const failed = evidence.failure !== null;
  const callerKey = evidence.probe ? null : evidence.callerKey;
  const { requestKey } = evidence;
  const known = firstTokenMs !== null && !failed && evidence.firstTokenTold !== true;
  const slow = known && isSlow(cell, evidence, rule);
  return {
    health: cell.health,
    generation: cell.generation,
    failures: count(
      cell.failures,
      { failed, overloaded: failed && overloads.has(evidence.failure), callerKey, requestKey },
      rule.failures,
      now,
    ),
    slowness: known
      ? count(cell.slowness, { failed: slow, overloaded: false, callerKey, requestKey }, rule.slowness, now)
      : cell.slowness,
    firstToken: known && !slow ? sawFirstToken(cell.firstToken, firstTokenMs) : cell.firstToken,
    trouble: cell.trouble,
    probing: suspected(cell, evidence, now),
    setAside: cell.setAside,
    ejections: cell.ejections,
    rounds: cell.rounds,
    retryAt: retryAfterMs === null ? cell.retryAt : later(cell.retryAt, now, retryAfterMs),
    hiccups: cell.hiccups,
    hiccupAt: cell.hiccupAt,
    healthySince: cell.healthySince,
    recent: recentAfter(cell.recent, failed, now),
    latest: now,
  };
}

function later(retryAt: Instant, now: Instant, retryAfterMs: number): Instant {
  return Math.max(retryAt, now + retryAfterMs) as Instant;
}

/** Takes a first token into account when it comes: whether it was slow need not wait for the end of the answer. */
export function observeFirstToken(
  cell: HealthCell,
  evidence: Evidence,
  rule: HealthRule,
  now: Instant,
): Observed {
  const { firstTokenMs, callerKey, requestKey } = evidence;
  if (cell.health.state !== 'healthy' || evidence.generation !== cell.generation || firstTokenMs === null)
    return unmoved(cell);
  const at = Math.max(now, cell.latest) as Instant;
  if (isSetAside(cell, evidence, at)) return unmoved(cell);
  const failed = isSlow(cell, evidence, rule);
  const slowness = count(
    cell.slowness,
    { failed, overloaded: false, callerKey, requestKey },
    rule.slowness,
    at,
  );
  const firstToken = failed ? cell.firstToken : sawFirstToken(cell.firstToken, firstTokenMs);
  const next = withFirstToken(cell, slowness, firstToken);
  return suspicion(slowness) >= 1 ? alarmed(next, 'slowness', rule, at) : unmoved(next);
}

const suspicionMs = 60_000;

/** A real failure begins a suspicion, unless one is being looked into; a probe's outcome is counted. */
function suspected(cell: HealthCell, evidence: Evidence, now: Instant): HealthCell['probing'] {
  const { probing } = cell;
  const failed = evidence.failure !== null;
  if (evidence.probe) return { ...probing, startedAt: null, passed: failed ? 0 : probing.passed + 1 };
  if (!failed || now - probing.suspectedAt < suspicionMs) return probing;
  return { ...probing, suspectedAt: now, sent: 0, passed: 0 };
}

function observeHealthy(cell: HealthCell, evidence: Evidence, rule: HealthRule, now: Instant): Observed {
  const next = detected(cell, evidence, rule, now);
  const failing = suspicion(next.failures) >= 1 ? alarmed(next, 'failures', rule, now) : unmoved(next);
  if (failing.transition !== null || suspicion(failing.cell.slowness) < 1) return failing;
  return alarmed(failing.cell, 'slowness', rule, now);
}

/** Failures for which somebody waited in vain. */
const silences: ReadonlySet<string | null> = new Set(['first_token_timeout', 'headers_timeout']);

/** The trouble with one more attempt in it. What was taken for slow and then says nothing at all hangs. */
function withTrouble(cell: HealthCell, failed: boolean, failure: Evidence['failure']): HealthCell {
  const { trouble } = cell;
  if (trouble === null) return cell;
  const cause = trouble.cause === 'slow' && silences.has(failure) ? 'waiting' : trouble.cause;
  return {
    ...cell,
    trouble: { ...trouble, cause, total: trouble.total + 1, failed: trouble.failed + (failed ? 1 : 0) },
  };
}

/**
 * How many trials in a row must find it sick before it is declared: one, unless hiccups are frequent. Then the next one
 * may well fall into the trial of this one, and each further trial begins when such a hiccup would be over.
 */
function trialsFor(hiccups: number): number {
  return 1 + Math.floor(Math.log2(1 + hiccups) / 3);
}

type Turn = { readonly rule: HealthRule; readonly now: Instant; readonly random: number };

function observeShed(
  cell: HealthCell,
  health: Extract<Health, { state: 'shedding' }>,
  evidence: Evidence,
  { rule, now, random }: Turn,
): Observed {
  const failed = evidence.failure !== null || isSlow(cell, evidence, rule);
  const counted = withTrouble(cell, failed, evidence.failure);
  if (evidence.startedAt < health.trialFrom) return unmoved(counted);
  const trial = tried(health.trial, failed, evidence.callerKey);
  const { trouble } = counted;
  const open: HealthCell = { ...counted, health: { ...health, trial } };
  const hiccups = hiccupsAt(cell, now);
  switch (verdictOf(trial, { wellOdds: shedWellOdds, sickOdds: shedSickOdds * (1 + hiccups) })) {
    case 'open':
      return unmoved(open);
    case 'well': {
      const words = `it was over within moments: ${trial.total - trial.failed} of ${trial.total} later attempts were good`;
      const wiser = { ...counted, hiccups: hiccups + 1, hiccupAt: now };
      return comeBack(wiser, now, rule, { words, cause: 'probes' });
    }
    case 'sick': {
      const mayDeclare = rule.mayDeclare && (trouble?.cause !== 'slow' || rule.firstTokenMs !== null);
      const found = health.found + 1;
      if (trouble === null || !mayDeclare || found < trialsFor(hiccups)) {
        const trialFrom = (now + lastsMs(counted, rule)) as Instant;
        return unmoved({ ...counted, health: { ...health, trial: freshTrial, trialFrom, found } });
      }
      return eject(counted, rule, now, random, { ...said(counted, trouble, rule), again: false });
    }
  }
}

function observeProbing(
  cell: HealthCell,
  health: Extract<Health, { state: 'probing' }>,
  evidence: Evidence,
  { rule, now, random }: Turn,
): Observed {
  const trial = tried(
    health.trial,
    evidence.failure !== null || isSlow(cell, evidence, rule),
    evidence.callerKey,
  );
  // Every good attempt of a sick target is a chance to look well: the more there were, the more it must prove.
  const lucky = cell.trouble?.lucky ?? 0;
  const wellOdds = returnWellOdds * (1 + lucky / luckyPerProof) ** 1.5;
  switch (verdictOf(trial, { wellOdds, sickOdds: returnSickOdds })) {
    case 'open':
      return unmoved({ ...cell, health: { ...health, trial } });
    case 'sick': {
      const still = `still sick: ${trial.failed} of ${trial.total} attempts on the way back failed`;
      // Why it is out in the first place is said each time: this may be the only sentence that somebody reads.
      const words = cell.trouble === null ? still : `${said(cell, cell.trouble, rule).words}; ${still}`;
      const trouble =
        cell.trouble === null ? null : { ...cell.trouble, lucky: lucky + trial.total - trial.failed };
      return eject({ ...cell, trouble }, rule, now, random, { words, cause: 'probes', again: true });
    }
    case 'well': {
      const words = `${trial.total - trial.failed} of ${trial.total} attempts on the way back were good: a growing share of requests returns`;
      return startRamp(cell, rule, now, { words, cause: 'probes' });
    }
  }
}

function observeRamp(
  cell: HealthCell,
  health: Extract<Health, { state: 'ramping' }>,
  evidence: Evidence,
  { rule, now, random }: Turn,
): Observed {
  const next = detected({ ...cell, health: { ...health, seen: health.seen + 1 } }, evidence, rule, now);
  for (const which of ['failures', 'slowness'] as const) {
    const bank = next[which];
    const touchy = 1 - rampNats / bank.tuning.height;
    if (bank.excursion === null || bank.excursion.failed < 2 || suspicion(bank) < touchy) continue;
    if (which === 'slowness' && rule.firstTokenMs === null) continue;
    const found = accused(next, which, rule, now);
    if (found === 'open') continue;
    if (found !== 'target') return unmoved(found);
    const { failed, total, since } = bank.excursion;
    const cause: GateCause = which === 'slowness' ? 'slow' : 'failures';
    const trouble: Trouble = { cause, scope: null, runnerUp: null, since, failed, total };
    const fallen = { ...next, trouble };
    return eject(fallen, rule, now, random, { ...said(fallen, trouble, rule, 'a relapse: '), again: false });
  }
  return unmoved(next);
}

function isSetAside(cell: HealthCell, evidence: Evidence, now: Instant): boolean {
  if (cell.setAside.length === 0 || evidence.probe || evidence.callerKey === null) return false;
  return cell.setAside.some((each) => each.key === evidence.callerKey && each.until > now);
}

/** Takes one finished attempt into account. `random` in [0, 1) jitters the hold. */
export function observe(
  cell: HealthCell,
  evidence: Evidence,
  rule: HealthRule,
  now: Instant,
  random: number,
): Observed {
  if (evidence.generation !== cell.generation) return unmoved(cell);
  const at = Math.max(now, cell.latest) as Instant;
  if (isSetAside(cell, evidence, at)) return unmoved(cell);
  const { health } = cell;
  if (health.state === 'healthy') return observeHealthy(cell, evidence, rule, at);
  const turn: Turn = { rule, now: at, random };
  if (health.state === 'ramping') return observeRamp(cell, health, evidence, turn);
  const hint = evidence.retryAfterMs;
  const heard: HealthCell = {
    ...cell,
    latest: at,
    recent: recentAfter(cell.recent, evidence.failure !== null, at),
    retryAt: hint === null ? cell.retryAt : later(cell.retryAt, at, hint),
    probing: evidence.probe ? { ...cell.probing, startedAt: null } : cell.probing,
  };
  switch (health.state) {
    case 'shedding':
      return observeShed(heard, health, evidence, turn);
    case 'ejected':
      return unmoved(heard);
    case 'probing':
      return observeProbing(heard, health, evidence, turn);
  }
}

/**
 * Takes requests into account that still wait for their first token: `waiting` is what `waiting.ts` makes of the
 * target's log of starts. Call it about every 250 ms while anything waits.
 */
export function observeWaiting(
  cell: HealthCell,
  waiting: WaitingEvidence,
  rule: HealthRule,
  now: Instant,
): Observed {
  if (cell.health.state !== 'healthy') return unmoved(cell);
  if (waiting.nats < cell.failures.tuning.height || waiting.waiting < failuresMin) return unmoved(cell);
  const { total, since } = waiting;
  return shed(
    cell,
    { cause: 'waiting', scope: null, runnerUp: null, since, failed: waiting.waiting, total },
    rule,
    now,
  );
}

/** Moves that need only time: the end of a hold, the next step of a ramp, a probe given up. */
export function advance(cell: HealthCell, rule: HealthRule, now: Instant): Observed {
  const { health, probing } = cell;
  if (probing.startedAt !== null && now - probing.startedAt >= rule.probeMsMax)
    return unmoved({ ...cell, probing: { ...probing, startedAt: null } });
  switch (health.state) {
    case 'healthy':
      return now - cell.healthySince >= rule.forgetMs && cell.ejections > 0
        ? unmoved({ ...cell, ejections: cell.ejections - 1, healthySince: now })
        : unmoved(cell);
    case 'shedding':
      return unmoved(cell);
    case 'ejected': {
      if (now < health.until) return unmoved(cell);
      const { words } = health;
      return moved(cell, { state: 'probing', since: now, trial: freshTrial, words }, now, {
        words: 'the hold is over: one attempt at a time may try it',
        cause: 'time',
      });
    }
    case 'probing':
      return unmoved(cell);
    case 'ramping': {
      const age = now - health.stepSince;
      const longEnough =
        age >= rule.rampHoldMs && (health.seen >= rampSeenMin || age >= rule.rampHoldMs * 1.5);
      if (!longEnough) return unmoved(cell);
      const doubted = Math.max(suspicion(cell.failures), suspicion(cell.slowness)) > rampSuspicion;
      if (doubted && age < rule.rampHoldMs * rampWaits) return unmoved(cell);
      const step = health.step + 1;
      if (step < rule.ramp.length && (rule.ramp[step] ?? 1) < 1)
        return unmoved({ ...cell, health: { ...health, step, stepSince: now, seen: 0 } });
      return comeBack(cell, now, rule, {
        words: 'the ramp ended without a relapse: normal routing',
        cause: 'time',
      });
    }
  }
}
