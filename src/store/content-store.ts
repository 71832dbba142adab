/** Captured content, through the worker that owns it. Its files are made when there is something to keep, not before. */
import { existsSync } from 'node:fs';

import type {
  ContentDatabase,
  ContentItem,
  ContentKey,
  ContentRead,
  ContentSubject,
} from './content-database.ts';
import { WorkerClient } from './worker-client.ts';

export type { ContentItem, ContentKey, ContentRead, ContentSubject } from './content-database.ts';

/** Every verb rejects with `StoreUnavailable` when the files cannot be used, and with nothing else. */
export type ContentStore = {
  keep(masterKey: Uint8Array, retentionMs: number, items: readonly ContentItem[]): Promise<void>;
  read(masterKey: Uint8Array | null, request: string): Promise<ContentRead>;
  overdue(now: number, retentionMs: number | null, after: number): Promise<readonly ContentKey[]>;
  keysOf(subject: ContentSubject, after: number): Promise<readonly ContentKey[]>;
  /** Requests under a key, after a row of the page before. */
  requestsUnder(
    key: number,
    after: number,
  ): Promise<readonly { readonly row: number; readonly request: string }[]>;
  /** Says how many contents went with the keys. */
  destroy(keys: readonly number[]): Promise<number>;
  close(): Promise<void>;
};

const keysAtATime = 500;
const rowsAtATime = 500;
type Client = WorkerClient<ContentDatabase>;

class Contents implements ContentStore {
  readonly #path: string;
  #opening: Promise<Client> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  #open(): Promise<Client> {
    this.#opening ??= this.#start().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #start(): Promise<Client> {
    const script = new URL('content-worker.ts', import.meta.url).href;
    const client: Client = new WorkerClient(this.#path, script);
    try {
      await client.open();
      return client;
    } catch (error) {
      client.stop();
      throw error;
    }
  }

  /** Null where nothing was ever captured. */
  #there(): Promise<Client> | null {
    return this.#opening !== null || existsSync(this.#path) ? this.#open() : null;
  }

  async keep(masterKey: Uint8Array, retentionMs: number, items: readonly ContentItem[]): Promise<void> {
    const client = await this.#open();
    await client.call('keep', masterKey, retentionMs, items);
  }

  async read(masterKey: Uint8Array | null, request: string): Promise<ContentRead> {
    const client = await this.#there();
    return client === null ? { kind: 'none' } : client.call('read', masterKey, request);
  }

  async overdue(now: number, retentionMs: number | null, after: number): Promise<readonly ContentKey[]> {
    const client = await this.#there();
    return client === null ? [] : client.call('overdue', now, retentionMs, after, keysAtATime);
  }

  async keysOf(subject: ContentSubject, after: number): Promise<readonly ContentKey[]> {
    const client = await this.#there();
    return client === null ? [] : client.call('keysOf', subject, after, keysAtATime);
  }

  async requestsUnder(
    key: number,
    after: number,
  ): Promise<readonly { readonly row: number; readonly request: string }[]> {
    const client = await this.#there();
    return client === null ? [] : client.call('requestsUnder', key, after, rowsAtATime);
  }

  async destroy(keys: readonly number[]): Promise<number> {
    const client = await this.#there();
    return client === null ? 0 : client.call('destroy', keys);
  }

  async close(): Promise<void> {
    const client = await this.#opening?.catch(() => null);
    await client?.close();
  }
}

/** `path` is where content lies; `:memory:` where the store is in memory. */
export const contentStore = (path: string): ContentStore => new Contents(path);
