/** Looks through the records of an incident: where the evidence begins, who was hit before anybody knew, what failed. */
import type { Evidence } from '../core/incident-class.ts';
import type { FailureClass } from '../core/failure.ts';
import { evidenceBegins, hitsSince, outcomesAt } from '../core/incident-hits.ts';
import type { Hit } from '../core/incident-hits.ts';
import type { Incident, IncidentTarget } from '../core/incident.ts';
import { instant } from '../core/ids.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { RequestRecord } from '../core/record.ts';
import type { Engine } from '../engine.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Page, RecordFilter, Store } from '../store/store.ts';
import { routedTargets } from './incident-world.ts';

/** How far before the gate the evidence may begin, and how many records are looked at. */
const lookBackMs = 30 * 60_000;
const lookedAtMax = 5_000;
/** A request may have begun this long before its answer was cut. */
const longAnswerMs = 120_000;

/** The newest records since a moment, at most `lookedAtMax`. */
async function recordsOf(
  store: Store,
  filter: Pick<RecordFilter, 'attempted' | 'preferred'>,
  since: Instant,
): Promise<readonly RequestRecord[]> {
  const records: RequestRecord[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RequestRecord> = await store.listRecords({
      ...filter,
      since,
      limit: pageSizeMax,
      ...(cursor === null ? {} : { cursor }),
    });
    records.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && records.length < lookedAtMax);
  return records;
}

export type Examined = {
  readonly targets: readonly IncidentTarget[];
  readonly hits: readonly Hit[];
  readonly evidence: Evidence | null;
};

type Tally = { readonly failed: Map<FailureClass, number>; ok: number };

function tally(into: Tally, target: TargetName, from: Instant, records: readonly RequestRecord[]): void {
  for (const attempt of records.flatMap((record) => record.attempts)) {
    if (attempt.target !== target || attempt.startedAt + attempt.durationMs < from) continue;
    if (attempt.outcome === 'ok') into.ok++;
    else if (attempt.outcome === 'failed' && attempt.failure !== null)
      into.failed.set(attempt.failure, (into.failed.get(attempt.failure) ?? 0) + 1);
  }
}

function othersThan(incident: Incident, engine: Engine): Evidence['others'] {
  const own = new Set(incident.targets.map(({ target }) => target));
  return [...routedTargets(engine).values()]
    .filter(({ name }) => !own.has(name))
    .map((target) => {
      const { traffic } = engine.board.columns(target.name);
      return {
        target: target.name,
        provider: target.provider.id,
        ok: traffic.ok,
        failed: traffic.failed,
      };
    });
}

function warningsOf(incident: Incident, engine: Engine): Evidence['warnings'] {
  return incident.targets.flatMap(({ target }) => {
    const known = engine.state.snapshot.targets.get(target);
    if (known === undefined) return [];
    return engine.board.view(known).warnings.map(({ signal, words }) => ({ target, signal, words }));
  });
}

const earlier = (one: Instant | null, other: Instant | null): Instant | null =>
  one === null || (other !== null && other < one) ? other : one;

export async function examine(incident: Incident, engine: Engine, store: Store): Promise<Examined> {
  await engine.records.flush();
  const found: Tally = { failed: new Map(), ok: 0 };
  const targets: IncidentTarget[] = [];
  const hits: Hit[] = [];
  for (const each of incident.targets) {
    const records = await recordsOf(store, { attempted: each.target }, instant(each.detected - lookBackMs));
    const outcomes = outcomesAt(each.target, records).filter(({ at }) => at <= each.detected);
    const from = evidenceBegins(outcomes) ?? each.detected;
    const asked = await recordsOf(store, { preferred: each.target }, instant(from - longAnswerMs));
    hits.push(...hitsSince(incident.id, each.target, from, asked));
    targets.push({ ...each, from });
    tally(found, each.target, from, records);
  }
  for (const { target, from } of incident.moved) {
    const asked = await recordsOf(store, { preferred: target }, from);
    hits.push(...hitsSince(incident.id, target, from, asked));
  }
  const from = targets.reduce<Instant | null>((first, each) => earlier(first, each.from), null);
  if (from === null) return { targets, hits, evidence: null };
  const changes = (await store.listChanges(null, pageSizeMax)).items;
  return {
    targets,
    hits,
    evidence: {
      targets,
      from,
      ...found,
      others: othersThan(incident, engine),
      changes,
      warnings: warningsOf(incident, engine),
    },
  };
}
