/** What policy must remember across restarts: used consent tokens and agreements, and what keys have spent. */
import type { Clock } from '../gateway/clock.ts';
import { createConsents } from '../gateway/consent.ts';
import type { Consents } from '../gateway/consent.ts';
import { createSpending } from '../gateway/spending.ts';
import type { Spending } from '../gateway/spending.ts';
import type { GatewayState } from '../gateway/state.ts';
import type { Store } from '../store/store.ts';

export type KeptPolicy = {
  readonly consents: Consents;
  readonly spending: Spending;
  /** Writes down what changed. Call it every second or so: that much spending is forgotten when the process is killed. */
  readonly keep: () => Promise<void>;
};

export type KeptPolicyOptions = {
  readonly store: Store;
  readonly state: GatewayState;
  readonly clock: Clock;
  readonly key: string;
  readonly onBug: (error: unknown) => void;
};

const pruneEveryMs = 60_000;

export async function createKeptPolicy(options: KeptPolicyOptions): Promise<KeptPolicy> {
  const { store, state, clock, key, onBug } = options;
  const [kept, spent] = await Promise.all([store.loadConsents(clock.now()), store.loadSpending()]);
  const spending = createSpending(spent);
  const consents = createConsents({
    now: clock.now,
    offerMs: () => state.snapshot.consentMs,
    key,
    kept,
    keep: (entry) => void store.saveConsent(entry).catch(onBug),
  });
  let prunedAt = 0;
  return {
    consents,
    spending,
    async keep() {
      const changed = spending.changed();
      if (changed.length > 0) await store.saveSpending(changed);
      if (clock.now() - prunedAt < pruneEveryMs) return;
      prunedAt = clock.now();
      await store.pruneConsents(clock.now());
    },
  };
}
