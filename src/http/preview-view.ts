/** A preview of a switch as the admin API gives it. */
import type { Preview } from '../core/preview.ts';
import type { Json } from './wire.ts';

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export function previewToWire(preview: Preview): Json {
  return {
    window_ms: preview.windowMs,
    requests: preview.requests,
    features: preview.features.map((feature) => ({
      feature: feature.feature,
      requests: feature.requests,
      moves: feature.moves.map(({ from, to, hop, share }) => ({ from, to, hop, share: rounded(share, 4) })),
      asked_share: rounded(feature.askedShare, 4),
      refused_share: rounded(feature.refusedShare, 4),
      stranded_share: rounded(feature.strandedShare, 4),
      reasons: feature.reasons,
    })),
    cost_change: preview.costChange === null ? null : rounded(preview.costChange, 6),
    capacity: preview.capacity.map(({ target, loadBefore, loadAfter, limit }) => ({
      target,
      load_before: rounded(loadBefore, 3),
      load_after: rounded(loadAfter, 3),
      limit,
    })),
  };
}
