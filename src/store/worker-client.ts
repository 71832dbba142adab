/**
 * Calls to a worker that owns a database. A worker that dies takes the calls it had with it, and is replaced by another
 * on the same file; the database is whole, because a transaction that was not finished never was. One in memory is gone
 * with its worker, and stays so.
 */
import { StoreUnavailable } from './store.ts';

/** What a worker must have to be closed and to go on after a write that failed. */
export type Database = { close(): void; forget(): void };
type Verb<D> = { [K in keyof D]: D[K] extends (...values: never[]) => unknown ? K : never }[keyof D] & string;
type Values<D, V extends Verb<D>> = D[V] extends (...values: infer P extends readonly unknown[]) => unknown
  ? P
  : never;
type Value<D, V extends Verb<D>> = D[V] extends (...values: never[]) => infer R ? R : never;

export type WorkerCall = { readonly id: number } & (
  | { readonly verb: 'open'; readonly path: string; readonly readOnly: boolean }
  | { readonly verb: string; readonly values: readonly unknown[] }
);
export type WorkerAnswer = { readonly id: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string }
);

/** Calls that may wait for the worker; more means the disk cannot keep up. */
export const callsPendingMax = 10_000;
/** What SQLite says of a database that is not to be written. */
const closedToWriting = /readonly database/;
const reopenMs = { first: 20, longest: 2_000 };

type Pending = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StoreUnavailable) => void;
};

export class WorkerClient<D extends Database> {
  #path: string;
  readonly #script: string;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker;
  #lastId = 0;
  #readOnly = false;
  /** Why no call is taken: for now when the worker died, for good when the store was closed. */
  #away: StoreUnavailable | null = null;

  constructor(path: string, script: string) {
    this.#path = path;
    this.#script = script;
    this.#worker = this.#start();
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    worker.onmessage = (event: MessageEvent<WorkerAnswer>) => this.#settle(event.data);
    worker.onerror = (event) => this.#died(worker, event.message);
    worker.addEventListener('close', () => this.#died(worker, 'it ended'));
    return worker;
  }

  #settle(answer: WorkerAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) pending?.resolve(answer.value);
    else {
      const reason = closedToWriting.test(answer.message) ? 'read_only' : 'failed';
      pending?.reject(new StoreUnavailable(reason, answer.message));
    }
  }

  #leave(error: StoreUnavailable): void {
    this.#away = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#worker.terminate();
  }

  #died(worker: Worker, message: string): void {
    if (worker !== this.#worker || this.#away !== null) return;
    this.#leave(new StoreUnavailable('failed', `the store's worker failed: ${message}`));
    if (this.#path !== ':memory:') void this.#reopen(reopenMs.first);
  }

  async #reopen(waitMs: number): Promise<void> {
    await Bun.sleep(waitMs);
    if (this.#away?.reason === 'closed') return;
    this.#worker = this.#start();
    const before = this.#away;
    this.#away = null;
    const opened = this.open(this.#readOnly);
    // Until it is open, calls are refused as before.
    this.#away = before;
    try {
      await opened;
      this.#away = null;
    } catch {
      this.#worker.terminate();
      void this.#reopen(Math.min(waitMs * 2, reopenMs.longest));
    }
  }

  #post(call: (id: number) => WorkerCall): Promise<unknown> {
    if (this.#away !== null) return Promise.reject(this.#away);
    if (this.#pending.size >= callsPendingMax)
      return Promise.reject(new StoreUnavailable('busy', 'the store cannot keep up'));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#lastId++;
    this.#pending.set(this.#lastId, { resolve, reject });
    this.#worker.postMessage(call(this.#lastId));
    return promise;
  }

  /** For reading only: where nothing can be written, what is there can still be read. */
  async open(readOnly = false): Promise<void> {
    this.#readOnly = readOnly;
    await this.#post((id) => ({ id, verb: 'open', path: this.#path, readOnly }));
  }

  /** Another file from now on; the one before is closed when this one is open. */
  async use(path: string): Promise<void> {
    const before = this.#path;
    this.#path = path;
    try {
      await this.open();
    } catch (error) {
      this.#path = before;
      throw error;
    }
  }

  async call<V extends Verb<D>>(verb: V, ...values: Values<D, V>): Promise<Value<D, V>> {
    return (await this.#post((id) => ({ id, verb, values }))) as Value<D, V>;
  }

  /** Closes the database, so that its lock is gone when the promise resolves. A second time does nothing. */
  async close(): Promise<void> {
    if (this.#away === null)
      await this.#post((id) => ({ id, verb: 'close', values: [] })).finally(() => this.stop());
    else this.stop();
  }

  stop(): void {
    this.#leave(new StoreUnavailable('closed', 'the store is closed'));
  }
}
