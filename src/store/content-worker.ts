/** The worker that owns captured content. */
import { ContentDatabase } from './content-database.ts';
import { serveWorker } from './serve-worker.ts';
import type { WorkerCall } from './worker-client.ts';

declare const self: { onmessage: ((event: MessageEvent<WorkerCall>) => void) | null };

const serve = serveWorker((path) => new ContentDatabase(path));

self.onmessage = (event) => serve(event.data);
