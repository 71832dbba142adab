/**
 * Canaries, live: a round of fixed questions for each target that is due, one target at a time, within the budget; what
 * comes of it is judged by `core/canary.ts`, kept in the store, and shown as a warning.
 */
import { periodAt } from '../core/budget.ts';
import { afterRound, canaryFromJson, freshCanary, levelFor } from '../core/canary.ts';
import type { Canary } from '../core/canary.ts';
import type { CanarySettings } from '../core/configure-canaries.ts';
import { instant } from '../core/ids.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import { isProbeAllowed } from '../core/probing.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import { askRound } from '../gateway/canary-asker.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';

export type CanaryDesk = {
  /** Asks whoever is due; call about once a second. */
  readonly look: () => void;
  readonly stop: () => Promise<void>;
  readonly list: () => readonly CanaryView[];
};

export type CanaryView = {
  readonly target: TargetName;
  readonly canary: Canary;
  readonly dueAt: Instant;
};

const keptMsMax = 90 * 86_400_000;

class Desk implements CanaryDesk {
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #canaries: Map<TargetName, Canary>;
  #asking: Promise<void> | null = null;
  #stopped = false;
  #spent = { since: 0, usd: 0 };

  constructor(engine: Engine, store: Store, canaries: Map<TargetName, Canary>) {
    this.#engine = engine;
    this.#store = store;
    this.#canaries = canaries;
  }

  #known(target: TargetName): Canary {
    return this.#canaries.get(target) ?? freshCanary;
  }

  #dueAt(target: TargetName, { everyMs }: CanarySettings): Instant {
    const { askedAt } = this.#known(target);
    return askedAt === null ? this.#engine.clock.now() : instant(askedAt + everyMs);
  }

  readonly list = (): readonly CanaryView[] => {
    const settings = this.#engine.state.snapshot.canaries;
    if (settings === null) return [];
    return settings.targets.map(({ name }) => ({
      target: name,
      canary: this.#known(name),
      dueAt: this.#dueAt(name, settings),
    }));
  };

  look(): void {
    const { state, clock, board } = this.#engine;
    const settings = state.snapshot.canaries;
    if (settings === null || this.#asking !== null || this.#stopped || !this.#mayAsk(settings)) return;
    const now = clock.now();
    const due = settings.targets.find(
      (target) =>
        this.#dueAt(target.name, settings) <= now &&
        // What a sick target answers says nothing about the model it is when it is well.
        board.view(target).cell.health.state === 'healthy' &&
        isProbeAllowed(target, state.snapshot, state.switches, now),
    );
    if (due === undefined) return;
    this.#asking = this.#round(due, settings)
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) this.#engine.onBug(error);
      })
      .finally(() => void (this.#asking = null));
  }

  #mayAsk({ budget }: CanarySettings): boolean {
    const { start } = periodAt(this.#engine.clock.now(), budget.period);
    if (start !== this.#spent.since) this.#spent = { since: start, usd: 0 };
    return this.#spent.usd < budget.usd;
  }

  async #keep(target: TargetName, canary: Canary): Promise<void> {
    this.#canaries.set(target, canary);
    await this.#store.saveCanaries([{ target, at: this.#engine.clock.now(), cell: canary }]);
  }

  async #round(target: Target, settings: CanarySettings): Promise<void> {
    const { gateway, state, clock, board, metrics } = this.#engine;
    const at = clock.now();
    // Kept first: a process that dies in the middle must not ask again at each start.
    await this.#keep(target.name, { ...this.#known(target.name), askedAt: at });
    const labels = { provider: target.provider.id, model: target.model.name };
    const round = await askRound(target, {
      shared: gateway,
      state,
      mayAsk: () => !this.#stopped && this.#mayAsk(settings),
      onAsked: (_, { failure, usd }) => {
        metrics.count('breakwater_canaries_total', { ...labels, outcome: failure ?? 'ok' });
        this.#spent.usd += usd ?? 0;
        if (usd !== null) metrics.count('breakwater_canary_usd_total', labels, usd);
      },
    });
    if (round === null) return;
    const level = levelFor(settings.everyMs, settings.falseAlarmMs);
    const asked = { at, level, random: clock.random };
    const { canary, move } = afterRound(this.#known(target.name), round, asked);
    await this.#keep(target.name, canary);
    if (move !== null) board.noteCanary(target, canary.finding, move);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
  }
}

/** Reads what is known of each target, and shows what was found and stands. */
export async function createCanaryDesk(engine: Engine, store: Store): Promise<CanaryDesk> {
  const kept = await store.loadCanaries(instant(engine.clock.now() - keptMsMax));
  const canaries = new Map(kept.map(({ target, cell }) => [target, canaryFromJson(cell)]));
  for (const [name, { finding }] of canaries) {
    const target = engine.state.snapshot.targets.get(name);
    if (target !== undefined && finding !== null) engine.board.noteCanary(target, finding, null);
  }
  return new Desk(engine, store, canaries);
}
