/** The worker that owns the store's database. */
import { SqliteDatabase } from './database.ts';
import { serveWorker } from './serve-worker.ts';
import type { WorkerCall } from './worker-client.ts';

declare const self: { onmessage: ((event: MessageEvent<WorkerCall>) => void) | null };

export const serve = serveWorker((path, readOnly) => new SqliteDatabase(path, readOnly));

self.onmessage = (event) => serve(event.data);
