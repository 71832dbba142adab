/** What a simulated provider can be told to do wrong, and which calls it applies to. */
import { seededRandom, textSeed } from './random.ts';

/** Errors by name, each vendor in its own words. */
export type Preset =
  | 'overloaded'
  | 'server_error'
  | 'rate_limited'
  | 'quota_exhausted'
  | 'credential_rejected'
  | 'model_not_found'
  | 'context_exceeded'
  | 'request_rejected'
  | 'content_refused'
  | 'edge_page';

export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A vendor's own error, with its own body. */
  | { readonly kind: 'preset'; readonly preset: Preset; readonly headers?: Readonly<Record<string, string>> }
  /** What comes before headers ends with its rule: whoever takes it away lets the call go on. */
  | {
      readonly kind: 'delay';
      readonly beforeHeadersMs?: number;
      readonly beforeFirstTokenMs?: number;
      readonly betweenTokensMs?: number;
    }
  /** Says nothing more, and stays connected. */
  | {
      readonly kind: 'hang';
      readonly where: 'headers' | 'first_token' | 'after_events';
      readonly events?: number;
    }
  /** `afterEvents` counts content events; with neither, before any header. */
  | {
      readonly kind: 'cut';
      readonly how: 'reset' | 'fin';
      readonly afterEvents?: number;
      readonly afterBytes?: number;
    }
  | {
      readonly kind: 'error_event';
      readonly afterEvents: number;
      readonly thenDone?: boolean;
      readonly type?: string;
    }
  | { readonly kind: 'missing_terminal'; readonly keepFinish: boolean }
  | { readonly kind: 'malformed_event'; readonly atEvent: number }
  | { readonly kind: 'one_byte_writes' }
  | { readonly kind: 'split_utf8' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'bad_tool_call' }
  /** Tool calls and structured answers parse, and do not fit their schema. */
  | { readonly kind: 'misfit' }
  /** Other weights behind the same name: it says other things, and less. */
  | { readonly kind: 'other_answers' }
  /** What it says of the machines behind it, where its API has a word for that. */
  | { readonly kind: 'fingerprint'; readonly fingerprint: string }
  | { readonly kind: 'wrong_model'; readonly model: string }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'not_json' };

export type FaultRule = {
  readonly id: string;
  readonly provider?: string;
  /** May hold `*`. */
  readonly model?: string;
  readonly key?: string;
  /** Share of matching calls it hits; default 1. */
  readonly rate?: number;
  /** Only the first so many calls it hits. */
  readonly times?: number;
  readonly fault: Fault;
};

export type CallFacts = { readonly provider: string; readonly model: string; readonly key: string | null };

const rulesMax = 1_000;

type Entry = {
  readonly rule: FaultRule;
  readonly random: () => number;
  readonly lifted: PromiseWithResolvers<void>;
  hits: number;
};

function fits(pattern: string | undefined, value: string | null): boolean {
  if (pattern === undefined) return true;
  if (value === null) return false;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === value;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length >= at + last.length && value.endsWith(last);
}

export type NewFaultRule = Omit<FaultRule, 'id'> & { readonly id?: string };

export type FaultBook = {
  set(rule: NewFaultRule): string;
  remove(id: string): boolean;
  clear(): void;
  list(): readonly FaultRule[];
  /** The faults that hit this call; counts them. */
  hit(call: CallFacts): readonly Fault[];
  /** Resolves when the rule that orders this fault is taken away. */
  lifted(fault: Fault): Promise<void>;
};

/** Each rule has a chance of its own, so that adding one rule does not change whom another hits. */
export function createFaultBook(seed: number): FaultBook {
  const rules = new Map<string, Entry>();
  let made = 0;
  const remove = (id: string): boolean => {
    rules.get(id)?.lifted.resolve();
    return rules.delete(id);
  };
  return {
    set(rule) {
      if (rules.size >= rulesMax && !rules.has(rule.id ?? ''))
        throw new Error(`more than ${rulesMax} fault rules`);
      made++;
      const id = rule.id ?? `fault_${made}`;
      remove(id);
      const random = seededRandom(seed ^ textSeed(id));
      rules.set(id, { rule: { ...rule, id }, random, lifted: Promise.withResolvers(), hits: 0 });
      return id;
    },
    remove,
    clear: () => {
      for (const id of rules.keys()) remove(id);
    },
    list: () => [...rules.values()].map(({ rule }) => rule),
    hit(call) {
      const faults: Fault[] = [];
      for (const entry of rules.values()) {
        const { rule } = entry;
        if (!fits(rule.provider, call.provider) || !fits(rule.model, call.model) || !fits(rule.key, call.key))
          continue;
        if (rule.times !== undefined && entry.hits >= rule.times) continue;
        if (rule.rate !== undefined && entry.random() >= rule.rate) continue;
        entry.hits++;
        faults.push(rule.fault);
      }
      return combined(faults);
    },
    async lifted(fault) {
      await [...rules.values()].find(({ rule }) => rule.fault === fault)?.lifted.promise;
    },
  };
}

type Ending = Extract<
  Fault['kind'],
  'status' | 'preset' | 'hang' | 'cut' | 'error_event' | 'missing_terminal' | 'not_json'
>;

/** Whether a fault decides how a call ends. */
function isEnding(fault: Fault): fault is Extract<Fault, { kind: Ending }> {
  switch (fault.kind) {
    case 'status':
    case 'preset':
    case 'hang':
    case 'cut':
    case 'error_event':
    case 'missing_terminal':
    case 'not_json':
      return true;
    case 'delay':
    case 'malformed_event':
    case 'one_byte_writes':
    case 'split_utf8':
    case 'empty':
    case 'bad_tool_call':
    case 'misfit':
    case 'other_answers':
    case 'fingerprint':
    case 'wrong_model':
    case 'refusal':
      return false;
  }
}

/** The faults of one call: the first one that ends it, and all that only slow it down or change how it reads. */
function combined(hits: readonly Fault[]): readonly Fault[] {
  const ending = hits.find(isEnding);
  return hits.filter((fault) => fault === ending || !isEnding(fault));
}

export type Delays = {
  readonly beforeFirstTokenMs: number;
  readonly betweenTokensMs: number;
};

/** Delays within an answer, which add up. */
export function delaysOf(faults: readonly Fault[]): Delays {
  const sum = { beforeFirstTokenMs: 0, betweenTokensMs: 0 };
  for (const fault of faults) {
    if (fault.kind !== 'delay') continue;
    sum.beforeFirstTokenMs += fault.beforeFirstTokenMs ?? 0;
    sum.betweenTokensMs += fault.betweenTokensMs ?? 0;
  }
  return sum;
}

/** The one fault of a kind among those that hit, if any. */
export function faultOf<K extends Fault['kind']>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | null {
  const found = faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
  return found ?? null;
}
