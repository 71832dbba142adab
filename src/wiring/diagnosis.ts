/** Gathers what a diagnosis, a post-mortem and "what changed?" are made from. */
import { titleOf } from '../core/feature-words.ts';
import { readIncident } from '../control/incident-queries.ts';
import { diagnose } from '../core/diagnosis.ts';
import type { DiagnosedTarget, Diagnosis } from '../core/diagnosis.ts';
import type { Health } from '../core/health-cell.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { postmortem } from '../core/postmortem.ts';
import type { Change } from '../core/record.ts';
import { viewFeature } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { categoryOf } from '../core/what-changed.ts';
import type { ChangeCategory } from '../core/what-changed.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { FeedDesk } from './feeds.ts';
import type { IncidentDesk } from './incidents.ts';

/** How far back the last requests of a diagnosis reach. */
const recentMs = 5 * 60_000;
/** Entries that "what changed?" looks through. */
const lookedThroughMax = 5_000;

/** Whether a gate that found no trouble can stand there only by a person's word. */
function isDecided(health: Health): boolean {
  switch (health.state) {
    case 'healthy':
    case 'shedding':
      return false;
    case 'ejected':
      return health.held;
    case 'probing':
    case 'ramping':
      return true;
  }
}

function diagnosedTarget(target: Target, engine: Engine, feeds: FeedDesk, now: Instant): DiagnosedTarget {
  const { cell, warnings } = engine.board.view(target);
  const { health } = cell;
  const standing = engine.board.standing(target);
  const off = engine.state.switches.filter(
    (entry) =>
      entry.effect.kind === 'off' &&
      entry.mode === 'enforce' &&
      isInForce(entry, now) &&
      isForEverybody(entry) &&
      covers(entry.scope, target, null),
  );
  const isKeys =
    standing.kind === 'out' &&
    (standing.reason === 'credential_unavailable' || standing.reason === 'rate_limited');
  return {
    target: target.name,
    provider: target.provider.id,
    gate: health.state,
    words: 'words' in health ? health.words : null,
    since: 'since' in health ? health.since : null,
    decided: cell.trouble === null && isDecided(health),
    scope: cell.trouble?.scope ?? null,
    offBy: off.map(({ id, reason, actor }) => ({ id, reason, actor })),
    keyTrouble: isKeys ? standing.words : null,
    says: feeds.says(target),
    warnings,
  };
}

async function diagnosis(
  name: string | null,
  { engine, store, incidents, feeds }: Sources,
): Promise<Diagnosis | null> {
  const { snapshot, switches } = engine.state;
  const now = engine.clock.now();
  const features = [...snapshot.features.values()].filter((each) => name === null || each.name === name);
  if (name !== null && features.length === 0) return null;
  const targets = new Map(features.flatMap(({ route }) => route).map((target) => [target.name, target]));
  await engine.records.flush();
  const [records, changes] = await Promise.all([
    store.listRecords({
      since: instant(now - recentMs),
      limit: pageSizeMax,
      ...(name === null ? {} : { feature: name }),
    }),
    store.listChanges(null, pageSizeMax),
  ]);
  return diagnose({
    feature: name,
    features: features.map((feature) =>
      viewFeature(feature, snapshot, { switches, standing: (target) => engine.board.standing(target), now }),
    ),
    targets: [...targets.values()].map((target) => diagnosedTarget(target, engine, feeds, now)),
    records: records.items,
    changes: changes.items,
    incidents: incidents
      .open()
      .filter((incident) => name === null || incident.features.some(({ feature }) => feature === name)),
    now,
  });
}

export type WhatChanged = {
  readonly since: Instant | null;
  readonly until: Instant | null;
  readonly category: ChangeCategory | null;
  readonly limit: number;
};

async function whatChanged(
  asked: WhatChanged,
  store: Store,
): Promise<readonly { change: Change; category: ChangeCategory }[]> {
  const found: { change: Change; category: ChangeCategory }[] = [];
  let cursor: string | null = null;
  for (let looked = 0; looked < lookedThroughMax && found.length < asked.limit; looked += pageSizeMax) {
    const page: Awaited<ReturnType<Store['listChanges']>> = await store.listChanges(cursor, pageSizeMax);
    for (const change of page.items) {
      if (asked.until !== null && change.at >= asked.until) continue;
      if (asked.since !== null && change.at < asked.since) return found;
      const category = categoryOf(change);
      if (category === null || (asked.category !== null && category !== asked.category)) continue;
      if (found.length < asked.limit) found.push({ change, category });
    }
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  return found;
}

type Sources = {
  readonly engine: Engine;
  readonly store: Store;
  readonly incidents: IncidentDesk;
  readonly feeds: FeedDesk;
};

export function insightVerbs(sources: Sources): AdminDependencies['insight'] {
  return {
    diagnose: (feature) => diagnosis(feature, sources),
    postmortem: async (id) => {
      await sources.engine.records.flush();
      const read = await readIncident(id, {
        store: sources.store,
        now: sources.engine.clock.now(),
        titleOf: (feature) => titleOf(sources.engine.state.snapshot, feature),
      });
      return read === null ? null : postmortem(read);
    },
    whatChanged: (asked) => whatChanged(asked, sources.store),
  };
}
