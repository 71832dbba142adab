/** Attempts under way, so that a switch can end the ones it says to end. */
import type { Instant, SwitchId } from '../core/ids.ts';
import { covers, isInForce } from '../core/switches.ts';
import type { Asker, Scope, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { Bag } from './bag.ts';
import type { Bagged } from './bag.ts';
import type { Stopper } from './stopper.ts';

export type Flight = Bagged & {
  readonly target: Target;
  readonly asker: Asker;
  readonly stopper: Stopper;
  committed: boolean;
};

/** The switch that ended it; null where none did. */
export function cutBy({ stopper: { cause } }: Flight): SwitchId | null {
  return cause?.kind === 'switched_off' ? cause.switch : null;
}

export type Flights = {
  begin(flight: Flight): void;
  end(flight: Flight): void;
  /** Stops what the switches in force say to stop; returns how many. */
  sweep(switches: readonly Switch[], now: Instant): number;
  /** Stops all of them: nobody will be here to end them. */
  stopAll(): void;
  /**
   * Waits until calls that were handed to the network before a switch have surely left: whoever is told that a scope is
   * off shall see no call arrive there afterwards. Returns at once when none is under way.
   */
  settle(scope: Scope): Promise<void>;
  readonly size: number;
};

/** How long a call may take from `fetch` to the wire. */
const onTheWireMs = 40;
/** A wait that took longer than this was one of the whole process: its calls stood still as well, and get their time anew. */
const heldUpMs = 60;
const waitsMax = 10;

function ends(entry: Switch, flight: Flight): boolean {
  switch (entry.inFlight) {
    case 'finish':
      return false;
    case 'cancel_uncommitted':
      return !flight.committed;
    case 'cancel':
      return true;
  }
}

function endedBy(switches: readonly Switch[], flight: Flight): SwitchId | null {
  return (
    switches.find((entry) => ends(entry, flight) && covers(entry.scope, flight.target, flight.asker))?.id ??
    null
  );
}

export function createFlights(): Flights {
  const flights = new Bag<Flight>();
  return {
    begin: (flight) => flights.add(flight),
    end: (flight) => flights.remove(flight),
    sweep(switches, now) {
      const ending = switches.filter(
        (entry) =>
          entry.effect.kind === 'off' &&
          entry.mode === 'enforce' &&
          entry.inFlight !== 'finish' &&
          isInForce(entry, now),
      );
      if (ending.length === 0) return 0;
      let stopped = 0;
      flights.forEach((flight) => {
        const id = endedBy(ending, flight);
        if (id === null) return;
        flight.stopper.stop({ kind: 'switched_off', switch: id });
        stopped++;
      });
      return stopped;
    },
    stopAll: () => flights.forEach(({ stopper }) => stopper.stop({ kind: 'stopping' })),
    async settle(scope) {
      const underWay = flights.some(
        (flight) => !flight.committed && covers(scope, flight.target, flight.asker),
      );
      if (!underWay) return;
      for (let waits = 0; waits < waitsMax; waits++) {
        const began = performance.now();
        await Bun.sleep(onTheWireMs);
        if (performance.now() - began < heldUpMs) return;
      }
    },
    get size() {
      return flights.size;
    },
  };
}
