/**
 * The store's port, in verbs of the domain. SQLite stands behind it; every verb that changes something writes its audit
 * row in the same transaction, because the row is part of the verb.
 */
import type { Delivery, DeliveryState } from '../core/delivery.ts';
import type { Hold } from '../core/hold.ts';
import type { ChangeId, IncidentId, Instant, KeyId, SwitchId, TargetName } from '../core/ids.ts';
import type { Hit, HitKind } from '../core/incident-hits.ts';
import type { HitCount } from '../core/incident-impact.ts';
import type { Incident, IncidentState, IncidentStep, TimelineEntry } from '../core/incident.ts';
import type { Message } from '../core/message.ts';
import type { ApiKey } from '../core/keys.ts';
import type { Run } from '../core/playbook-run.ts';
import type { Change, ChangeKind, RequestRecord } from '../core/record.ts';
import type { StatusInterval } from '../core/status-history.ts';
import type { Spent } from '../core/budget.ts';
import type { KeptConsent } from '../core/consent.ts';
import type { Dimension, Tally } from '../core/statistics.ts';
import type { Switch } from '../core/switches.ts';
import type { TargetWindows } from '../core/target-outcomes.ts';

export type RecordFilter = {
  readonly feature?: string;
  /** Who served. */
  readonly target?: string;
  /** Any attempt. */
  readonly attempted?: string;
  readonly requested?: string;
  /** Whose turn it was first. */
  readonly preferred?: string;
  readonly hop?: string;
  /** Why the preferred target did not answer. */
  readonly fallback?: string;
  readonly boundary?: string;
  readonly failure?: string;
  readonly outcome?: string;
  readonly tenant?: string;
  readonly user?: string;
  readonly key?: string;
  /** That an incident hit. */
  readonly incident?: string;
  readonly since?: Instant;
  readonly until?: Instant;
  /** The id after which to go on; newest first. */
  readonly cursor?: string;
  /** At most `pageSizeMax`; a larger one is cut to it. */
  readonly limit: number;
};

/** What is counted, and by what; `below` as the part before said, null for the newest. */
export type TallyAsked = {
  readonly by: readonly Dimension[];
  readonly filter: Omit<RecordFilter, 'cursor' | 'limit'>;
  readonly below: number | null;
};
export type TallyPart = {
  readonly groups: ReadonlyMap<string, Tally>;
  /** Where the next part begins; null when this was the last. */
  readonly below: number | null;
  /** Rows that were looked at. */
  readonly rows: number;
};

export type WindowsPart = Pick<TallyPart, 'below' | 'rows'> & { readonly windows: TargetWindows };

/** Where a record stands in the ledger's tree. */
export type Leaf = { readonly index: number; readonly hash: string };
export type KeptRecord = RequestRecord & { readonly leaf: Leaf };
export type DeliveryFilter = {
  readonly channel?: string;
  readonly state?: DeliveryState;
  readonly cursor?: string;
  readonly limit: number;
};

/** A gate, or a canary, as it was when it was kept; only its own rule can read the cell. */
export type StoredGate = { readonly target: TargetName; readonly at: Instant; readonly cell: unknown };

/** A run of a playbook as it is now, and what its step did, in one transaction. */
export type RunWrite = {
  readonly run: Run;
  readonly changes: readonly Change[];
  readonly made: readonly Switch[];
  /** Switches in their released form. */
  readonly released: readonly Switch[];
};
/** An entry of the ledger: a line of JSON with its salt, null when it was erased; its place, and its hash in hex. */
export type KeptLeaf = Leaf & { readonly text: string | null };
export type TreeHead = { readonly size: number; readonly root: string };
/** A signed note. */
export type KeptCheckpoint = { readonly size: number; readonly at: Instant; readonly note: string };
/** Records of this class, or of every class that has no rule of its own, are over when they began before. */
export type Expiry = { readonly dataClass: string | null; readonly before: Instant };

export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };
/** Requests of an incident as the text that is hashed when its set is kept, and the last of them; null after the end. */
export type HitLines = { readonly text: string; readonly count: number; readonly last: string | null };

export const pageSizeMax = 200;

/** The store did not do what was asked of it. Whether a write was kept is not known, unless it was `busy`. */
export class StoreUnavailable extends Error {
  /** `busy`: too much is waiting already; it was not even tried. `read_only`: nothing is written as the store stands. */
  readonly reason: 'busy' | 'failed' | 'read_only' | 'closed';
  constructor(reason: StoreUnavailable['reason'], message: string) {
    super(message);
    this.name = 'StoreUnavailable';
    this.reason = reason;
  }
}

/** `held`: nothing was erased, because these holds cover some of it. */
export type EraseOutcome =
  | { readonly kind: 'erased'; readonly records: number }
  | { readonly kind: 'held'; readonly holds: readonly string[] };

const damaged = /not a database|malformed|corrupt/i;

/** The files of the store cannot be read any more: not for now, but until somebody does something about it. */
export const isDamage = (error: unknown): error is StoreUnavailable =>
  error instanceof StoreUnavailable && damaged.test(error.message);

export type ReleaseOutcome = 'released' | 'not_found' | 'stale' | 'already_released';

/** One incident's next value, to be written when it still has revision `from`; 0 for a new one. */
export type IncidentWrite = IncidentStep & {
  readonly from: number;
  /**
   * Takes the requests of another incident over: all (null), or those that preferred one of the targets; also those that
   * were asked until then and are still to be recorded.
   */
  readonly takes?: {
    readonly from: IncidentId;
    readonly preferred: readonly TargetName[] | null;
    readonly at: Instant;
  };
};

export type HitFilter = { readonly how?: HitKind; readonly feature?: string };

/** Entries of one incident that are read at a time. */
export const timelineEntriesMax = 2_000;

/** Where a stream of the ledger stands: the next leaf to send, and until when it was told that there is nothing else. */
export type StreamPosition = { readonly next: number; readonly until: Instant };

/** Records in the form in which they are written: what waits for the store waits in a fraction of their memory. */
export type PackedRecords = {
  readonly count: number;
  /** The records again, for whoever must keep them elsewhere. */
  records(): readonly RequestRecord[];
};

/** Puts records together, each as it comes. */
export type RecordPacking = {
  readonly count: number;
  add(record: RequestRecord): void;
  /** What was added since the last time. */
  take(): PackedRecords;
};

/** Every verb rejects with `StoreUnavailable` when the store cannot do it, and with nothing else. */
export type Store = {
  packRecords(): RecordPacking;
  /** Durable when the promise resolves. The same id twice is written once; `again` says that they may be there for long. */
  appendPacked(records: PackedRecords, again?: boolean): Promise<void>;
  /** As `appendPacked`, of records as they are. */
  appendRecords(records: readonly RequestRecord[], again?: boolean): Promise<void>;
  findRecord(id: string): Promise<KeptRecord | null>;
  /** In the order they were written, newest first. */
  listRecords(filter: RecordFilter): Promise<Page<KeptRecord>>;
  /** Erases records whose time is over and that no hold covers, a bounded number at a time, and which they were goes into the change; says how many. */
  expire(expiries: readonly Expiry[], recordsMax: number, change: Change): Promise<number>;
  /** Erases every record of a user, unless one is under hold; which they were goes into the change. */
  eraseUser(user: string, change: Change): Promise<EraseOutcome>;
  insertHold(hold: Hold, change: Change): Promise<void>;
  /** Replaces a hold by its released form; false when it was released before. */
  releaseHold(hold: Hold, change: Change): Promise<boolean>;
  findHold(id: string): Promise<Hold | null>;
  /** In force, oldest first. */
  loadHolds(): Promise<readonly Hold[]>;
  /** All, newest first. */
  listHolds(cursor: string | null, limit: number): Promise<Page<Hold>>;
  treeHead(): Promise<TreeHead>;
  /** The root when the tree had so many leaves; null when it has fewer. */
  rootAt(size: number): Promise<string | null>;
  /** The leaf of a record or a change; null when there is none. */
  leafOf(id: string): Promise<KeptLeaf | null>;
  leavesFrom(from: number, leavesMax: number): Promise<readonly KeptLeaf[]>;
  inclusionPath(index: number, size: number): Promise<readonly string[]>;
  consistencyPath(from: number, to: number): Promise<readonly string[]>;
  /** A second one of the same size is not kept. */
  saveCheckpoint(checkpoint: KeptCheckpoint): Promise<void>;
  /** Newest first. */
  loadCheckpoints(checkpointsMax: number): Promise<readonly KeptCheckpoint[]>;
  /** Takes off what refers to entries that are gone, so that writing can go on from the end that is there. */
  mendLedger(): Promise<void>;
  /** Null for a stream that never sent anything. */
  loadStream(name: string): Promise<StreamPosition | null>;
  saveStream(name: string, position: StreamPosition): Promise<void>;
  /** From now on every write is refused, or taken again. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  /** The key that signs checkpoints; the one that was made is kept when there is none. */
  ledgerKey(made: string): Promise<string>;
  /** The name of the ledger in its checkpoints; the one that was made is kept when there is none. */
  ledgerOrigin(made: string): Promise<string>;
  appendChange(change: Change): Promise<void>;
  /** Newest first; of some kinds, or of all. */
  listChanges(cursor: string | null, limit: number, kinds?: readonly ChangeKind[]): Promise<Page<Change>>;
  /** How many records there are of a kind. */
  countRecords(filter: Omit<RecordFilter, 'limit' | 'cursor'>): Promise<number>;
  /** Counts some records, the newest first: a part at a time, so that writing goes on between parts. */
  tallyRecords(asked: TallyAsked): Promise<TallyPart>;
  /** How targets did, as some records tell, a part at a time. */
  tallyTargets(asked: Omit<TallyAsked, 'by'>): Promise<WindowsPart>;
  /** All or none; false when one of them no longer has the revision it is based on. */
  saveIncidents(writes: readonly IncidentWrite[], change: Change): Promise<boolean>;
  findIncident(id: string): Promise<Incident | null>;
  /** Newest first; `states` null for all. */
  listIncidents(
    states: readonly IncidentState[] | null,
    cursor: string | null,
    limit: number,
  ): Promise<Page<Incident>>;
  /** In the order written, the first `timelineEntriesMax`. */
  timeline(id: IncidentId): Promise<readonly TimelineEntry[]>;
  /** Adds requests found later; records bring theirs along. The same twice is kept once. */
  addHits(hits: readonly Hit[]): Promise<void>;
  /** Requests of an incident in the order they came. */
  listHits(id: IncidentId, filter: HitFilter, cursor: string | null, limit: number): Promise<Page<Hit>>;
  countHits(id: IncidentId): Promise<readonly HitCount[]>;
  /** Requests of an incident after one of them, a few thousand at a time: a line each, its id and how it was hit. */
  hitLines(id: IncidentId, after: string | null): Promise<HitLines>;
  /** The incidents of each of some requests; those without any are left out. */
  incidentsOf(requests: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  insertSwitch(entry: Switch, change: Change): Promise<void>;
  /** Replaces a switch by its released form when its revision is still `rev`. */
  releaseSwitch(entry: Switch, rev: number, change: Change): Promise<ReleaseOutcome>;
  /** Those that are not released. */
  loadSwitches(): Promise<readonly Switch[]>;
  findSwitch(id: SwitchId): Promise<Switch | null>;
  insertKey(key: ApiKey, change: Change): Promise<void>;
  revokeKey(id: KeyId, at: Instant, change: Change): Promise<boolean>;
  loadKeys(): Promise<readonly ApiKey[]>;
  adminTokenHash(): Promise<string | null>;
  setAdminTokenHash(hash: string, change: Change): Promise<void>;
  /** Made once per store and kept; keys the fingerprints. */
  fingerprintKey(): Promise<string>;
  saveSnapshot(hash: string, text: string, at: Instant): Promise<void>;
  findSnapshot(hash: string): Promise<string | null>;
  /** Writes intervals; one of the same feature that began at the same time is replaced. */
  saveStatus(intervals: readonly StatusInterval[]): Promise<void>;
  /** Intervals that were not over before an instant, oldest first, the newest `intervalsMax` at most. */
  loadStatus(since: Instant, intervalsMax: number): Promise<readonly StatusInterval[]>;
  /** Deletes intervals that were over before an instant; says how many. */
  pruneStatus(before: Instant): Promise<number>;
  /** Changes that nobody was told of yet, oldest first. */
  loadOutbox(changesMax: number): Promise<readonly Change[]>;
  /** Takes changes out of the outbox and keeps the deliveries they lead to; a second one of a bulletin to a channel is not. */
  planDeliveries(changes: readonly ChangeId[], deliveries: readonly Delivery[]): Promise<void>;
  /** Channels with pending deliveries whose time has come. */
  loadDueChannels(now: Instant): Promise<readonly string[]>;
  /** A channel's pending deliveries whose time has come, the longest due first. */
  loadDueDeliveries(channel: string, now: Instant, deliveriesMax: number): Promise<readonly Delivery[]>;
  saveDelivery(delivery: Delivery, change: Change | null): Promise<void>;
  insertMessage(message: Message, change: Change): Promise<void>;
  /** What users were told, or were not to be told, of an incident; oldest first. */
  loadMessages(incident: string): Promise<readonly Message[]>;
  findDelivery(id: string): Promise<Delivery | null>;
  listDeliveries(filter: DeliveryFilter): Promise<Page<Delivery>>;
  /** Deletes those that are over and were made before an instant; says how many. */
  pruneDeliveries(before: Instant): Promise<number>;
  /** Replaces what was kept of these targets' gates. */
  saveGates(gates: readonly StoredGate[]): Promise<void>;
  /** What was kept at an instant or later. */
  loadGates(since: Instant): Promise<readonly StoredGate[]>;
  /** The same for what canaries have found these targets' answers to be like. */
  saveCanaries(canaries: readonly StoredGate[]): Promise<void>;
  loadCanaries(since: Instant): Promise<readonly StoredGate[]>;
  /** Keeps that a consent token was used, with the agreement it left; the same token again is replaced. */
  saveConsent(entry: KeptConsent): Promise<void>;
  /** Those that are not over at an instant. */
  loadConsents(now: Instant): Promise<readonly KeptConsent[]>;
  /** Deletes those that are over; says how many. */
  pruneConsents(now: Instant): Promise<number>;
  /** What keys have spent; a key's newer sum replaces the older. */
  saveSpending(spent: readonly Spent[]): Promise<void>;
  loadSpending(): Promise<readonly Spent[]>;
  /** False, and nothing is written, when the run has moved on elsewhere. */
  saveRun(write: RunWrite): Promise<boolean>;
  /** Runs that have not ended. */
  loadRuns(): Promise<readonly Run[]>;
  findRun(id: string): Promise<Run | null>;
  /** Newest first. */
  listRuns(playbook: string | null, cursor: string | null, limit: number): Promise<Page<Run>>;
  /** Texts of playbooks that were handed in. */
  loadPlaybooks(): Promise<readonly string[]>;
  savePlaybook(name: string, text: string, change: Change): Promise<void>;
  removePlaybook(name: string, change: Change): Promise<boolean>;
  close(): Promise<void>;
};

/** What the owner of a store does beside its verbs. */
export type StoreCare = {
  /** What traffic needs when the store cannot be read, as text: keys, switches, holds. */
  readonly standby: () => Promise<string>;
  /** Tries to open for writing what could not be; says why it still cannot be, null when it is. */
  readonly reopen: () => Promise<string | null>;
  /** Moves the damaged files aside and begins a new store with what is known; says where they are. */
  readonly startAfresh: (at: Instant) => Promise<string>;
};

export type StoreOpened =
  | {
      readonly kind: 'opened';
      readonly store: Store;
      /** Why it cannot be read, and whether there was a copy of what traffic needs; null as it should be. */
      readonly damage: { readonly words: string; readonly isKnown: boolean } | null;
      /** Null for one in memory. */
      readonly care: StoreCare | null;
      /** What an unfinished write had left at the end, taken off; nothing of it was acknowledged. */
      readonly cutBytes: number;
    }
  | { readonly kind: 'failed'; readonly message: string };
