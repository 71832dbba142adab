/**
 * The ledger beside the request path: checkpoints every minute and on demand, held beside the store and elsewhere; what the
 * last one says when the process starts; records whose time is over.
 */
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';

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
import { holdCheckpoint } from './checkpoint-holders.ts';
import type { Expiry, KeptCheckpoint, Store } from '../store/store.ts';
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
  /** Why the store cannot be written; null as it should be. */
  readonly unwritable: string | null;
  readonly log: Log;
};

/** Records that are erased in one transaction, and transactions at one look. */
const expireBatch = 10_000;
const expireBatchesMax = 20;
const expireEveryMs = { shortest: 1_000, longest: 600_000 };

function noteBeside(path: string | null): readonly string[] {
  if (path === null) return [];
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}

/** Whole or not at all: a checkpoint that was cut would look like tampering. */
async function writeBeside(path: string, note: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(note);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

class Desk implements LedgerDesk {
  readonly #sources: Sources;
  readonly #dependencies: LedgerDependencies;
  #standing: Standing;
  #signed = { size: -1, at: 0 };
  #expiredAt = 0;
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
      standing: () => ({ kind: this.#standing.kind, words: standingWords(this.#standing) }),
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
      settle: async () => {
        this.#standing = { kind: 'sound' };
        await this.#sign();
      },
    });
  }

  async #sign(): Promise<KeptCheckpoint> {
    const { engine, path, log } = this.#sources;
    if (this.#isWritable) await engine.records.flush();
    const checkpoint = await signCheckpoint(this.#dependencies);
    this.#signed = { size: checkpoint.size, at: engine.clock.now() };
    if (path !== null && this.#isWritable) await writeBeside(path, checkpoint.note);
    for (const { holder, trouble } of await holdCheckpoint(this.#audit.checkpoints, checkpoint))
      if (trouble !== null) log('error', { event: 'checkpoint', holder, size: checkpoint.size, trouble });
    return checkpoint;
  }

  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look()).catch(this.#sources.engine.onBug);
    return this.#looking;
  }

  async #look(): Promise<void> {
    if (!this.#isWritable) return;
    const now = this.#sources.engine.clock.now();
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

/** Compares the ledger with what was signed before, and says so aloud when it is another one. */
export async function openLedgerDesk(sources: Sources): Promise<LedgerDeskOpened> {
  const { engine, store, path, log } = sources;
  const signer = await ledgerKey(store, engine.state.snapshot.audit);
  if (typeof signer === 'string') return { kind: 'failed', message: signer };
  const [kept] = await store.loadCheckpoints(1);
  const standing = await standingOf(store, [...noteBeside(path), ...(kept === undefined ? [] : [kept.note])]);
  if (standing.kind !== 'sound') {
    await store.setReadOnly(true);
    log('error', { event: 'ledger', standing: standing.kind, words: standingWords(standing) });
  }
  return { kind: 'opened', desk: new Desk(sources, { ...engine.control(store), signer }, standing) };
}
