/** Gathers what reports are made from. */
import { beganAt } from '../core/incident.ts';
import { collectStatistics, collectWindows } from '../control/statistics.ts';
import type { Statistics } from '../control/statistics.ts';
import { answersByItself } from '../core/coverage.ts';
import { instant } from '../core/ids.ts';
import { impactOf } from '../core/incident-impact.ts';
import { dayText } from '../core/moment.ts';
import { isCount } from '../core/record.ts';
import { continuityReport } from '../core/report-continuity.ts';
import type { ContinuityInput } from '../core/report-continuity.ts';
import { monthBounds, slaReport, tallyByFeature } from '../core/report-sla.ts';
import type { SlaFeature } from '../core/report-sla.ts';
import { noValue } from '../core/statistics.ts';
import type { Tally } from '../core/statistics.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Store } from '../store/store.ts';

/** How far back a report of continuity looks: a year. */
const continuityMs = 365 * 86_400_000;
/** The newest incidents that are told of. */
const incidentsMax = 500;
const intervalsMax = 200_000;

const byName = ({ groups }: Statistics): ReadonlyMap<string, Tally> =>
  new Map(groups.map(({ values, tally }) => [values[0] ?? noValue, tally]));

async function incidentsSince(store: Store, since: number): Promise<ContinuityInput['incidents']> {
  const found: ContinuityInput['incidents'][number][] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['listIncidents']>> = await store.listIncidents(
      null,
      cursor,
      pageSizeMax,
    );
    for (const incident of page.items) {
      if (beganAt(incident) < since) return found;
      if (incident.state !== 'dismissed')
        found.push({ incident, impact: impactOf(await store.countHits(incident.id)) });
    }
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < incidentsMax);
  return found;
}

function featuresOf({ state, clock }: Engine): readonly SlaFeature[] {
  const { snapshot } = state;
  return [...snapshot.features.values()].map((feature) => ({
    feature: feature.name,
    title: feature.title,
    route: answersByItself(snapshot, feature, clock.now()).map(({ name, provider }) => ({
      target: name,
      provider: provider.id,
      sla: provider.terms.sla,
    })),
    ...feature.sla,
  }));
}

export function reportDesk(
  engine: Engine,
  store: Store,
  ledger: AdminDependencies['ledger'],
): AdminDependencies['reports'] {
  const { now } = engine.clock;
  return {
    continuity: async () => {
      await engine.records.flush();
      const at = now();
      const since = instant(at - continuityMs);
      const [told, fallbacks, incidents] = await Promise.all([
        collectStatistics(['told'], { since }, store),
        collectStatistics(['fallback'], { since }, store),
        incidentsSince(store, since),
      ]);
      const reasons = new Map([...byName(fallbacks)].filter(([name]) => name !== noValue));
      return continuityReport({
        snapshot: engine.state.snapshot,
        now: at,
        since,
        told: byName(told),
        fallbacks: reasons,
        incidents,
        records: told.records,
        ledger: ledger.standing().words,
      });
    },
    sla: async (asked) => {
      const at = now();
      const month = asked ?? dayText(at).slice(0, 7);
      const bounds = monthBounds(month);
      if (bounds === null) return null;
      await engine.records.flush();
      const span = { since: instant(bounds.from), until: instant(bounds.until) };
      const [counted, answers, found, intervals] = await Promise.all([
        collectStatistics(['feature', 'error', 'operation'], span, store),
        collectStatistics(['feature', 'target', 'operation'], { ...span, outcome: 'answered' }, store),
        collectWindows(span, store),
        store.loadStatus(span.since, intervalsMax),
      ]);
      return slaReport({
        month,
        from: span.since,
        until: instant(Math.max(bounds.from, Math.min(bounds.until, at))),
        features: featuresOf(engine),
        slaOf: (provider) => engine.state.snapshot.providers.get(provider)?.terms.sla ?? null,
        byFeature: tallyByFeature(counted.groups),
        answers: answers.groups.filter(({ values: [, , operation] }) => !isCount(operation)),
        windows: found.windows,
        intervals,
        isCut: counted.isCut || answers.isCut || found.isCut,
      });
    },
  };
}
