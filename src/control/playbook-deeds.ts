/**
 * How the deeds of a run are done. What can be written is written with the run's own move, in one transaction: a switch,
 * its release, a message to a channel. So each is done once, whatever is killed when. What lives elsewhere (incidents,
 * messages to users, probes, drills) is asked of hands that know a deed they have done already by its key.
 */
import { instant, switchId } from '../core/ids.ts';
import { confirmed, keyOf } from '../core/playbook-run.ts';
import type { Deed, MadeSwitch, Outcome, Run } from '../core/playbook-run.ts';
import { writtenShare } from '../core/percent.ts';
import type { Playbook } from '../core/playbook.ts';
import type { Change } from '../core/record.ts';
import { scopeText } from '../core/switches.ts';
import type { Effect, Scope, Switch } from '../core/switches.ts';
import type { RunWrite } from '../store/store.ts';
import type { SwitchDependencies } from './switches.ts';
import { newChange } from './verb.ts';

type Told<K extends Deed['operation']['kind']> = Deed & {
  readonly operation: Extract<Deed['operation'], { kind: K }>;
};

/** What is done outside of the run's transaction; the same key twice has the effect once. */
export type Hands = {
  readonly openIncident: (deed: Told<'incident'>, run: Run, playbook: Playbook) => Promise<Outcome>;
  readonly publish: (deed: Told<'publish'>, run: Run, playbook: Playbook) => Promise<Outcome>;
  /** Begins to probe the targets; `probed` tells how it goes. */
  readonly probe: (deed: Told<'probe'>, run: Run) => void;
  readonly drill: (deed: Told<'drill'>, run: Run) => Promise<Outcome>;
};

export type DeedDependencies = SwitchDependencies & { readonly hands: Hands };

/** The run after a deed, and all that is to be written for it at once. */
export type Done = { readonly write: RunWrite };

const actorOf = (run: Run): string => `playbook ${run.playbook}`;

type Wish = {
  readonly scope: Scope;
  readonly effect: Effect;
  readonly expiresInMs: number | null;
  readonly atExpiry: Switch['atExpiry'];
  readonly inFlight: Switch['inFlight'];
  readonly reason: string;
};

function newSwitch(wish: Wish, run: Run, { now, newId }: DeedDependencies): Switch {
  const at = now();
  return {
    id: switchId(newId('sw')),
    rev: 1,
    scope: wish.scope,
    effect: wish.effect,
    reason: wish.reason,
    failureClass: null,
    actor: actorOf(run),
    createdAt: at,
    expiresAt: wish.expiresInMs === null ? null : instant(at + wish.expiresInMs),
    atExpiry: wish.atExpiry,
    inFlight: wish.inFlight,
    mode: 'enforce',
    release: null,
  };
}

const releasedForm = (
  entry: Switch,
  run: Run,
  reason: string,
  ramp: boolean,
  dependencies: DeedDependencies,
): Switch => ({
  ...entry,
  rev: entry.rev + 1,
  release: { at: dependencies.now(), actor: actorOf(run), reason, ramp },
});

/** Those of the run's switches that are still there: a person may have released one. */
function standing(deed: Deed, { current }: DeedDependencies): readonly Switch[] {
  const ids = new Set(deed.switches.map(({ id }) => id));
  return current().filter((entry) => ids.has(entry.id));
}

const made = (entries: readonly Switch[]): readonly MadeSwitch[] =>
  entries.map(({ id, scope }) => ({ id, scope }));

type Effects = {
  readonly outcome: Outcome;
  readonly made: readonly Switch[];
  readonly released: readonly Switch[];
  readonly changes: readonly Change[];
};
const nothing = { made: [], released: [], changes: [] } as const;

/** Puts switches of another effect in the place of the run's. */
function exchanged(
  deed: Deed,
  run: Run,
  effect: Effect,
  words: string,
  dependencies: DeedDependencies,
): Effects {
  const all = standing(deed, dependencies);
  // What has the effect already stays as it is: no new switch, nothing to tell.
  const before = all.filter((entry) => JSON.stringify(entry.effect) !== JSON.stringify(effect));
  const { now } = dependencies;
  const after = before.map((entry) =>
    newSwitch(
      {
        ...entry,
        effect,
        expiresInMs: entry.expiresAt === null ? null : Math.max(1_000, entry.expiresAt - now()),
        reason: words,
      },
      run,
      dependencies,
    ),
  );
  const kept = all.filter((entry) => !before.includes(entry));
  const outcome: Outcome = { kind: 'done', words, switches: made([...kept, ...after]) };
  return {
    ...nothing,
    outcome,
    made: after,
    released: before.map((entry) => releasedForm(entry, run, words, false, dependencies)),
  };
}

function switchedWords({ effect, scope }: Told<'switch'>['operation']): string {
  switch (effect.kind) {
    case 'off':
      return `switched off: ${scopeText(scope)}`;
    case 'last_resort':
      return `made a last resort: ${scopeText(scope)}`;
    case 'shed':
      return `relieved of ${effect.percent} %: ${scopeText(scope)}`;
  }
}

function switched(
  deed: Told<'switch'>,
  run: Run,
  playbook: Playbook,
  dependencies: DeedDependencies,
): Effects {
  const { operation } = deed;
  const reason = operation.reason ?? `${playbook.title} (run ${run.id})`;
  const entry = newSwitch({ ...operation, reason }, run, dependencies);
  const words = switchedWords(operation);
  return {
    ...nothing,
    made: [entry],
    outcome: { kind: 'done', words, switches: [...deed.switches, ...made([entry])] },
  };
}

function notice(run: Run, channel: string | null, text: string, dependencies: DeedDependencies): Effects {
  const after = { run: run.id, step: keyOf(run), playbook: run.playbook, channel, text };
  const change = newChange(
    { kind: 'playbook.notified', actor: actorOf(run), subject: run.id, reason: text, before: null, after },
    dependencies,
  );
  const words = channel === null ? `asked: ${text}` : `told ${channel}`;
  return { ...nothing, changes: [change], outcome: { kind: 'done', words } };
}

async function effectsOf(
  deed: Deed,
  run: Run,
  playbook: Playbook,
  dependencies: DeedDependencies,
): Promise<Effects> {
  const { operation } = deed;
  const { hands } = dependencies;
  switch (operation.kind) {
    case 'switch':
      return switched({ ...deed, operation }, run, playbook, dependencies);
    case 'reshape': {
      const percent = Math.round((1 - operation.share) * 1_000) / 10;
      return exchanged(
        deed,
        run,
        { kind: 'shed', percent },
        `${writtenShare(operation.share)} let back in`,
        dependencies,
      );
    }
    case 'shut':
      return exchanged(deed, run, { kind: 'off' }, 'off again', dependencies);
    case 'release': {
      const released = standing(deed, dependencies).map((entry) =>
        releasedForm(entry, run, 'the playbook restores', true, dependencies),
      );
      return {
        ...nothing,
        released,
        outcome: { kind: 'done', words: 'released: normal routing comes back by a ramp', switches: [] },
      };
    }
    case 'notify':
      return notice(run, operation.channel, operation.text, dependencies);
    case 'ask':
      return notice(run, null, operation.question, dependencies);
    case 'probe':
      hands.probe({ ...deed, operation }, run);
      return { ...nothing, outcome: { kind: 'done', words: `${operation.count} probes are sent` } };
    case 'incident':
      return { ...nothing, outcome: await hands.openIncident({ ...deed, operation }, run, playbook) };
    case 'publish':
      return { ...nothing, outcome: await hands.publish({ ...deed, operation }, run, playbook) };
    case 'drill':
      return { ...nothing, outcome: await hands.drill({ ...deed, operation }, run) };
  }
}

/** Switches made and released, as the audit entries they need. */
function switchChanges(
  { made: entries, released }: Effects,
  dependencies: DeedDependencies,
): readonly Change[] {
  return [
    ...entries.map((entry) =>
      newChange(
        {
          kind: 'switch.created',
          actor: entry.actor,
          subject: entry.id,
          reason: entry.reason,
          before: null,
          after: entry,
        },
        dependencies,
      ),
    ),
    ...released.map((entry) =>
      newChange(
        {
          kind: 'switch.released',
          actor: entry.release?.actor ?? entry.actor,
          subject: entry.id,
          reason: entry.release?.reason ?? null,
          before: { ...entry, rev: entry.rev - 1, release: null },
          after: entry,
        },
        dependencies,
      ),
    ),
  ];
}

/** Does a deed: what came of it is in the run that is to be written. */
export async function doDeed(
  deed: Deed,
  run: Run,
  playbook: Playbook,
  dependencies: DeedDependencies,
): Promise<Done> {
  const effects = await effectsOf(deed, run, playbook, dependencies);
  const after = confirmed(run, deed, effects.outcome, dependencies.now());
  const step = newChange(
    {
      kind: 'playbook.step',
      actor: actorOf(run),
      subject: run.id,
      reason: effects.outcome.words,
      before: null,
      after: { operation: deed.operation.kind, key: deed.key, done: effects.outcome.kind === 'done' },
    },
    dependencies,
  );
  const changes = [...switchChanges(effects, dependencies), ...effects.changes, step];
  return { write: { run: after, changes, made: effects.made, released: effects.released } };
}
