/**
 * A run of a playbook, as a value that moves: `advance` says what is to be done next, `confirmed` takes what came of it.
 *
 * A run does one operation after the other. What acts on the world is handed out as a deed with a key that is the same
 * each time it is handed out, so that whoever does it can do it once, also after a crash between doing and confirming.
 * The time an operation began is part of the value, so waiting goes on after a restart where it was. A more severe rule
 * that begins to hold takes over (escalation); on a relapse while traffic comes back, everything is off again and the
 * way back starts over, each time with a longer hold. A person's word comes first: pause, skip, abort, answer.
 *
 * It refuses to know how deeds are done, and never does what the playbook's `never` names: such an operation is passed
 * over and said so.
 */
import type { Instant } from './ids.ts';
import { countsOf, holds, lately } from './playbook-condition.ts';
import type { PlaybookFacts, TargetFacts } from './playbook-condition.ts';
import { begins, forbidden, ruleNow, subjectOf, watched, writtenOut } from './playbook-plan.ts';
import type { Operation } from './playbook-plan.ts';
import type { Playbook } from './playbook.ts';
import type { Scope } from './switches.ts';

export type RunState = 'running' | 'asking' | 'paused' | 'done' | 'aborted';

export type RunEntry = {
  readonly at: Instant;
  readonly by: string;
  readonly operation: number | null;
  readonly words: string;
};

/** A switch that the run made and has not released. */
export type MadeSwitch = { readonly id: string; readonly scope: Scope };

export type Run = {
  readonly id: string;
  readonly rev: number;
  readonly playbook: string;
  readonly version: string;
  readonly startedAt: Instant;
  readonly startedBy: string;
  readonly endedAt: Instant | null;
  readonly state: RunState;
  /** Names of the targets it is about. */
  readonly subject: readonly string[];
  /** The rule that applies; null while none does. */
  readonly rule: number | null;
  readonly operations: readonly Operation[];
  /** The operation under way. */
  readonly at: number;
  readonly since: Instant;
  /** The deed of this operation is confirmed; what is left is waiting. */
  readonly isDone: boolean;
  readonly answer: 'approve' | 'reject' | null;
  /** How often the way back started over; `relapses` counts those that users felt. */
  readonly rounds: number;
  readonly relapses: number;
  readonly switches: readonly MadeSwitch[];
  readonly incident: string | null;
  readonly log: readonly RunEntry[];
};

type Doing = Exclude<Operation, { kind: 'wait' | 'quiet' | 'hold' }>;
/** Something to be done once. `switches` are those of the run. */
export type Deed = {
  readonly key: string;
  readonly operation: Doing | { readonly kind: 'shut' };
  readonly since: Instant;
  readonly switches: readonly MadeSwitch[];
  readonly incident: string | null;
};

export type Outcome =
  | {
      readonly kind: 'done';
      readonly words: string;
      readonly switches?: readonly MadeSwitch[];
      readonly incident?: string;
    }
  /** It can not be done, now or ever: it is passed over. */
  | { readonly kind: 'failed'; readonly words: string };

export type Advanced = { readonly run: Run; readonly deed: Deed | null };

/** What probes of an operation have shown so far. */
export type Probed = (key: string) => { readonly sent: number; readonly passed: number };

const logMax = 300;
/** How often a wait for quiet is begun anew while it is not quiet. */
const quietStepMs = 5_000;
const relapsesMax = 5;
const holdGrowthMax = 8;

function noted(run: Run, now: Instant, words: string, by = 'playbook'): Run {
  const entry = { at: now, by, operation: run.operations.length === 0 ? null : run.at, words };
  return { ...run, rev: run.rev + 1, log: [...run.log, entry].slice(-logMax) };
}

const ended = (run: Run, state: 'done' | 'aborted', now: Instant): Run => ({ ...run, state, endedAt: now });

export function keyOf(run: Pick<Run, 'id' | 'at' | 'rounds'>): string {
  return `${run.id}/${run.at}/${run.rounds}`;
}

/** A run that begins now. */
export function startRun(
  playbook: Playbook,
  facts: PlaybookFacts,
  start: { readonly id: string; readonly by: string; readonly words: string },
  now: Instant,
): Run {
  const run: Run = {
    id: start.id,
    rev: 0,
    playbook: playbook.name,
    version: playbook.version,
    startedAt: now,
    startedBy: start.by,
    endedAt: null,
    state: 'running',
    subject: subjectOf(playbook, facts).map(({ target }) => target.name),
    rule: null,
    operations: [],
    at: 0,
    since: now,
    isDone: false,
    answer: null,
    rounds: 0,
    relapses: 0,
    switches: [],
    incident: null,
    log: [],
  };
  return noted(run, now, start.words, start.by);
}

function onwards(run: Run, now: Instant, words: string, by?: string): Run {
  const moved = noted(run, now, words, by);
  return { ...moved, state: 'running', at: run.at + 1, since: now, isDone: false, answer: null };
}

/** The targets of the run, and what else has fallen sick within its scope since. */
function subjectFacts(run: Run, playbook: Playbook, facts: PlaybookFacts): readonly TargetFacts[] {
  const names = new Set([...run.subject, ...subjectOf(playbook, facts).map(({ target }) => target.name)]);
  return watched(playbook, facts).filter(({ target }) => names.has(target.name));
}

const returning: ReadonlySet<Operation['kind']> = new Set(['quiet', 'reshape', 'hold', 'release']);

/** A rule that applies first or, while nothing comes back yet, a more severe one. */
function withRule(run: Run, playbook: Playbook, facts: PlaybookFacts, now: Instant): Run {
  const current = run.operations[run.at];
  if (run.rule !== null && current !== undefined && returning.has(current.kind)) return run;
  const rule = ruleNow(playbook, facts, now);
  if (rule === null || (run.rule !== null && rule >= run.rule)) return run;
  const subject = subjectFacts(run, playbook, facts);
  const made = new Set(run.switches.map((each) => JSON.stringify(each.scope)));
  const fresh = writtenOut(playbook, rule, subject).filter(
    (operation) => !(operation.kind === 'switch' && made.has(JSON.stringify(operation.scope))),
  );
  const begun = run.operations.slice(0, run.at);
  const words =
    run.rule === null ? `rule ${rule + 1} applies` : `it has become worse: rule ${rule + 1} applies now`;
  return {
    ...noted(run, now, words),
    state: 'running',
    rule,
    subject: subject.map(({ target }) => target.name),
    operations: [...begun, ...fresh],
    at: begun.length,
    since: now,
    isDone: false,
    answer: null,
  };
}

/** The way back starts over: everything is off again first. */
function backToStart(run: Run, now: Instant, words: string): Run {
  const first = run.operations.findIndex((operation) => returning.has(operation.kind));
  return { ...noted(run, now, words), at: first, since: now, isDone: false, rounds: run.rounds + 1 };
}

/** It failed with users on it. */
function relapsed(run: Run, now: Instant): Run {
  const relapses = run.relapses + 1;
  const back = backToStart(run, now, 'it failed again on the way back: everything is off again');
  if (relapses < relapsesMax) return { ...back, relapses };
  const words = `it has failed ${relapsesMax} times on the way back: a person decides now`;
  return { ...noted(back, now, words), relapses, state: 'paused' };
}

type Moment = { readonly facts: PlaybookFacts; readonly now: Instant; readonly probed: Probed };

function subjectNow(run: Run, facts: PlaybookFacts): readonly TargetFacts[] {
  const names = new Set(run.subject);
  return facts.targets.filter(({ target }) => names.has(target.name));
}

function whileWaiting(
  run: Run,
  operation: Extract<Operation, { kind: 'wait' | 'quiet' | 'hold' }>,
  { facts, now }: Moment,
): Run | Deed['operation'] {
  const waited = now - run.since;
  const subject = subjectNow(run, facts);
  switch (operation.kind) {
    case 'wait':
      if (operation.until !== null && holds(operation.until, subject, facts.features, now))
        return onwards(run, now, 'what it waited for has come');
      return waited >= operation.ms ? onwards(run, now, 'it has waited') : run;
    case 'quiet': {
      if (run.rounds > 0 && !run.isDone) return { kind: 'shut' };
      const failed = countsOf(subject, Math.max(1, Math.min(operation.ms, waited)), null).failed;
      if (failed > 0) return waited < quietStepMs ? run : { ...run, rev: run.rev + 1, since: now };
      return waited >= operation.ms ? onwards(run, now, 'nothing has failed for long enough') : run;
    }
    case 'hold': {
      if (
        operation.abortIf !== null &&
        holds(lately(operation.abortIf, waited), subject, facts.features, now)
      )
        return relapsed(run, now);
      const growth = Math.min(holdGrowthMax, 2 ** run.relapses);
      return waited >= operation.ms * growth ? onwards(run, now, 'this share holds') : run;
    }
  }
}

function whileProbing(
  run: Run,
  operation: Extract<Operation, { kind: 'probe' }>,
  { now, probed }: Moment,
): Run {
  const { sent, passed } = probed(keyOf(run));
  if (sent < operation.count && now - run.since < operation.overMs) return run;
  const share = sent === 0 ? 0 : passed / sent;
  if (sent > 0 && share >= operation.passed) return onwards(run, now, `${passed} of ${sent} probes passed`);
  const isReturning = run.operations.slice(0, run.at).some((each) => each.kind === 'quiet');
  const words = `only ${passed} of ${sent} probes passed`;
  return isReturning ? backToStart(run, now, words) : onwards(run, now, words);
}

function whileAsking(run: Run, operation: Extract<Operation, { kind: 'ask' }>, now: Instant): Run {
  if (run.answer === 'approve') return onwards(run, now, 'a person approved');
  const isLate = now - run.since >= operation.timeoutMs;
  if (run.answer === null && !isLate)
    return run.state === 'asking' ? run : { ...run, rev: run.rev + 1, state: 'asking' };
  const words = run.answer === 'reject' ? 'a person said no' : 'nobody answered in time';
  const otherwise =
    run.answer === 'reject' ? (operation.otherwise === 'abort' ? 'abort' : 'skip_rest') : operation.otherwise;
  switch (otherwise) {
    case 'continue':
      return onwards(run, now, words);
    case 'abort':
      return ended(noted(run, now, words), 'aborted', now);
    case 'skip_rest':
      return skippedToReturn(run, now, words);
  }
}

/** What is left of the rule is passed over, but not the way back of what was done already. */
function skippedToReturn(run: Run, now: Instant, words: string): Run {
  const back = run.operations.findIndex(
    (operation, index) => index > run.at && returning.has(operation.kind),
  );
  const moved = noted(run, now, `${words}: the steps behind it are passed over`);
  return {
    ...moved,
    state: 'running',
    at: back < 0 ? run.operations.length : back,
    since: now,
    isDone: false,
    answer: null,
  };
}

const deedOf = (run: Run, operation: Deed['operation']): Deed => ({
  key: keyOf(run),
  operation,
  since: run.since,
  switches: run.switches,
  incident: run.incident,
});

/** One move: a run that stands still has nothing to do now. */
function moved(run: Run, playbook: Playbook, moment: Moment): Advanced {
  const { facts, now } = moment;
  const operation = run.operations[run.at];
  if (operation === undefined)
    return {
      run: run.rule === null ? run : ended(noted(run, now, 'every step is done'), 'done', now),
      deed: null,
    };
  switch (operation.kind) {
    case 'wait':
    case 'quiet':
    case 'hold': {
      const next = whileWaiting(run, operation, moment);
      return 'kind' in next ? { run, deed: deedOf(run, next) } : { run: next, deed: null };
    }
    case 'probe':
      return run.isDone
        ? { run: whileProbing(run, operation, moment), deed: null }
        : { run, deed: deedOf(run, operation) };
    case 'ask':
      return run.isDone
        ? { run: whileAsking(run, operation, now), deed: null }
        : { run, deed: deedOf(run, operation) };
    case 'switch':
    case 'incident':
    case 'notify':
    case 'publish':
    case 'drill':
    case 'reshape':
    case 'release': {
      const why = forbidden(operation, playbook.never, facts);
      return why === null
        ? { run, deed: deedOf(run, operation) }
        : { run: onwards(run, now, `passed over: ${why}`), deed: null };
    }
  }
}

/** Moves of one call; a run that needs more goes on in the next. */
const movesMax = 200;

/** As far as a run gets now: to a deed that must be done first, or to something it waits for. */
export function advance(run: Run, playbook: Playbook, moment: Moment): Advanced {
  let current = run;
  for (let count = 0; count < movesMax; count++) {
    if (current.state !== 'running' && current.state !== 'asking') return { run: current, deed: null };
    current = withRule(current, playbook, moment.facts, moment.now);
    if (current.rule === null) {
      const isOver = !begins(playbook, moment.facts, moment.now);
      const over = (): Run =>
        ended(noted(current, moment.now, 'what it watched is over; no rule applied'), 'done', moment.now);
      return { run: isOver ? over() : current, deed: null };
    }
    const next = moved(current, playbook, moment);
    if (next.deed !== null || next.run === current) return next;
    current = next.run;
  }
  return { run: current, deed: null };
}

/** Takes what came of a deed. */
export function confirmed(run: Run, deed: Deed, outcome: Outcome, now: Instant): Run {
  if (deed.key !== keyOf(run) || run.state === 'done' || run.state === 'aborted') return run;
  const told =
    outcome.kind === 'failed' ? { ...noted(run, now, `it could not be done: ${outcome.words}`) } : run;
  const kept: Run =
    outcome.kind === 'failed'
      ? told
      : { ...run, switches: outcome.switches ?? run.switches, incident: outcome.incident ?? run.incident };
  switch (deed.operation.kind) {
    case 'probe':
    case 'ask':
    case 'shut':
      return { ...noted(kept, now, outcome.words), isDone: true };
    case 'switch':
    case 'incident':
    case 'notify':
    case 'publish':
    case 'drill':
    case 'reshape':
    case 'release':
      return onwards(kept, now, outcome.words);
  }
}

export type PersonsWord =
  | { readonly kind: 'pause' | 'resume' | 'skip' | 'abort' }
  | { readonly kind: 'answer'; readonly answer: 'approve' | 'reject' };

/** What a person says to a run; a text when it makes no sense now. */
export function told(run: Run, word: PersonsWord, by: string, reason: string, now: Instant): Run | string {
  if (run.state === 'done' || run.state === 'aborted') return `the run is ${run.state} already`;
  switch (word.kind) {
    case 'pause':
      return run.state === 'paused'
        ? 'it is paused already'
        : { ...noted(run, now, `paused: ${reason}`, by), state: 'paused' };
    case 'resume':
      return run.state === 'paused'
        ? { ...noted(run, now, `goes on: ${reason}`, by), state: 'running' }
        : 'it is not paused';
    case 'skip':
      return run.operations[run.at] === undefined
        ? 'there is no step under way'
        : onwards(run, now, `skipped: ${reason}`, by);
    case 'abort':
      return ended(
        noted(run, now, `aborted: ${reason}; its switches stay until they expire or are released`, by),
        'aborted',
        now,
      );
    case 'answer':
      if (run.operations[run.at]?.kind !== 'ask') return 'it asks nothing now';
      if (run.answer !== null) return `it was answered already: ${run.answer}`;
      return { ...noted(run, now, `${word.answer}: ${reason}`, by), answer: word.answer };
  }
}
