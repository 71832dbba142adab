/**
 * The compiled configuration: immutable, indexed, read by the data plane without waiting for anything.
 * `policy.ts` makes it; a new one replaces the old one whole.
 */
import type { AuditSettings } from './configure-audit.ts';
import type { TargetAdaptation } from './adaptation.ts';
import type { CanarySettings } from './configure-canaries.ts';
import type { Channel } from './configure-channels.ts';
import type { StatusPageSettings } from './configure-status.ts';
import type { MessageSettings } from './message.ts';
import type { Agreement } from './agreement.ts';
import type { NonEmpty, TargetName } from './ids.ts';
import type { Capability, Hop, Model, Provider, Target } from './target.ts';

export type FallbackMode = 'auto' | 'notify' | 'ask' | 'never' | 'reduce';
export const fallbackModes = [
  'auto',
  'notify',
  'ask',
  'never',
  'reduce',
] as const satisfies readonly FallbackMode[];

export type Priority = 'critical' | 'normal' | 'sheddable';

export type Timeouts = {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly stallMs: number;
  readonly totalMs: number;
};

export const defaultTimeouts: Timeouts = {
  connectMs: 3_000,
  firstTokenMs: 10_000,
  stallMs: 15_000,
  totalMs: 120_000,
};

export type Needs = { readonly capabilities: ReadonlySet<Capability>; readonly contextTokens: number };

export type Feature = {
  readonly name: string;
  readonly title: string;
  readonly route: NonEmpty<Target>;
  readonly fallback: Readonly<Record<Hop, FallbackMode>>;
  /** The class of a request that names none; null when the feature has no default. */
  readonly dataClass: string | null;
  /** Models a user may pick. */
  readonly models: ReadonlySet<string>;
  readonly needs: Needs;
  readonly timeouts: Timeouts;
  readonly priority: Priority;
  /** Share of requests that goes to the first backup, as a fraction of 1. */
  readonly warmShare: number;
  /** When and how often a silent stream is asked of a second target too; null for never. */
  readonly hedge: { readonly afterMs: number; readonly budget: number } | null;
  /** Which of several hosts of one model goes first. */
  readonly equals: 'order' | 'price' | 'room';
  /** What happens when an answer breaks off in the middle. */
  readonly midStream: 'error' | 'continue';
  readonly adapt: ReadonlyMap<TargetName, TargetAdaptation>;
  readonly expect: readonly Expectation[];
  /** Availabilities as shares of 1: what is aimed at, what customers are promised. */
  readonly sla: { readonly availability: number | null; readonly promised: number | null };
};

/** A continuity claim: the feature still answers when this scope is lost. */
export type Expectation =
  | {
      readonly kind: 'survives';
      readonly scope: {
        readonly provider?: string;
        readonly vendor?: string;
        readonly family?: string;
        readonly model?: string;
        readonly region?: string;
      };
    }
  | { readonly kind: 'never_leaves_region'; readonly region: string };

/** What a data class accepts; null means "not limited". */
export type DataClass = {
  readonly name: string;
  readonly training: 'no' | null;
  readonly retentionDaysMax: number | null;
  readonly regions: ReadonlySet<string> | null;
  readonly entities: ReadonlySet<string> | null;
  /** Content of this class is never captured. */
  readonly noCapture?: true;
};

/** A class that requests have whatever their callers say. */
export type DataRule = {
  readonly match: { readonly feature?: string; readonly tenant?: string; readonly key?: string };
  readonly dataClass: string;
};

export type GateRule = {
  /** Who stands behind it; null when nobody signed. */
  readonly agreed: Agreement | null;
  readonly match: {
    readonly provider?: string;
    readonly vendor?: string;
    readonly family?: string;
    readonly model?: string;
    readonly target?: string;
  };
  /** Failure rates as fractions of 1. */
  readonly budget: number;
  readonly breach: number;
  /** How often noise may trip it, per target. */
  readonly falseAlarm: { readonly count: number; readonly perMs: number };
  /** Slow first tokens count like failures when this is agreed; null: what is slow is learned, and sheds at most. */
  readonly latency: { readonly firstTokenMs: number; readonly breach: number } | null;
  readonly mode: 'observe' | 'warn' | 'enforce';
  readonly restore: {
    readonly probeEveryMs: number;
    readonly ramp: readonly number[];
    readonly holdMs: number;
  };
};

/** What holds for a target that no gate was written for. */
export const defaultGate: GateRule = {
  agreed: null,
  match: {},
  budget: 0.005,
  breach: 0.2,
  falseAlarm: { count: 1, perMs: 30 * 86_400_000 },
  latency: null,
  mode: 'enforce',
  restore: { probeEveryMs: 5_000, ramp: [0.01, 0.1, 0.5, 1], holdMs: 30_000 },
};

export type Limits = {
  readonly bodyBytesMax: number;
  readonly jsonDepthMax: number;
  readonly requestsMax: number;
  readonly attemptsMax: number;
  readonly retryAfterMaxMs: number;
  readonly bodyPauseMs: number;
  readonly answerBytesMax: number;
  readonly eventBytesMax: number;
  readonly keepAliveMs: number;
  /** Longest wait before a streamed answer's headers are sent without a commit, so that callers' timeouts do not fire. */
  readonly holdHeadersMs: number;
};

export type Snapshot = {
  /** First 16 hex digits of the SHA-256 of the configuration it was compiled from. */
  readonly hash: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Null: where everything listens. */
  readonly adminListen: { readonly host: string; readonly port: number } | null;
  readonly statusListen: { readonly host: string; readonly port: number } | null;
  readonly store: string;
  /** Where playbooks are: `./playbooks/*.yaml`, beside the configuration. */
  readonly playbooks: string | null;
  readonly audit: AuditSettings;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Every target that configuration or catalogue names. */
  readonly targets: ReadonlyMap<TargetName, Target>;
  readonly features: ReadonlyMap<string, Feature>;
  /** Every known model by its own name and by each alias. */
  readonly models: ReadonlyMap<string, Model>;
  /** What else a model is called in the entries of all providers, by its own name. */
  readonly aliases: ReadonlyMap<string, ReadonlySet<string>>;
  /** Targets that serve a model, by the model's own name, in configuration order. */
  readonly targetsByModel: ReadonlyMap<string, readonly Target[]>;
  readonly dataClasses: ReadonlyMap<string, DataClass>;
  readonly dataRules: readonly DataRule[];
  /** How long an offer may be taken up. */
  readonly consentMs: number;
  readonly gates: readonly GateRule[];
  /** Null: nobody is asked fixed questions. */
  readonly canaries: CanarySettings | null;
  readonly limits: Limits;
  readonly statusPage: StatusPageSettings;
  readonly messages: MessageSettings;
  readonly channels: ReadonlyMap<string, Channel>;
  /** The policy of requests that name no feature. Its route is found per model. */
  readonly defaults: Omit<Feature, 'route' | 'models'>;
};

/** Something wrong with a configuration, at a path into the document. */
export type Problem = {
  /** Keys and indexes from the root: `['features', 'notes', 'route', 0]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  readonly severity: 'error' | 'warning';
};

/** Takes a problem down; compilation goes on, so that all are found. */
export type Report = (problem: Problem) => void;
