/**
 * Opens a store, whatever state its files are in. What cannot be written is read; what cannot be read is stood in for by a
 * store in memory with what was known last (keys, switches, holds), so that traffic flows. The damaged files are left as
 * they are until a person says that they may be moved aside.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { SqliteDatabase } from './database.ts';
import { storeOn } from './sqlite.ts';
import type { Client } from './sqlite.ts';
import { isDamage, StoreUnavailable } from './store.ts';
import type { Store, StoreCare, StoreOpened } from './store.ts';
import { WordTable } from './words.ts';
import { WorkerClient } from './worker-client.ts';
import { unfinishedBytes } from './write-ahead-log.ts';

const workerScript = new URL('sqlite-worker.ts', import.meta.url).href;
const memory = ':memory:';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Why a database cannot be used, for the person who starts the server. */
function openingProblem(path: string, error: unknown): string {
  const message = messageOf(error);
  if (/locked|busy/i.test(message))
    return `${path} is in use by another process. Stop it, or give this one a store of its own with --store.`;
  if (/newer version/.test(message))
    return `${path}: ${message}. Start the newer version, or use another store.`;
  if (/another program/.test(message)) return `${path}: ${message}. Use another path.`;
  return `${path} cannot be opened (${message}). Check that the folder exists and can be written to.`;
}

const failed = (message: string): StoreOpened => ({ kind: 'failed', message });

/** The path of a file that belongs to a store; null for one in memory or elsewhere. */
export function besideStore(address: string, ending: string): string | null {
  const path = /^sqlite:(.+)$/s.exec(address)?.[1];
  return path === undefined || path === memory ? null : `${path}.${ending}`;
}

const standbyOf = (path: string): string => `${path}.standby`;
const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** A full disk, a file system that is read only, a folder that is not ours. */
const cannotWrite = /readonly|read-only|unable to open|disk I\/O|is full|permission denied/i;

class Damaged extends Error {}
/** There is no room to make it. */
class Unborn extends Error {}

/** Opens for writing, or, where that cannot be, for reading what is there; says why then. */
async function openEitherWay(client: Client, path: string): Promise<string | null> {
  try {
    await client.open();
    return null;
  } catch (error) {
    const message = messageOf(error);
    if (!cannotWrite.test(message)) throw error;
    if (existsSync(path) && !statSync(path).isFile()) throw error;
    if (!existsSync(path) || statSync(path).size === 0) throw new Unborn(message);
    await client.open(true);
    await client.call('setReadOnly', true);
    return message;
  }
}

/** Reads whatever a start reads: what is damaged is to be found now, and not one after the other. */
async function readThrough(client: Client, store: Store): Promise<void> {
  try {
    await client.call('check');
    await Promise.all([
      store.loadSwitches(),
      store.loadKeys(),
      store.loadHolds(),
      store.loadGates(instant(0)),
      store.loadCanaries(instant(0)),
      store.loadConsents(instant(0)),
      store.loadSpending(),
      store.loadRuns(),
      store.loadPlaybooks(),
      store.listIncidents(null, null, 200),
      store.loadCheckpoints(1),
      store.treeHead(),
    ]);
  } catch (error) {
    throw new Damaged(messageOf(error));
  }
}

function standbyText(path: string): string | null {
  try {
    const text = readFileSync(standbyOf(path), 'utf8');
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}

/** Moves the files of a store out of the way; they are evidence. */
function moveAside(path: string, at: Instant): string {
  const aside = `${path}.damaged-${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  for (const ending of ['', '-wal', '-shm', '.checkpoint'])
    if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${aside}${ending}`);
  return aside;
}

type Opening = { readonly client: Client; readonly path: string; readonly words: WordTable };

function careOf(
  { client, path, words }: Opening,
  state: { kind: 'open' | 'read_only' | 'unborn' | 'damaged' },
): StoreCare {
  /** What stands in becomes the file: whole or not at all. */
  const bear = async (): Promise<void> => {
    const made = `${path}.new`;
    rmSync(made, { force: true });
    await client.call('saveAs', made);
    renameSync(made, path);
    await client.use(path);
  };
  /** SQLite takes a file that the process has open for reading only for one that cannot be written. */
  const openAgain = async (): Promise<void> => {
    const closed = client.call('close');
    const opened = client.open();
    try {
      await Promise.all([closed, opened]);
    } catch (error) {
      await client.open(true);
      await client.call('setReadOnly', true);
      throw error;
    }
  };
  const reread = async (): Promise<void> => words.reset(await client.call('loadWords'));
  return {
    standby: () => client.call('standby'),
    reopen: async () => {
      if (state.kind === 'open' || state.kind === 'damaged') return null;
      try {
        await (state.kind === 'unborn' ? bear() : openAgain());
        state.kind = 'open';
        await reread();
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
    startAfresh: async (at) => {
      try {
        if (state.kind !== 'damaged') {
          // One after the other without a pause: nothing may be written to what stands in.
          const opened = client.use(memory);
          const filled = client.call('standIn', standbyText(path), true);
          await Promise.all([opened, filled]);
          state.kind = 'damaged';
        }
        const aside = moveAside(path, at);
        await bear();
        state.kind = 'open';
        await reread();
        return aside;
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        throw new StoreUnavailable('failed', messageOf(error));
      }
    },
  };
}

async function standIn(
  client: Client,
  path: string,
  kind: 'damaged' | 'unborn',
  words: string,
): Promise<StoreOpened> {
  await client.use(memory);
  const known = standbyText(path);
  await client.call('standIn', known, false);
  const table = new WordTable(await client.call('loadWords'));
  const care = careOf({ client, path, words: table }, { kind });
  const store = storeOn(client, table);
  return kind === 'damaged'
    ? { kind: 'opened', store, damage: { words, isKnown: known !== null }, care, cutBytes: 0 }
    : { kind: 'opened', store, damage: null, care, cutBytes: 0 };
}

/** A file that had something in it once. */
function isEmptied(path: string): boolean {
  if (!isFile(path) || !existsSync(standbyOf(path)) || statSync(path).size > 0) return false;
  return !existsSync(`${path}-wal`) || statSync(`${path}-wal`).size === 0;
}

async function openFile(client: Client, path: string): Promise<StoreOpened> {
  mkdirSync(dirname(path), { recursive: true });
  if (isEmptied(path)) throw new Damaged('the file is empty');
  const cutBytes = unfinishedBytes(path);
  const unwritable = await openEitherWay(client, path);
  const words = new WordTable(await client.call('loadWords'));
  const store = storeOn(client, words);
  await readThrough(client, store);
  const care = careOf({ client, path, words }, { kind: unwritable === null ? 'open' : 'read_only' });
  return { kind: 'opened', store, damage: null, care, cutBytes };
}

async function openMemory(client: Client): Promise<StoreOpened> {
  await client.open();
  const words = new WordTable(await client.call('loadWords'));
  const store = storeOn(client, words);
  return { kind: 'opened', store, damage: null, care: null, cutBytes: 0 };
}

function partsOf(address: string): { readonly scheme: string; readonly path: string } {
  const [scheme = '', path = ''] = /^([^:]*):(.*)$/s.exec(address)?.slice(1) ?? [];
  return { scheme, path };
}

/** What is wrong with an address, before anything is opened. */
export function storeProblem(address: string): string | null {
  const { scheme, path } = partsOf(address);
  if (scheme === 'postgres' || scheme === 'postgresql')
    return 'PostgreSQL is not available in this version. Use sqlite:PATH.';
  // The address is not repeated: what somebody took for one may hold a password.
  return scheme !== 'sqlite' || path === '' || /^\/\/(?!\/)/.test(path)
    ? 'The store is not understood. Use sqlite:PATH, such as sqlite:./data/breakwater.db.'
    : null;
}

/** Opens `sqlite:PATH` or `sqlite::memory:`. */
export async function openStore(address: string): Promise<StoreOpened> {
  const problem = storeProblem(address);
  if (problem !== null) return failed(problem);
  const { path } = partsOf(address);
  const client = new WorkerClient<SqliteDatabase>(path, workerScript);
  try {
    return await (path === memory ? openMemory(client) : openFile(client, path));
  } catch (error) {
    if (error instanceof Damaged || (isDamage(error) && isFile(path)))
      return standIn(client, path, 'damaged', error.message);
    if (error instanceof Unborn) return standIn(client, path, 'unborn', error.message);
    client.stop();
    return failed(openingProblem(path, error));
  }
}
