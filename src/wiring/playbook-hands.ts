/** What a run's deeds ask of other parts of the house: probes of what is switched off, incidents, messages, drills. */
import { join } from 'node:path';

import { openIncident, updateIncident } from '../control/incidents.ts';
import type { Hands } from '../control/playbook-deeds.ts';
import type { Playbook } from '../core/playbook.ts';
import type { TargetName } from '../core/ids.ts';
import type { Outcome, Probed, Run } from '../core/playbook-run.ts';
import { keyOf } from '../core/playbook-run.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import type { GateDesk } from './gates.ts';
import type { IncidentDesk } from './incidents.ts';

export type PlaybookHands = {
  readonly hands: Hands;
  readonly probed: Probed;
  /** Sends the probes that runs wait for, spread over their time; call about once a second. */
  readonly probe: (runs: readonly Run[]) => Promise<void>;
};

type Count = { sent: number; passed: number; ordered: number };

/** Probes of runs, counted by the key of their operation. Counts are memory: after a restart probing begins anew. */
class OrderedProbes {
  readonly #counts = new Map<string, Count>();
  readonly #engine: Engine;
  readonly #order: GateDesk['orderProbe'];

  constructor(engine: Engine, order: GateDesk['orderProbe']) {
    this.#engine = engine;
    this.#order = order;
  }

  readonly probed: Probed = (key) => this.#counts.get(key) ?? { sent: 0, passed: 0 };

  readonly look = async (runs: readonly Run[]): Promise<void> => {
    const keys = new Set(runs.map(keyOf));
    for (const key of this.#counts.keys()) if (!keys.has(key)) this.#counts.delete(key);
    await Promise.all(runs.map((run) => this.#lookAt(run)));
  };

  async #lookAt(run: Run): Promise<void> {
    const operation = run.operations[run.at];
    if (operation?.kind !== 'probe' || run.state !== 'running') return;
    const { targets } = this.#engine.state.snapshot;
    const subject = run.subject.flatMap((name) => targets.get(name as TargetName) ?? []);
    const count = this.#count(keyOf(run));
    const waited = this.#engine.clock.now() - run.since;
    const due = Math.min(operation.count, Math.ceil((waited / operation.overMs) * operation.count));
    const target = subject[count.ordered % Math.max(1, subject.length)];
    // One at a time, so that a target that hangs is not asked again and again.
    if (target === undefined || count.ordered >= due || count.ordered > count.sent) return;
    count.ordered++;
    try {
      const probed = await this.#order(target, new Set(run.switches.map(({ id }) => id)));
      count.sent++;
      if (probed !== null && probed.failure === null) count.passed++;
    } catch (error) {
      this.#engine.onBug(error);
    }
  }

  #count(key: string): Count {
    let count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, (count = { sent: 0, passed: 0, ordered: 0 }));
    return count;
  }
}

/** The command line beside this file, for work that would keep the event loop busy. */
const program = join(import.meta.dir, '../main.ts');
const drillMsMax = 120_000;

/** Rehearses a scenario in a process of its own: seconds of arithmetic that no answer may wait for. */
async function rehearse(scenario: string, configPath: string | null): Promise<Outcome> {
  if (configPath === null) return { kind: 'failed', words: 'a drill needs a configuration file' };
  const child = Bun.spawn([process.execPath, program, 'drill', scenario, '--config', configPath, '--json'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: drillMsMax,
  });
  switch (await child.exited) {
    case 0:
      return { kind: 'done', words: `rehearsed ${scenario}: what the configuration claims holds` };
    case 1:
      return { kind: 'done', words: `rehearsed ${scenario}: a claim of the configuration does not hold` };
    default:
      return { kind: 'failed', words: `${scenario} could not be rehearsed` };
  }
}

/**
 * An incident for a run: the one that is open about its targets, or a new one. Its timeline names the deed, so that one
 * that was done before a crash is found and not done again.
 */
async function incidentFor(
  { operation, key }: Parameters<Hands['openIncident']>[0],
  run: Run,
  playbook: Playbook,
  { dependencies }: IncidentDesk,
): Promise<Outcome> {
  const actor = `playbook ${run.playbook}`;
  const mark = `${playbook.title}: run ${run.id}, step ${key.split('/')[1] ?? ''}.`;
  const open = dependencies
    .current()
    .find(({ targets }) => targets.some(({ target }) => run.subject.includes(target)));
  if (open !== undefined) {
    const timeline = await dependencies.store.timeline(open.id);
    const words = `it belongs to ${open.id}`;
    if (timeline.some(({ by, text }) => by === actor && text === mark))
      return { kind: 'done', words, incident: open.id };
    const severity = operation.severity === null ? {} : { severity: operation.severity };
    const update = { text: mark, source: 'playbook', targets: run.subject, ...severity };
    const told = await updateIncident({ id: open.id, input: update, rev: null }, actor, dependencies);
    return told.kind === 'done'
      ? { kind: 'done', words, incident: open.id }
      : { kind: 'failed', words: told.message };
  }
  const input = {
    failure_class: operation.class,
    source: 'playbook',
    targets: run.subject,
    text: mark,
    ...(operation.title === null ? {} : { title: operation.title }),
    ...(operation.severity === null ? {} : { severity: operation.severity }),
  };
  const opened = await openIncident(input, actor, dependencies);
  return opened.kind === 'done'
    ? { kind: 'done', words: `opened ${opened.value.id}`, incident: opened.value.id }
    : { kind: 'failed', words: opened.message };
}

/** What users are told, unless a person has told them of this stage, or keeps it back. */
async function publishFor(
  { operation }: Parameters<Hands['publish']>[0],
  run: Run,
  { incidents, messages }: Pick<HandsWorld, 'incidents' | 'messages'>,
): Promise<Outcome> {
  const open = incidents.dependencies.current();
  const incident =
    run.incident ??
    open.find(({ targets }) => targets.some(({ target }) => run.subject.includes(target)))?.id;
  if (incident === undefined) return { kind: 'failed', words: 'no incident is open about it' };
  const { stage } = operation;
  const before = (await messages.list(incident)).findLast(
    (message) => message.stage === stage && message.at >= run.startedAt,
  );
  if (before !== undefined)
    return { kind: 'done', words: `"${stage}" was ${before.state} by ${before.by} already` };
  const told = await messages.publish(incident, { stage }, `playbook ${run.playbook}`);
  return told.kind === 'done'
    ? { kind: 'done', words: `published "${stage}"` }
    : { kind: 'failed', words: told.message };
}

export type HandsWorld = {
  readonly configPath: string | null;
  readonly gates: Pick<GateDesk, 'orderProbe'>;
  readonly incidents: IncidentDesk;
  readonly messages: Pick<AdminDependencies['messages'], 'list' | 'publish'>;
};

export function handsOf(
  engine: Engine,
  { configPath, gates, incidents, messages }: HandsWorld,
): PlaybookHands {
  const probes = new OrderedProbes(engine, gates.orderProbe);
  return {
    hands: {
      openIncident: (deed, run, playbook) => incidentFor(deed, run, playbook, incidents),
      publish: (deed, run) => publishFor(deed, run, { incidents, messages }),
      drill: ({ operation }) => rehearse(operation.scenario, configPath),
      probe: () => {},
    },
    probed: probes.probed,
    probe: probes.look,
  };
}
