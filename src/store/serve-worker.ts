/** What a worker that owns a database does: one message in, one out, in order. */
import type { Database, WorkerAnswer, WorkerCall } from './worker-client.ts';

declare const self: { postMessage: (answer: WorkerAnswer) => void };

export function serveWorker(open: (path: string, readOnly: boolean) => Database): (call: WorkerCall) => void {
  let database: Database | null = null;
  const perform = (call: WorkerCall): unknown => {
    if ('path' in call) {
      // One that cannot be opened leaves the one before as it was.
      const opened = open(call.path, call.readOnly);
      database?.close();
      database = opened;
      return null;
    }
    if (database === null) throw new Error('the database is not open');
    if (call.verb === 'close') {
      database.close();
      database = null;
      return null;
    }
    // The arguments were checked where the call was made: `call.verb` and its parameters come from one typed table.
    const methods = database as unknown as Readonly<
      Record<string, (...values: readonly unknown[]) => unknown>
    >;
    return methods[call.verb]?.apply(database, [...call.values]);
  };
  return (call) => {
    const { id } = call;
    try {
      self.postMessage({ id, ok: true, value: perform(call) });
    } catch (error) {
      database?.forget();
      self.postMessage({ id, ok: false, message: error instanceof Error ? error.message : String(error) });
    }
  };
}
