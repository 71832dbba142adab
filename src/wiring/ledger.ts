/**
 * The ledger beside the request path: checkpoints every minute and on demand, held beside the store and elsewhere; what the
 * last one says when the process starts; records whose time is over.
 */
import { readFileSync } from 'node:fs';

import { ledgerKey, sha256 } from '../control/ledger-key.ts';
import {
  acknowledgeLedger,
  eraseUser,
  exportLedger,
  proveConsistency,
  proveEntry,
  signCheckpoint,
  standingOf,
  standingWords,
} from '../control/ledger.ts';
import type { LedgerDependencies, Standing } from '../control/ledger.ts';
import type { Result } from '../control/verb.ts';
import { keyText } from '../core/checkpoint.ts';
import { instant } from '../core/ids.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { contentOfUsers } from './content.ts';
import { writeWhole } from './whole-file.ts';
import { holdCheckpoint } from './checkpoint-holders.ts';
import { isDamage, StoreUnavailable } from '../store/store.ts';
import type { Expiry, KeptCheckpoint, Store, StoreOpened } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

export type LedgerDesk = {
  readonly admin: AdminDependencies['ledger'];
  /** Signs when something is new and the time has come; erases what is over. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type LedgerDeskOpened =
  | { readonly kind: 'opened'; readonly desk: LedgerDesk }
  | { readonly kind: 'failed'; readonly message: string };

type Sources = {
  readonly engine: Engine;
  readonly store: Store;
  /** Where the last checkpoint is kept beside the store; null for one in memory. */
  readonly path: string | null;
  /** In what state the store was found. */
  readonly opened: Pick<Extract<StoreOpened, { kind: 'opened' }>, 'damage' | 'care'>;
  /** The configuration in force, as it was written. */
  readonly configText: string;
  readonly log: Log;
};

/** Records that are erased in one transaction, and transactions at one look. */
const expireBatch = 10_000;
const expireBatchesMax = 20;
/** How often a store that could not be written is tried again. */
const tryEveryMs = 5_000;
const expireEveryMs = { shortest: 1_000, longest: 600_000 };

function noteBeside(path: string | null): readonly string[] {
  if (path === null) return [];
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}

class Desk implements LedgerDesk {
  readonly #sources: Sources;
  readonly #dependencies: LedgerDependencies;
  #standing: Standing;
  #signed = { size: -1, at: 0 };
  #expiredAt = 0;
  #triedAt = 0;
  #looking: Promise<void> = Promise.resolve();

  constructor(sources: Sources, dependencies: LedgerDependencies, standing: Standing) {
    this.#sources = sources;
    this.#dependencies = dependencies;
    this.#standing = standing;
    this.admin = this.#verbs();
  }

  get #audit() {
    return this.#sources.engine.state.snapshot.audit;
  }

  get #isWritable(): boolean {
    return this.#standing.kind === 'sound';
  }

  readonly admin: LedgerDesk['admin'];

  #verbs(): LedgerDesk['admin'] {
    const { signer } = this.#dependencies;
    return {
      key: keyText(sha256, signer.key),
      standing: () => {
        const shown = this.#shown();
        return { kind: shown.kind, words: standingWords(shown) };
      },
      checkpoint: async () => (await this.#sign()).note,
      prove: (id) => this.#after(() => proveEntry(id, this.#dependencies)),
      proveConsistency: (from) => this.#after(() => proveConsistency(from, this.#dependencies)),
      exportLedger: () => this.#export(),
      acknowledge: (input, actor) => this.#acknowledge(input, actor),
      eraseUser: async (input, actor) => {
        await this.#sources.engine.records.flush();
        const content = contentOfUsers(this.#sources.engine.capturing, this.#sources.store);
        return eraseUser(input, actor, { ...this.#dependencies, content });
      },
    };
  }

  /** A disk that filled up while the server ran is said as well; records are tried again by themselves. */
  #shown(): Standing {
    if (!this.#isWritable || !this.#sources.engine.records.isFailing()) return this.#standing;
    return { kind: 'unwritable', words: 'it did not take the last records' };
  }

  /** What was answered before the question is in the ledger first. */
  async #after<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isWritable) await this.#sources.engine.records.flush();
    return work();
  }

  async *#export(): AsyncGenerator<string> {
    if (this.#isWritable) await this.#sources.engine.records.flush();
    yield* exportLedger(this.#dependencies);
  }

  async #acknowledge(input: unknown, actor: string): Promise<Result<Standing>> {
    return acknowledgeLedger(input, actor, {
      ...this.#dependencies,
      standing: () => this.#standing,
      settle: async (before) => {
        this.#standing = { kind: 'sound' };
        if (before.kind === 'damaged') await noteStart(this.#sources);
        await this.#sign();
      },
      startAfresh: () => this.#startAfresh(),
    });
  }

  #startAfresh(): Promise<string> {
    const { opened, engine } = this.#sources;
    if (opened.care === null) throw new Error('a store in memory is not damaged');
    return opened.care.startAfresh(engine.clock.now());
  }

  async #sign(): Promise<KeptCheckpoint> {
    const { engine, path, log } = this.#sources;
    if (this.#isWritable) await engine.records.flush();
    const checkpoint = await signCheckpoint(this.#dependencies);
    this.#signed = { size: checkpoint.size, at: engine.clock.now() };
    if (path !== null && this.#isWritable) await writeWhole(path, checkpoint.note);
    for (const { holder, trouble } of await holdCheckpoint(this.#audit.checkpoints, checkpoint))
      if (trouble !== null) log('error', { event: 'checkpoint', holder, size: checkpoint.size, trouble });
    return checkpoint;
  }

  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look()).catch((error: unknown) => this.#trouble(error));
    return this.#looking;
  }

  /** What is damaged while the server runs is not written to any more. */
  async #trouble(error: unknown): Promise<void> {
    const { engine } = this.#sources;
    if (!isDamage(error)) return engine.onBug(error);
    if (this.#standing.kind === 'damaged') return undefined;
    const damaged: Standing = { kind: 'damaged', words: error.message, isKnown: true };
    this.#standing = await settled(this.#sources, damaged, this.#standing.kind).catch(() => damaged);
    return undefined;
  }

  async #look(): Promise<void> {
    const now = this.#sources.engine.clock.now();
    if (this.#standing.kind === 'unwritable' && now - this.#triedAt >= tryEveryMs) {
      this.#triedAt = now;
      this.#standing = await settled(this.#sources, await standingNow(this.#sources), 'unwritable');
    }
    if (!this.#isWritable) return;
    if (now - this.#signed.at >= this.#audit.checkpoints.everyMs) {
      const { size } = await this.#sources.store.treeHead();
      if (size > this.#signed.size) await this.#sign();
      else this.#signed.at = now;
    }
    await this.#expire(now);
  }

  async #expire(now: number): Promise<void> {
    const { retentionMs, retentionByClassMs } = this.#audit;
    const shortest = Math.min(retentionMs, ...retentionByClassMs.values());
    const everyMs = Math.max(expireEveryMs.shortest, Math.min(expireEveryMs.longest, shortest / 10));
    if (now - this.#expiredAt < everyMs) return;
    this.#expiredAt = now;
    const over = (dataClass: string | null, keptMs: number): Expiry => ({
      dataClass,
      before: instant(now - keptMs),
    });
    const expiries = [
      over(null, retentionMs),
      ...[...retentionByClassMs].map(([dataClass, keptMs]) => over(dataClass, keptMs)),
    ];
    for (let batch = 0; batch < expireBatchesMax; batch++) {
      const change = this.#sources.engine.change({
        kind: 'records.expired',
        actor: 'system',
        subject: 'records',
        reason: 'audit.retention',
        before: null,
        after: null,
      });
      if ((await this.#sources.store.expire(expiries, expireBatch, change)) < expireBatch) return;
    }
  }

  async stop(): Promise<void> {
    await this.#looking;
    if (!this.#isWritable) return;
    const { size } = await this.#sources.store.treeHead();
    if (size > this.#signed.size) await this.#sign();
  }
}

/** The configuration that is in force, and since when. */
async function noteStart({ engine, store, configText }: Sources): Promise<void> {
  const { hash } = engine.state.snapshot;
  await store.saveSnapshot(hash, configText, engine.clock.now());
  const facts = { actor: 'system', subject: hash, reason: 'start', before: null, after: hash };
  await store.appendChange(engine.change({ kind: 'config.loaded', ...facts }));
}

/** As it is now. In one that can be written the start is noted, which shows that it can. */
async function standingNow(sources: Sources): Promise<Standing> {
  const { store, path, opened } = sources;
  if (opened.damage !== null) return { kind: 'damaged', ...opened.damage };
  const words = (await opened.care?.reopen()) ?? null;
  if (words !== null) return { kind: 'unwritable', words };
  await store.setReadOnly(false);
  const [kept] = await store.loadCheckpoints(1);
  const standing = await standingOf(store, [...noteBeside(path), ...(kept === undefined ? [] : [kept.note])]);
  if (standing.kind !== 'sound') return standing;
  try {
    await noteStart(sources);
    return standing;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { kind: 'unwritable', words: error.message };
  }
}

/** Closes a store that is not sound to writing, and says how it is when it was another way before. */
async function settled(
  { store, log }: Sources,
  standing: Standing,
  before: Standing['kind'],
): Promise<Standing> {
  const { kind } = standing;
  if (kind !== 'sound') await store.setReadOnly(true);
  const level = kind === 'sound' ? 'info' : 'error';
  if (kind !== before) log(level, { event: 'ledger', standing: kind, words: standingWords(standing) });
  return standing;
}

/** Compares the ledger with what was signed before. */
export async function openLedgerDesk(sources: Sources): Promise<LedgerDeskOpened> {
  const { engine, store } = sources;
  const signer = await ledgerKey(store, engine.state.snapshot.audit);
  if (typeof signer === 'string') return { kind: 'failed', message: signer };
  const standing = await settled(sources, await standingNow(sources), 'sound');
  return { kind: 'opened', desk: new Desk(sources, { ...engine.control(store), signer }, standing) };
}
