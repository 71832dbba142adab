/** The worker that owns the database: one message in, one out, in order. */
import { SqliteDatabase } from './database.ts';
import type { WorkerAnswer, WorkerCall } from './worker-client.ts';

declare const self: {
  onmessage: ((event: MessageEvent<WorkerCall>) => void) | null;
  postMessage: (answer: WorkerAnswer) => void;
};

let database: SqliteDatabase | null = null;

function perform(call: WorkerCall): unknown {
  if (call.verb === 'open') {
    database = new SqliteDatabase(call.path, call.readOnly);
    return null;
  }
  if (database === null) throw new Error('the database is not open');
  // The arguments were checked where the call was made: `call.verb` and its parameters come from one typed table.
  const method = database[call.verb] as (...values: readonly unknown[]) => unknown;
  return method.apply(database, [...call.values]);
}

export function serve(call: WorkerCall): void {
  const { id } = call;
  try {
    self.postMessage({ id, ok: true, value: perform(call) });
  } catch (error) {
    database?.forget();
    self.postMessage({ id, ok: false, message: error instanceof Error ? error.message : String(error) });
  }
}

self.onmessage = (event) => serve(event.data);
