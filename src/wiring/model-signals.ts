/** Watches what answers say about the model they come from, and writes down what is new. */
import { newChange } from '../control/verb.ts';
import type { TargetName } from '../core/ids.ts';
import { signalOf, signalWords, withoutSignal, withSignal } from '../core/model-signal.ts';
import type { ModelSignal, Reported } from '../core/model-signal.ts';
import type { Change } from '../core/record.ts';
import type { Engine } from '../engine.ts';
import { pageSizeMax, StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';

/** Pages of signals that a start reads back. */
const pagesMax = 20;

/** A store that takes nothing is not asked again with every answer. */
const againMs = 5_000;

/** What targets have reported before, as it was written down. */
async function loadReported(store: Store): Promise<Reported> {
  const found: Change[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesMax; page++) {
    const read: Awaited<ReturnType<Store['listChanges']>> = await store.listChanges(cursor, pageSizeMax, [
      'model.signal',
    ]);
    found.push(...read.items);
    cursor = read.nextCursor;
    if (cursor === null) break;
  }
  return found.reverse().reduce<Reported>((known, { subject, after }) => {
    const target = subject as TargetName;
    return typeof after === 'string'
      ? withSignal(known, { target, before: known.get(target) ?? [], after })
      : known;
  }, new Map());
}

type Watched = Pick<Engine, 'watchRecords' | 'control' | 'clock' | 'onBug'>;

export async function watchModels(engine: Watched, store: Store): Promise<void> {
  let reported = await loadReported(store);
  let notBefore = 0;
  const write = (signal: ModelSignal): Promise<void> => {
    const facts = {
      kind: 'model.signal',
      actor: 'system',
      subject: signal.target,
      reason: signalWords(signal),
      before: signal.before.at(-1) ?? null,
      after: signal.after,
    } as const;
    return store.appendChange(newChange(facts, engine.control(store)));
  };
  engine.watchRecords((record) => {
    const signal = signalOf(reported, record);
    if (signal === null || engine.clock.now() < notBefore) return;
    reported = withSignal(reported, signal);
    write(signal).catch((error: unknown) => {
      reported = withoutSignal(reported, signal);
      notBefore = engine.clock.now() + againMs;
      if (!(error instanceof StoreUnavailable)) engine.onBug(error);
    });
  });
}
