/**
 * Structured logs: one JSON line an event, of a closed list of events with typed fields. There is no event that could
 * carry a prompt, an answer, a provider's message or a secret. An event that repeats is let through only so often; how
 * many were held back is said when the minute is over.
 */
import type { WarningSignal } from '../core/evidence.ts';
import type { IncidentState } from '../core/incident.ts';

export type LogEvent =
  | {
      readonly event: 'ready';
      readonly address: string;
      readonly adminAddress: string;
      readonly statusAddress: string;
      readonly snapshot: string;
      readonly providers: number;
      readonly features: number;
      /** From the opening of the store until all that was under way is taken up again. */
      readonly recoveryMs: number;
    }
  | { readonly event: 'stopping' | 'stopped' }
  | { readonly event: 'admin_token'; readonly origin: 'environment' | 'stored' | 'made' }
  | { readonly event: 'config_loaded'; readonly snapshot: string; readonly warnings: number }
  /** What a restart puts in force, and a reload does not. */
  | { readonly event: 'config_waits'; readonly settings: readonly string[] }
  | { readonly event: 'config_rejected'; readonly kept: string; readonly problems: readonly string[] }
  | {
      readonly event: 'gate';
      readonly target: string;
      readonly from: string;
      readonly to: string;
      readonly words: string;
    }
  | {
      readonly event: 'quality';
      readonly target: string;
      readonly signal: WarningSignal;
      readonly to: 'warned' | 'cleared';
      readonly words: string;
    }
  | { readonly event: 'agreement'; readonly words: string }
  | { readonly event: 'egress_suspected'; readonly target: string; readonly words: string }
  | {
      readonly event: 'identity';
      readonly target: string;
      readonly what: 'model' | 'fingerprint';
      readonly value: string;
    }
  | {
      readonly event: 'switch';
      readonly action: 'created' | 'released' | 'expired';
      readonly id: string;
      readonly scope: string;
      readonly actor: string;
    }
  /** A write that was not finished when the process or the machine stopped was taken off; the last whole one stands. */
  | { readonly event: 'store'; readonly trouble: 'unfinished_write'; readonly bytes: number }
  /** Something that was to be read or written beside records could not be. */
  | {
      readonly event: 'store';
      readonly trouble: 'unavailable';
      readonly reason: 'busy' | 'failed' | 'closed' | 'read_only';
    }
  | {
      readonly event: 'ledger';
      readonly standing: 'sound' | 'truncated' | 'forked' | 'unwritable' | 'damaged';
      readonly words: string;
    }
  | {
      readonly event: 'checkpoint';
      readonly holder: 'file' | 'webhook' | 's3';
      readonly size: number;
      readonly trouble: string;
    }
  | {
      readonly event: 'records';
      readonly trouble:
        | 'dropped'
        | 'store_failed'
        | 'store_slow'
        | 'spool_full'
        | 'spool_failed'
        | 'spool_unusable'
        | 'spool_cut'
        | 'spool_found'
        | 'withheld'
        | 'caught_up';
      /** Records; of `spool_cut` bytes. */
      readonly count: number;
    }
  | { readonly event: 'content'; readonly trouble: 'lost'; readonly count: number }
  | {
      readonly event: 'unclassified_failure';
      readonly target: string;
      readonly status: number | null;
      readonly code: string | null;
    }
  | { readonly event: 'status_copy'; readonly words: string }
  | {
      readonly event: 'delivery';
      readonly id: string;
      readonly channel: string;
      readonly state: 'pending' | 'dead';
      readonly attempts: number;
      readonly words: string;
    }
  | { readonly event: 'channel'; readonly channel: string; readonly words: string }
  | {
      readonly event: 'incident';
      readonly action: 'opened' | 'joined' | IncidentState;
      readonly id: string;
    }
  | { readonly event: 'playbook'; readonly action: 'unreadable' | 'stale' | 'unfit'; readonly words: string }
  | { readonly event: 'feed'; readonly provider: string; readonly status: string }
  | { readonly event: 'stream'; readonly stream: string; readonly trouble: string }
  | { readonly event: 'bug'; readonly name: string; readonly place: string }
  | { readonly event: 'suppressed'; readonly of: LogEvent['event']; readonly count: number };

export type LogLevel = 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, event: LogEvent) => void;

/** Lines of one event a minute. */
export const repeatsMax = 60;
const windowMs = 60_000;

export function createLog(write: (line: string) => void, now: () => number): Log {
  const seen = new Map<LogEvent['event'], { since: number; count: number }>();
  const line = (level: LogLevel, event: LogEvent): void =>
    write(`${JSON.stringify({ at: new Date(now()).toISOString(), level, ...event })}\n`);
  return (level, event) => {
    const at = now();
    const known = seen.get(event.event);
    if (known === undefined || at - known.since >= windowMs) {
      if (known !== undefined && known.count > repeatsMax)
        line('warn', { event: 'suppressed', of: event.event, count: known.count - repeatsMax });
      seen.set(event.event, { since: at, count: 1 });
      line(level, event);
      return;
    }
    known.count++;
    if (known.count <= repeatsMax) line(level, event);
  };
}

/** What may be said of a bug: its kind and the first place of ours in its stack, never its message, which may quote input. */
export function bugPlace(error: unknown): { readonly name: string; readonly place: string } {
  if (!(error instanceof Error)) return { name: typeof error, place: 'unknown' };
  const place =
    /\((?:file:\/\/)?[^()]*?((?:src|test|bench)\/[\w./-]+:\d+)/.exec(error.stack ?? '')?.[1] ??
    /((?:src|test|bench)\/[\w./-]+:\d+)/.exec(error.stack ?? '')?.[1];
  return { name: error.name, place: place ?? 'unknown' };
}
