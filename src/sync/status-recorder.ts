/**
 * Writes down how features are, so that the status page has a past. It looks at each tick, writes a change of status at
 * once and, while nothing changes, how far it has watched. What is lost with a killed process is the time since the last
 * write: a gap, which is shown as unknown.
 */
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { dayMs, historyDays, historyOf, openIntervals, watched } from '../core/status-history.ts';
import type { FeatureSeen, StatusHistory, StatusInterval } from '../core/status-history.ts';
import type { Store } from '../store/store.ts';

export type StatusRecorder = {
  readonly history: () => StatusHistory;
  /** Looks, and writes what is due. Rejects when the store does; nothing that was seen is forgotten by that. */
  readonly look: (seen: readonly FeatureSeen[], now: Instant) => Promise<void>;
  /** Writes how far was watched. */
  readonly flush: () => Promise<void>;
};

const heartbeatMs = 10_000;
const pruneEveryMs = 3_600_000;
const keptMs = (historyDays + 10) * dayMs;
/** Intervals read at start. */
const loadedMax = 200_000;

type StatusStore = Pick<Store, 'saveStatus' | 'loadStatus' | 'pruneStatus'>;

class Recorder implements StatusRecorder {
  readonly #store: StatusStore;
  #history: StatusHistory;
  #unwritten: StatusInterval[] = [];
  #beatAt = 0;
  #prunedAt = 0;

  constructor(store: StatusStore, history: StatusHistory) {
    this.#store = store;
    this.#history = history;
  }

  readonly history = (): StatusHistory => this.#history;

  readonly look = async (seen: readonly FeatureSeen[], now: Instant): Promise<void> => {
    const { history, changed } = watched(this.#history, seen, now);
    this.#history = history;
    // While the store is away, the newest of what it missed is kept.
    this.#unwritten = [...this.#unwritten, ...changed].slice(-loadedMax);
    if (this.#unwritten.length > 0 || now - this.#beatAt >= heartbeatMs) {
      this.#beatAt = now;
      await this.flush();
    }
    if (now - this.#prunedAt >= pruneEveryMs) {
      this.#prunedAt = now;
      await this.#store.pruneStatus(instant(now - keptMs));
    }
  };

  readonly flush = async (): Promise<void> => {
    const writing = this.#unwritten;
    this.#unwritten = [];
    try {
      await this.#store.saveStatus([...writing, ...openIntervals(this.#history)]);
    } catch (error) {
      this.#unwritten = [...writing, ...this.#unwritten];
      throw error;
    }
  };
}

export async function createStatusRecorder(store: StatusStore, now: Instant): Promise<StatusRecorder> {
  const intervals = await store.loadStatus(instant(now - historyDays * dayMs), loadedMax);
  return new Recorder(store, historyOf(intervals));
}
