/**
 * Changes as server-sent events, for consoles and scripts that would else ask again and again. A stream is read from the
 * store like everything else, so it shows what is durable; a client that comes back with `Last-Event-ID` misses nothing
 * that is still within one page.
 */
import type { Change } from '../core/record.ts';
import { pageSizeMax } from '../control/queries.ts';
import type { Store } from '../control/queries.ts';
import { sseText } from '../dialects/sse.ts';
import { adminError } from './admin-error.ts';
import { streamed } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { changeToWire } from './wire.ts';

/** Streams open at the same time. */
export const eventStreamsMax = 100;
const lookMs = 500;
const looksPerSign = 20;

/** Changes after one, oldest first; null: none yet, from now on. */
async function changesAfter(
  last: string | null,
  store: Pick<Store, 'listChanges'>,
): Promise<readonly Change[]> {
  const newest = await store.listChanges(null, 1);
  if ((newest.items[0]?.id ?? null) === last) return [];
  const { items } = await store.listChanges(null, pageSizeMax);
  const known = items.findIndex(({ id }) => id === last);
  return (known < 0 ? items : items.slice(0, known)).toReversed();
}

async function* events(from: string | null, store: Pick<Store, 'listChanges'>): AsyncGenerator<string> {
  let last = from ?? (await store.listChanges(null, 1)).items[0]?.id ?? null;
  yield ': changes from now on\n\n';
  for (let looks = 1; ; looks++) {
    for (const change of await changesAfter(last, store)) {
      last = change.id;
      yield `id: ${change.id}\n${sseText('change', JSON.stringify(changeToWire(change)))}`;
    }
    if (looks % looksPerSign === 0) yield ': still here\n\n';
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

let open = 0;

async function* counted(source: AsyncGenerator<string>): AsyncGenerator<string> {
  open++;
  try {
    yield* source;
  } finally {
    open--;
  }
}

const tooMany = (): Response =>
  adminError({
    status: 503,
    code: 'unavailable',
    message: `${eventStreamsMax} streams of events are open.`,
    remedy: 'Close one, or ask for GET changes.',
    field: null,
  });

export const eventRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/events',
    role: 'viewer',
    summary: 'Changes as they happen, as server-sent events',
    answer: 'EventStream',
    media: 'text/event-stream',
    handle: ({ request }, { store }) =>
      Promise.resolve(
        open >= eventStreamsMax
          ? tooMany()
          : streamed(counted(events(request.headers.get('last-event-id'), store)), 'text/event-stream'),
      ),
  },
];
