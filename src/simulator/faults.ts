/** What a simulated provider can be told to do wrong, and which calls it applies to. */
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

function fits(pattern: string | undefined, value: string | null): boolean {
  if (pattern === undefined) return true;
  if (value === null) return false;
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === value;
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  return (
    value.length >= first.length + last.length &&
    value.startsWith(first) &&
    value.endsWith(last) &&
    rest.every((part) => value.includes(part))
  );
}

export type FaultBook = {
  set(rule: Omit<FaultRule, 'id'> & { readonly id?: string }): string;
  remove(id: string): void;
  clear(): void;
  list(): readonly FaultRule[];
  /** The faults that hit this call; counts them. */
  hit(call: CallFacts): readonly Fault[];
};

export function createFaultBook(random: () => number): FaultBook {
  const rules = new Map<string, { readonly rule: FaultRule; hits: number }>();
  let made = 0;
  return {
    set(rule) {
      if (rules.size >= rulesMax) throw new Error(`more than ${rulesMax} fault rules`);
      made++;
      const id = rule.id ?? `fault_${made}`;
      rules.set(id, { rule: { ...rule, id }, hits: 0 });
      return id;
    },
    remove: (id) => void rules.delete(id),
    clear: () => rules.clear(),
    list: () => [...rules.values()].map(({ rule }) => rule),
    hit(call) {
      const faults: Fault[] = [];
      for (const entry of rules.values()) {
        const { rule } = entry;
        if (!fits(rule.provider, call.provider) || !fits(rule.model, call.model) || !fits(rule.key, call.key))
          continue;
        if (rule.times !== undefined && entry.hits >= rule.times) continue;
        if (rule.rate !== undefined && random() >= rule.rate) continue;
        entry.hits++;
        faults.push(rule.fault);
      }
      return faults;
    },
  };
}

/** The one fault of a kind among those that hit, if any. */
export function faultOf<K extends Fault['kind']>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | null {
  const found = faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
  return found ?? null;
}
