/**
 * Playbooks as verbs: begin a run, say a word to one, hand in a playbook. `moveRuns` is the clock's verb: it begins runs
 * whose time has come and moves those under way, one step after the other, each written before the next.
 */
import { z } from 'zod';

import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { PlaybookFacts } from '../core/playbook-condition.ts';
import { begins, forbidden, ruleNow, subjectOf, writtenOut } from '../core/playbook-plan.ts';
import type { Operation } from '../core/playbook-plan.ts';
import { advance, startRun, told } from '../core/playbook-run.ts';
import type { PersonsWord, Probed, Run } from '../core/playbook-run.ts';
import { staleWords } from '../core/agreement.ts';
import type { Playbook } from '../core/playbook.ts';
import type { Switch } from '../core/switches.ts';
import type { RunWrite } from '../store/store.ts';
import { doDeed } from './playbook-deeds.ts';
import type { DeedDependencies } from './playbook-deeds.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput, staleProblem } from './verb.ts';
import type { ChangeFacts, ControlError, Result } from './verb.ts';

export type Shelved = {
  readonly playbook: Playbook;
  readonly text: string;
  readonly source: 'file' | 'store';
};

export type PlaybookDependencies = DeedDependencies & {
  readonly shelf: () => readonly Shelved[];
  /** Runs that have not ended, as this process knows them. */
  readonly runs: () => readonly Run[];
  readonly keepRuns: (runs: readonly Run[]) => void;
  /** When the last run of a playbook ended; null when there was none. */
  readonly lastEnded: (playbook: string) => Instant | null;
  readonly facts: () => PlaybookFacts;
  readonly probed: Probed;
  /** A switch of a run is in force: what is under way is told. */
  readonly switchedOff: (entry: Switch) => Promise<void>;
  /** A switch of a run is released with a ramp. */
  readonly returned: (entry: Switch) => void;
};

/** Runs under way at the same time. */
export const runsMax = 50;
/** Steps of one run in one round; the rest waits for the next round. */
const stepsMax = 100;
const playbookBytesMax = 256 * 1_024;

export const runInput = z.strictObject({ reason, dry_run: z.boolean().optional() });
export const wordInput = z.strictObject({ reason });
export const answerInput = z.strictObject({ reason, answer: z.enum(['approve', 'reject']) });
export type Action = PersonsWord['kind'];
export const playbookInput = z.strictObject({ text: z.string().max(playbookBytesMax) });

const isSame = (a: Run, b: Run): boolean => a.id === b.id;

function keep(run: Run, { runs, keepRuns }: PlaybookDependencies): void {
  const others = runs().filter((each) => !isSame(each, run));
  keepRuns(run.endedAt === null ? [...others, run] : others);
}

/** Writes a move and puts what it switched in force; false when the run has moved on elsewhere. */
async function write(move: RunWrite, dependencies: PlaybookDependencies): Promise<boolean> {
  if (!(await dependencies.store.saveRun(move))) return false;
  keep(move.run, dependencies);
  if (move.made.length + move.released.length === 0) return true;
  const gone = new Set(move.released.map(({ id }) => id));
  dependencies.publish([...dependencies.current().filter(({ id }) => !gone.has(id)), ...move.made]);
  for (const entry of move.made) await dependencies.switchedOff(entry);
  for (const entry of move.released) if (entry.release?.ramp === true) dependencies.returned(entry);
  return true;
}

const plainly = (run: Run, changes: RunWrite['changes'] = []): RunWrite => ({
  run,
  changes,
  made: [],
  released: [],
});

function changeOf(
  run: Run,
  kind: ChangeFacts['kind'],
  actor: string,
  words: string,
  dependencies: PlaybookDependencies,
) {
  const after = { playbook: run.playbook, version: run.version, state: run.state, subject: run.subject };
  return newChange({ kind, actor, subject: run.id, reason: words, before: null, after }, dependencies);
}

async function begin(
  shelved: Shelved,
  by: string,
  words: string,
  dependencies: PlaybookDependencies,
): Promise<Run | null> {
  const { playbook } = shelved;
  const stale = staleWords(`playbook ${playbook.name}`, playbook.agreed, dependencies.now());
  const said = stale === null ? words : `${words}. ${stale}`;
  const run = startRun(
    playbook,
    dependencies.facts(),
    { id: dependencies.newId('run'), by, words: said },
    dependencies.now(),
  );
  const change = changeOf(run, 'playbook.started', by, said, dependencies);
  return (await write(plainly(run, [change]), dependencies)) ? run : null;
}

/** Moves a run as far as it gets now. */
async function moveRun(begun: Run, playbook: Playbook, dependencies: PlaybookDependencies): Promise<void> {
  let run = begun;
  for (let step = 0; step < stepsMax && run.endedAt === null; step++) {
    const moment = { facts: dependencies.facts(), now: dependencies.now(), probed: dependencies.probed };
    const { run: advanced, deed } = advance(run, playbook, moment);
    if (deed === null) {
      if (advanced.rev === run.rev) return;
      const words = advanced.log.at(-1)?.words ?? '';
      const changes =
        advanced.endedAt === null
          ? []
          : [changeOf(advanced, 'playbook.ended', 'system', words, dependencies)];
      await write(plainly(advanced, changes), dependencies);
      return;
    }
    const { write: move } = await doDeed(deed, advanced, playbook, dependencies);
    if (!(await write(move, dependencies))) return;
    run = move.run;
  }
}

function playbookOf(run: Run, { shelf }: PlaybookDependencies): Playbook | null {
  return shelf().find(({ playbook }) => playbook.name === run.playbook)?.playbook ?? null;
}

/** One round: runs that are due begin, and every run moves as far as it gets. Not to be called twice at once. */
export async function moveRuns(dependencies: PlaybookDependencies): Promise<void> {
  const { shelf, runs, lastEnded, now } = dependencies;
  let seen: PlaybookFacts | null = null;
  for (const shelved of shelf()) {
    const { playbook } = shelved;
    if (!playbook.automatic || runs().length >= runsMax) continue;
    if (runs().some((run) => run.playbook === playbook.name)) continue;
    const ended = lastEnded(playbook.name);
    if (ended !== null && now() - ended < playbook.cooldownMs) continue;
    seen ??= dependencies.facts();
    if (begins(playbook, seen, now()))
      await begin(shelved, 'system', 'what it waits for has come', dependencies);
  }
  for (const run of runs()) {
    const playbook = playbookOf(run, dependencies);
    if (playbook !== null) await moveRun(run, playbook, dependencies);
  }
}

export type Planned = {
  readonly rule: number | null;
  readonly subject: readonly string[];
  readonly operations: readonly { readonly operation: Operation; readonly forbidden: string | null }[];
};

/** What a run would do if it began now; nothing is done. */
export function planned(
  playbook: Playbook,
  { facts, now }: Pick<PlaybookDependencies, 'facts' | 'now'>,
): Planned {
  const seen = facts();
  const subject = subjectOf(playbook, seen);
  const rule = ruleNow(playbook, seen, now());
  const operations = rule === null ? [] : writtenOut(playbook, rule, subject);
  return {
    rule,
    subject: subject.map(({ target }) => target.name),
    operations: operations.map((operation) => ({
      operation,
      forbidden: forbidden(operation, playbook.never, seen),
    })),
  };
}

const noPlaybook = (name: string): ControlError =>
  controlError('not_found', `There is no playbook ${name}.`, 'See: breakwater playbook list');

export type Started =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'plan'; readonly plan: Planned };

export function runPlaybook(
  name: string,
  input: unknown,
  actor: string,
  dependencies: PlaybookDependencies,
): Promise<Result<Started>> {
  return carryOut<Started>({ actor, subject: name }, dependencies, async () => {
    const parsed = parseInput(runInput, input);
    if (parsed.kind === 'error') return parsed;
    const shelved = dependencies.shelf().find(({ playbook }) => playbook.name === name);
    if (shelved === undefined) return noPlaybook(name);
    if (parsed.value.dry_run === true)
      return done({ kind: 'plan', plan: planned(shelved.playbook, dependencies) });
    if (dependencies.runs().some((run) => run.playbook === name))
      return controlError('conflict', `A run of ${name} is under way.`, 'See: breakwater playbook runs');
    if (dependencies.runs().length >= runsMax)
      return controlError('conflict', `${runsMax} runs are under way.`, 'Abort some first.');
    const run = await begin(shelved, actor, parsed.value.reason, dependencies);
    return run === null
      ? controlError('conflict', 'Another run began at the same moment.', 'See: breakwater playbook runs')
      : done({ kind: 'run', run });
  });
}

type Said = { readonly word: PersonsWord; readonly reason: string };

function readWord(action: Action, input: unknown): Result<Said> {
  if (action === 'answer') {
    const parsed = parseInput(answerInput, input);
    if (parsed.kind === 'error') return parsed;
    const { answer, reason: why } = parsed.value;
    return done({ word: { kind: 'answer', answer }, reason: why });
  }
  const parsed = parseInput(wordInput, input);
  return parsed.kind === 'error' ? parsed : done({ word: { kind: action }, reason: parsed.value.reason });
}

export function tellRun(
  id: string,
  action: Action,
  { input, actor, rev }: { readonly input: unknown; readonly actor: string; readonly rev: number | null },
  dependencies: PlaybookDependencies,
): Promise<Result<Run>> {
  return carryOut<Run>({ actor, subject: id }, dependencies, async () => {
    const read = readWord(action, input);
    if (read.kind === 'error') return read;
    const { word, reason: why } = read.value;
    const run = dependencies.runs().find((each) => each.id === id) ?? (await dependencies.store.findRun(id));
    if (run === null)
      return controlError('not_found', `There is no run ${id}.`, 'See: breakwater playbook runs');
    const stale = staleProblem(rev, run.rev, `Run ${id} has moved on since.`);
    if (stale !== null) return stale;
    const now = instant(dependencies.now());
    const after = told(run, word, actor, why, now);
    if (typeof after === 'string')
      return controlError('conflict', `Nothing was changed: ${after}.`, 'See: breakwater playbook runs');
    const words = word.kind === 'answer' ? word.answer : word.kind;
    const change = changeOf(
      after,
      after.endedAt === null ? 'playbook.told' : 'playbook.ended',
      actor,
      `${words}: ${why}`,
      dependencies,
    );
    if (await write(plainly(after, [change]), dependencies)) return done(after);
    return controlError(
      'conflict',
      'The run has moved on at the same moment.',
      'Look at it again, then decide.',
    );
  });
}

export type TextRead =
  | { readonly ok: true; readonly playbook: Playbook }
  | { readonly ok: false; readonly message: string };

export type PlaybookGiven = {
  readonly input: unknown;
  readonly actor: string;
  /** The version that is to be replaced; null when the caller does not care. */
  readonly version: string | null;
};

/** Keeps a playbook that was handed in; one of the same name is replaced, unless it comes from a file. */
export function savePlaybook(
  { input, actor, version }: PlaybookGiven,
  dependencies: PlaybookDependencies & {
    readonly read: (text: string) => TextRead;
    readonly reshelve: () => Promise<void>;
  },
): Promise<Result<Shelved>> {
  return carryOut<Shelved>({ actor, subject: 'playbook' }, dependencies, async () => {
    const parsed = parseInput(playbookInput, input);
    if (parsed.kind === 'error') return parsed;
    const read = dependencies.read(parsed.value.text);
    if (!read.ok) return controlError('invalid', read.message, 'Correct the playbook.', 'text');
    const { playbook } = read;
    const before = dependencies.shelf().find((each) => each.playbook.name === playbook.name);
    if (before?.source === 'file')
      return controlError(
        'conflict',
        `${playbook.name} comes from a file.`,
        'Change the file, or use another name.',
      );
    const now = before?.playbook.version ?? null;
    const stale = staleProblem(version, now, `${playbook.name} was changed by somebody else.`);
    if (stale !== null) return stale;
    const change = newChange(
      {
        kind: 'playbook.saved',
        actor,
        subject: playbook.name,
        reason: playbook.title,
        before: before?.playbook.version ?? null,
        after: playbook.version,
      },
      dependencies,
    );
    await dependencies.store.savePlaybook(playbook.name, parsed.value.text, change);
    await dependencies.reshelve();
    return done({ playbook, text: parsed.value.text, source: 'store' });
  });
}
