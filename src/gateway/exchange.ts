/** Everything one request carries through the data plane: what was asked, the snapshot it sees, and what happened so far. */
import type { ClassDemand } from '../core/data-class.ts';
import type { ArrangedBecause } from '../core/arrangement.ts';
import type { Instant, RequestId } from '../core/ids.ts';
import type { IncidentScope } from '../core/incident-hits.ts';
import { isCount } from '../core/record.ts';
import type { Candidate } from '../core/record.ts';
import type { ApiKey } from '../core/keys.ts';
import type { Offer } from '../core/routing.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import type { Dialect, Target } from '../core/target.ts';
import type { Conversation } from '../dialects/conversation.ts';
import type { DialectCodec, InvalidRequest, JsonObject, RequestFacts } from '../dialects/dialect.ts';
import type { Span } from '../dialects/json-text.ts';
import type { Trace } from './trace.ts';
import type { Carrier } from './carry-on.ts';
import type { Capacity, Claim } from './capacity.ts';
import type { Clock } from './clock.ts';
import type { CallerWishes } from './caller-headers.ts';
import type { Flights } from './flights.ts';
import type { HedgeBudgets } from './hedge.ts';
import type { HealthBoard } from './board.ts';
import type { MediaFetcher } from './media-fetch.ts';
import type { Reachability } from './upstream.ts';
import type { Watchdog } from './watchdog.ts';

/** What every request shares. */
export type Shared = {
  readonly clock: Clock;
  readonly watchdog: Watchdog;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly hedges: HedgeBudgets;
  readonly flights: Flights;
  readonly reachability: Reachability;
  readonly fetchMedia: MediaFetcher;
  /** Incidents going on, as of now. */
  readonly incidents: () => readonly IncidentScope[];
};

/** The request as it was parsed, once. */
export type Asked = {
  readonly codec: DialectCodec;
  readonly text: string;
  readonly body: JsonObject;
  readonly spans: ReadonlyMap<string, Span>;
  readonly facts: RequestFacts;
  readonly headers: Headers;
  /** Of the address; empty where there is none. */
  readonly query: string;
  readonly wishes: CallerWishes;
  readonly key: ApiKey | null;
};

export type Exchange = Shared &
  Asked & {
    readonly id: RequestId;
    readonly at: Instant;
    readonly snapshot: Snapshot;
    readonly feature: Feature;
    readonly preferred: Target;
    readonly demand: ClassDemand;
    readonly claim: Claim;
    readonly deadline: Instant;
    /** The caller shortened the time; running out of it is then no evidence against a target. */
    readonly deadlineByCaller: boolean;
    readonly traces: Trace[];
    readonly warnings: string[];
    candidates: readonly Candidate[];
    offers: readonly Offer[];
    /** Why another target than the preferred one was asked first although it could have been. */
    arranged: ArrangedBecause | null;
    /** The neutral form, made when a target of another dialect is first asked. */
    conversation: Conversation | InvalidRequest | null;
    /** Follows the answer along where another target may have to carry on; null where none may. */
    carrier: Carrier | null;
    callerLeft: boolean;
    /** Stops the attempt under way, if there is one. */
    stopCurrent: (() => void) | null;
  };

/** What an attempt needs of the request it belongs to; a probe belongs to none. */
export type Scene = Pick<
  Exchange,
  | 'clock'
  | 'watchdog'
  | 'board'
  | 'reachability'
  | 'snapshot'
  | 'codec'
  | 'facts'
  | 'body'
  | 'conversation'
  | 'deadline'
  | 'deadlineByCaller'
> & {
  /** Who follows the events of the answer along. */
  readonly carrier: Pick<Carrier, 'listen'> | null;
};

/**
 * Whether a call tells of its target. A count of tokens does not: providers serve it beside their models and limit it by
 * itself, so it may come while no model answers, and be refused while all do.
 */
export const isEvidence = ({ codec }: Pick<Exchange, 'codec'>): boolean => !isCount(codec.operation);

/** The format to speak to a target: the caller's own when it can. */
export function dialectFor(target: Target, caller: Dialect): Dialect {
  return target.dialects.includes(caller) ? caller : (target.dialects[0] ?? caller);
}
