/** Tries gates on the traffic that was: reads stored records and plays them through `core/gate-replay.ts`. */
import { testInput } from '../control/gates.ts';
import { parseInput, withStore, done } from '../control/verb.ts';
import type { Result } from '../control/verb.ts';
import { gateOf } from '../core/configure-gates.ts';
import { durationMs } from '../core/duration.ts';
import { gateFor, matchesGate } from '../core/gate-match.ts';
import { pastAttempts, replayGates } from '../core/gate-replay.ts';
import type { PastAttempt } from '../core/gate-replay.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { Engine } from '../engine.ts';
import type { GateTest } from '../http/admin-dependencies.ts';
import { pageSizeMax } from '../store/store.ts';
import { inBreaths } from './in-breaths.ts';
import type { Store } from '../store/store.ts';

/** More would hold the process up; the newest are looked at. */
const replayedRecordsMax = 100_000;

type Read = { readonly attempts: readonly PastAttempt[]; readonly records: number; readonly since: Instant };

async function readAttempts(store: Store, since: Instant): Promise<Read & { readonly isCut: boolean }> {
  const attempts: PastAttempt[] = [];
  let records = 0;
  let oldest = since;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['listRecords']>> = await store.listRecords({
      since,
      limit: pageSizeMax,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const record of page.items) attempts.push(...pastAttempts(record));
    records += page.items.length;
    oldest = page.items.at(-1)?.at ?? oldest;
    cursor = page.nextCursor;
  } while (cursor !== null && records < replayedRecordsMax);
  return { attempts, records, since: cursor === null ? since : oldest, isCut: cursor !== null };
}

export function testGates(
  input: unknown,
  { state, records: pump, clock }: Engine,
  store: Store,
): Promise<Result<GateTest>> {
  return withStore<GateTest>(async () => {
    const parsed = parseInput(testInput, input);
    if (parsed.kind === 'error') return parsed;
    await pump.flush();
    const until = clock.now();
    const { targets, gates } = state.snapshot;
    const read = await readAttempts(store, instant(until - (durationMs(parsed.value.since ?? '7d') ?? 0)));
    const proposal = parsed.value.gate === undefined ? null : gateOf(parsed.value.gate);
    const current = await inBreaths(
      replayGates(read.attempts, (name) => {
        const target = targets.get(name);
        return target === undefined || (proposal !== null && !matchesGate(proposal, target))
          ? null
          : gateFor(gates, target);
      }),
    );
    const proposed =
      proposal === null
        ? null
        : await inBreaths(
            replayGates(read.attempts, (name) => {
              const target = targets.get(name);
              return target !== undefined && matchesGate(proposal, target) ? proposal : null;
            }),
          );
    const { records, since, isCut } = read;
    return done({ since, until, records, isCut, current, proposed });
  });
}
