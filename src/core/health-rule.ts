/**
 * The numbers a gate works by: what was agreed (`budget`, `breach`, `falseAlarm`, `latency`, `restore`) beside what is
 * ours to choose. One value per target, made from its gate when the configuration is read, so that judging evidence
 * looks nothing up. It refuses to hold state: everything here may be replaced between two pieces of evidence.
 */
import type { Agreement } from './detector.ts';
import type { GateRule } from './snapshot.ts';

export type HealthRule = {
  readonly failures: Agreement;
  readonly slowness: Agreement;
  /** The agreed limit for the first token; null: it is learned, and being slow sheds but is never declared. */
  readonly firstTokenMs: number | null;
  /** False while unrelated providers fail together: then we suspect ourselves, and nothing is declared. */
  readonly mayDeclare: boolean;
  /** How long trouble must at least last before it is believed: longer than the hiccups that providers have every day. */
  readonly sustainMs: number;
  /** First and longest wait before a target that is out is asked again. */
  readonly holdMs: number;
  readonly holdMsMax: number;
  /** The longest `Retry-After` that is obeyed. */
  readonly retryAfterMsMax: number;
  /** Least time between two probes of one target. */
  readonly probeSpacingMs: number;
  /** A probe not heard of for this long is given up, so that a lost one cannot block the return. */
  readonly probeMsMax: number;
  /** A user's request serves as probe when none was sent for this long after it was due. */
  readonly userProbeAfterMs: number;
  /** Shares of requests let through while ramping, as fractions of 1. */
  readonly ramp: readonly number[];
  readonly rampHoldMs: number;
  /** Healthy time after which one earlier ejection is forgotten. */
  readonly forgetMs: number;
  /** From the third ejection in a row on, the first hold is at least this. */
  readonly flapHoldMs: number;
};

/** A hiccup of a few seconds is no incident; one that outlasts this is. */
const sustainMs = 10_000;
const probeSpacingMs = 1_000;

export function healthRuleOf(gate: GateRule): HealthRule {
  const { budget, breach, falseAlarm, latency, restore } = gate;
  const falseAlarmMs = falseAlarm.perMs / Math.max(falseAlarm.count, 1e-6);
  return {
    failures: { budget, breach, falseAlarmMs },
    slowness: { budget, breach: latency?.breach ?? breach, falseAlarmMs },
    firstTokenMs: latency?.firstTokenMs ?? null,
    mayDeclare: true,
    sustainMs: Math.min(sustainMs, restore.holdMs),
    holdMs: restore.probeEveryMs,
    holdMsMax: Math.max(restore.probeEveryMs, 75_000),
    retryAfterMsMax: 300_000,
    probeSpacingMs: Math.min(probeSpacingMs, restore.probeEveryMs),
    probeMsMax: 60_000,
    userProbeAfterMs: 0,
    ramp: restore.ramp,
    rampHoldMs: restore.holdMs,
    forgetMs: 600_000,
    flapHoldMs: Math.min(600_000, restore.holdMs * 20),
  };
}
