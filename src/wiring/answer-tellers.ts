/**
 * What is noticed of a target's answers (they are not like they were; they say that they come from something else) into
 * the log, the metrics and the change log, where all others read of it.
 */
import type { ChangeFacts } from '../control/verb.ts';
import { providerCode } from '../core/failure.ts';
import type { IdentityNews } from '../core/identity.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { Change } from '../core/record.ts';
import type { WarningMove } from '../core/evidence.ts';
import type { Target } from '../core/target.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export type TellerParts = {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: Pick<Store, 'appendChange'>;
  readonly change: (facts: ChangeFacts) => Change;
  readonly now: () => Instant;
  readonly onBug: (error: unknown) => void;
};

export type AnswerTellers = {
  readonly news: (target: Target, news: IdentityNews) => void;
  readonly warning: (target: Target, move: WarningMove) => void;
};

/** A server that gives every answer a fingerprint of its own must not fill the ledger. */
const newsGapMs = 600_000;
const toldMax = 10_000;

export function answerTellers({ log, metrics, store, change, now, onBug }: TellerParts): AnswerTellers {
  const toldAt = new Map<TargetName, Instant>();
  const write = (facts: ChangeFacts): void => void store.appendChange(change(facts)).catch(onBug);
  return {
    news({ name, provider, model }, { what, value, before }) {
      const said = providerCode(value) ?? '';
      log('warn', { event: 'identity', target: name, what, value: said });
      metrics.count('breakwater_identity_news_total', { provider: provider.id, model: model.name, what });
      // Model names come with records, and are written down from there (`model-signals.ts`).
      if (what === 'model' || now() - (toldAt.get(name) ?? -Infinity) < newsGapMs) return;
      if (toldAt.size >= toldMax) toldAt.clear();
      toldAt.set(name, now());
      const was = providerCode(before) ?? '';
      write({
        kind: 'model.signal',
        actor: 'system',
        subject: name,
        reason: `Its answers carry the fingerprint ${said}; until now they carried ${was}. Nobody here changed that.`,
        before: { fingerprint: was },
        after: { fingerprint: said },
      });
    },
    warning({ name }, { signal, to, words }) {
      const labels = { target: name, signal };
      const isWarned = to === 'warned';
      log('warn', { event: 'quality', target: name, signal, to, words });
      metrics.set('breakwater_warning', labels, isWarned ? 1 : 0);
      if (isWarned) metrics.count('breakwater_warnings_total', labels);
      write({
        kind: isWarned ? 'quality.warned' : 'quality.cleared',
        actor: 'system',
        subject: name,
        reason: words,
        before: isWarned ? null : signal,
        after: isWarned ? signal : null,
      });
    },
  };
}
