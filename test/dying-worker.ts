/** A worker that dies when it is asked for a setting by the name of `die`, and otherwise is the store's own. */
import { serve } from '../src/store/sqlite-worker.ts';
import type { WorkerCall } from '../src/store/worker-client.ts';

declare const self: { onmessage: ((event: MessageEvent<WorkerCall>) => void) | null };

self.onmessage = ({ data }) => {
  if ('values' in data && data.verb === 'setting' && data.values[0] === 'die') process.exit(1);
  serve(data);
};
