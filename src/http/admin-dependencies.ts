/** What the admin API stands on, handed in by the composition root. */
import type { Canary } from '../core/canary.ts';
import type { KeyCreated } from '../control/keys.ts';
import type { IncidentRead } from '../control/incident-queries.ts';
import type { Erased, Proof, Standing } from '../control/ledger.ts';
import type { Action, PlaybookGiven, Shelved, Started as PlaybookStarted } from '../control/playbooks.ts';
import type { Content } from '../control/content.ts';
import type { Rejected, Result, Revising } from '../control/verb.ts';
import type { ReplayResult } from '../core/playbook-replay.ts';
import type { Run } from '../core/playbook-run.ts';
import type { Channel } from '../core/configure-channels.ts';
import type { FeatureCoverage } from '../core/coverage.ts';
import type { Delivery } from '../core/delivery.ts';
import type { Incident } from '../core/incident.ts';
import type { Draft } from '../control/messages.ts';
import type { Message } from '../core/message.ts';
import type { Replayed } from '../core/gate-replay.ts';
import type { Hold } from '../core/hold.ts';
import type { Instant } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import type { Change } from '../core/record.ts';
import type { ChangeCategory } from '../core/what-changed.ts';
import type { ContinuityReport } from '../core/report-continuity.ts';
import type { SlaReport } from '../core/report-sla.ts';
import type { Preview } from '../core/preview.ts';
import type { Scope, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { DeliveryFilter, Page, Store } from '../control/queries.ts';
import type { Role } from './roles.ts';
import type { Json } from './wire.ts';

export type GateTest = {
  readonly since: Instant;
  readonly until: Instant;
  readonly records: number;
  /** There are more records than were looked at; `since` is where those begin. */
  readonly isCut: boolean;
  readonly current: readonly Replayed[];
  /** Null when no gate was proposed. */
  readonly proposed: readonly Replayed[] | null;
};

export type GateWord = { readonly name: string; readonly input: unknown };

export type ExplainInput = {
  readonly feature?: string | undefined;
  readonly model?: string | undefined;
  readonly data_class?: string | undefined;
  readonly key?: string | undefined;
  readonly needs?: readonly string[] | Readonly<Record<string, boolean>> | undefined;
  readonly input_tokens?: number | undefined;
};
export type Explained =
  | { readonly kind: 'explained'; readonly value: Json }
  | { readonly kind: 'invalid'; readonly message: string };

type IncidentVerb = (telling: Revising, actor: string) => Promise<Result<Incident>>;

/** `intact`: whether its text is the one that was in force, by its hash; null where that cannot be told. */
export type KeptSnapshot = { readonly text: string; readonly intact: boolean | null };

export type AdminDependencies = {
  readonly now: () => Instant;
  /** The role a token holds; null when it is not known. */
  readonly roleOf: (token: string) => Role | null;
  /** Writes down that a change was tried and rejected. */
  readonly recordRejection: (message: string, facts: Rejected) => Promise<void>;
  readonly onBug: (error: unknown) => void;
  readonly store: Pick<
    Store,
    | 'findRecord'
    | 'listRecords'
    | 'tallyRecords'
    | 'listChanges'
    | 'loadKeys'
    | 'incidentsOf'
    | 'listIncidents'
    | 'listHits'
    | 'countHits'
    | 'findIncident'
  >;
  readonly incidents: {
    /** An incident with its timeline and what it did to requests; null when there is none. */
    readonly read: (id: string) => Promise<IncidentRead | null>;
    readonly open: (input: unknown, actor: string) => Promise<Result<Incident>>;
    readonly update: IncidentVerb;
    readonly merge: IncidentVerb;
    readonly split: IncidentVerb;
    readonly dismiss: IncidentVerb;
  };
  readonly state: () => Json;
  /** Whom we ask fixed questions, and what was found. */
  readonly canaries: () => readonly {
    readonly target: string;
    readonly canary: Canary;
    readonly dueAt: Instant;
  }[];
  readonly insight: {
    /** Null when there is no such feature. */
    readonly diagnose: (feature: string | null) => Promise<Diagnosis | null>;
    /** Null when there is no such incident. */
    readonly postmortem: (id: string) => Promise<string | null>;
    readonly whatChanged: (asked: {
      readonly since: Instant | null;
      readonly until: Instant | null;
      readonly category: ChangeCategory | null;
      readonly limit: number;
    }) => Promise<readonly { readonly change: Change; readonly category: ChangeCategory }[]>;
  };
  readonly switches: {
    readonly list: () => readonly Switch[];
    readonly find: (id: string) => Promise<Switch | null>;
    readonly create: (input: unknown, actor: string) => Promise<Result<Switch>>;
    /** What it would do to the traffic of the last minutes; nothing is changed. */
    readonly preview: (input: unknown) => Promise<Result<Preview>>;
    readonly release: (releasing: Revising, actor: string) => Promise<Result<Switch>>;
    /** Targets that a scope covers today. */
    readonly expand: (scope: Scope) => readonly string[];
    /** Replicas that have every switch in force. */
    readonly acks: () => readonly Json[];
  };
  readonly gates: {
    readonly list: () => readonly Json[];
    readonly view: (target: Target) => Json;
    /** Resolves when what gates have decided is on disk: what was shown must not be forgotten by a kill. */
    readonly settled: () => Promise<void>;
    readonly test: (input: unknown) => Promise<Result<GateTest>>;
    readonly hold: (word: GateWord, actor: string) => Promise<Result<Target>>;
    readonly giveBack: (word: GateWord, actor: string) => Promise<Result<Target>>;
  };
  readonly keys: {
    readonly create: (input: unknown, actor: string) => Promise<Result<KeyCreated>>;
    readonly revoke: (revoking: Revising, actor: string) => Promise<Result<ApiKey>>;
  };
  readonly playbooks: {
    readonly list: () => readonly Shelved[];
    readonly runs: () => readonly Run[];
    readonly save: (given: PlaybookGiven) => Promise<Result<Shelved>>;
    readonly run: (name: string, input: unknown, actor: string) => Promise<Result<PlaybookStarted>>;
    /** Null when there is no such playbook. */
    readonly test: (name: string) => Promise<readonly ReplayResult[] | null>;
    readonly history: (playbook: string | null, cursor: string | null, limit: number) => Promise<Page<Run>>;
    readonly find: (id: string) => Promise<Run | null>;
    readonly tell: (
      id: string,
      action: Action,
      given: { readonly input: unknown; readonly actor: string; readonly rev: number | null },
    ) => Promise<Result<Run>>;
  };
  /** A static copy of the status site: path → text. */
  readonly statusCopy: () => ReadonlyMap<string, string>;
  readonly messages: {
    readonly list: (incident: string) => Promise<readonly Message[]>;
    readonly preview: (incident: string, input: unknown) => Promise<Result<Draft>>;
    readonly publish: (incident: string, input: unknown, actor: string) => Promise<Result<Message>>;
    readonly suppress: (incident: string, input: unknown, actor: string) => Promise<Result<Message>>;
  };
  readonly channels: {
    readonly list: () => Promise<readonly { readonly channel: Channel; readonly goneAt: Instant | null }[]>;
    readonly test: (name: string, actor: string) => Promise<Result<Delivery>>;
    readonly replay: (id: string, actor: string) => Promise<Result<Delivery>>;
    readonly deliveries: (filter: DeliveryFilter) => Promise<Page<Delivery>>;
  };
  readonly ledger: {
    /** The public key, as text. */
    readonly key: string;
    readonly standing: () => { readonly kind: Standing['kind']; readonly words: string };
    /** A signed note over the ledger as it is now. */
    readonly checkpoint: () => Promise<string>;
    readonly prove: (id: string) => Promise<Proof | null>;
    readonly proveConsistency: (from: number) => Promise<string | null>;
    readonly exportLedger: () => AsyncGenerator<string>;
    readonly acknowledge: (input: unknown, actor: string) => Promise<Result<Standing>>;
    readonly eraseUser: (input: unknown, actor: string) => Promise<Result<Erased>>;
  };
  readonly holds: {
    readonly list: (cursor: string | null, limit: number) => Promise<Page<Hold>>;
    readonly place: (input: unknown, actor: string) => Promise<Result<Hold>>;
    readonly release: (releasing: Revising, actor: string) => Promise<Result<Hold>>;
  };
  readonly content: {
    /** What was captured of a request. That somebody looked is written down first, and that somebody may not, too. */
    readonly read: (id: string, input: unknown, actor: string) => Promise<Result<Content>>;
    /** Looks and refused looks, at one request or at all, newest first. */
    readonly looks: (request: string | null, cursor: string | null, limit: number) => Promise<Page<Change>>;
  };
  readonly reports: {
    readonly continuity: () => Promise<ContinuityReport>;
    /** Of a month, this one for null; null when it is no month. */
    readonly sla: (month: string | null) => Promise<SlaReport | null>;
  };
  readonly config: {
    readonly view: () => Json;
    /** One that was in force; null when there was none. */
    readonly snapshot: (hash: string) => Promise<KeptSnapshot | null>;
    readonly check: (text: string) => Json;
  };
  readonly explain: (input: ExplainInput) => Explained;
  readonly coverage: () => readonly FeatureCoverage[];
};
