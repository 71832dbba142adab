/**
 * Counts what callers of each feature have met in the last minute, record by record, in a few numbers per feature. When
 * another target begins to serve, counting begins anew: what was met before has been acted upon.
 */
import { isCallersOwn } from '../core/errors.ts';
import { feltStatus, graver, isLate, noUsual, usualAfterOne } from '../core/felt.ts';
import type { Usual } from '../core/felt.ts';
import type { RequestRecord } from '../core/record.ts';
import type { FeatureView } from '../core/status.ts';
import { RecentSpans } from './recent-spans.ts';

const spanMs = 5_000;
const spans = 12;
/** Features that are counted; the configuration has fewer. */
const featuresMax = 1_000;

type Span = { ended: number; failed: number; timed: number; slow: number };
type Counted = { spans: RecentSpans<Span>; usual: Usual };

const noneYet = (): Span => ({ ended: 0, failed: 0, timed: 0, slow: 0 });
const noSpans = (): RecentSpans<Span> => new RecentSpans(spanMs, spans, noneYet);

export type FeaturePulse = {
  readonly saw: (record: RequestRecord) => void;
  /** How a feature is, and how its callers have lately found it: the worse of both. */
  readonly felt: (view: FeatureView, now: number) => FeatureView;
};

/** From the request's arrival to the first word of the answer that was given. */
function firstWordMs({ at, attempts, outcome }: RequestRecord): number | null {
  const last = attempts.at(-1);
  if (outcome !== 'answered' || last?.outcome !== 'ok' || last.firstTokenMs === null) return null;
  return last.startedAt - at + last.firstTokenMs;
}

export function createFeaturePulse(): FeaturePulse {
  const features = new Map<string, Counted>();
  const serving = new Map<string, string | null>();
  const countedOf = (feature: string): Counted | null => {
    const known = features.get(feature);
    if (known !== undefined) return known;
    if (features.size >= featuresMax) return null;
    const fresh: Counted = { spans: noSpans(), usual: noUsual };
    features.set(feature, fresh);
    return fresh;
  };
  return {
    saw: (record) => {
      const { outcome } = record;
      // What callers gave up or got wrong, or policy refused, says nothing of how it works.
      if (outcome === 'cancelled' || outcome === 'refused' || isCallersOwn(record)) return;
      const counted = countedOf(record.feature);
      if (counted === null) return;
      const span = counted.spans.at(record.at + record.durationMs);
      if (span === null) return;
      span.ended++;
      if (outcome !== 'answered') span.failed++;
      const waitedMs = firstWordMs(record);
      if (waitedMs === null) return;
      span.timed++;
      if (isLate(waitedMs, counted.usual)) span.slow++;
      counted.usual = usualAfterOne(counted.usual, waitedMs);
    },
    felt: (view, now) => {
      const counted = features.get(view.feature);
      const before = serving.get(view.feature);
      serving.set(view.feature, view.serving);
      if (counted === undefined) return view;
      if (before !== undefined && before !== view.serving) counted.spans = noSpans();
      const sum = noneYet();
      for (const span of counted.spans.within((spans - 1) * spanMs, now)) {
        sum.ended += span.ended;
        sum.failed += span.failed;
        sum.timed += span.timed;
        sum.slow += span.slow;
      }
      const met = feltStatus(sum);
      return met === null ? view : { ...view, status: graver(view.status, met) };
    },
  };
}
