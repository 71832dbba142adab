/**
 * Whether a target's answers still say that they come from the model they came from before. A new name under an old
 * one is how a silent change of a model shows first. It is a signal for people, and moves no gate: names change for
 * harmless reasons too, and several pools may answer at once, so each name is told once.
 */
import type { TargetName } from './ids.ts';
import type { RequestRecord } from './record.ts';

/** Names that each target has reported, in the order they were first seen. */
export type Reported = ReadonlyMap<TargetName, readonly string[]>;

export type ModelSignal = {
  readonly target: TargetName;
  /** Empty when this is the first that is known. */
  readonly before: readonly string[];
  readonly after: string;
};

const targetsMax = 2_000;
const namesMax = 16;

/** The signal that an answer is; null when its name is known. */
export function signalOf(
  reported: Reported,
  record: Pick<RequestRecord, 'served' | 'modelReported' | 'outcome'>,
): ModelSignal | null {
  const { served, modelReported, outcome } = record;
  if (served === null || modelReported === null || modelReported === '' || outcome !== 'answered')
    return null;
  const before = reported.get(served) ?? [];
  if (before.includes(modelReported) || before.length >= namesMax) return null;
  return before.length === 0 && reported.size >= targetsMax
    ? null
    : { target: served, before, after: modelReported };
}

export function withSignal(reported: Reported, { target, before, after }: ModelSignal): Reported {
  return new Map([...reported, [target, [...before, after]]]);
}

/** As if it had not been seen: it could not be written down, and is told when it comes again. */
export function withoutSignal(reported: Reported, { target, after }: ModelSignal): Reported {
  const names = (reported.get(target) ?? []).filter((name) => name !== after);
  return new Map([...reported, [target, names]]);
}

export function signalWords({ before, after }: ModelSignal): string {
  const latest = before.at(-1);
  return latest === undefined
    ? `Its answers say they come from ${after}.`
    : `Its answers say they come from ${after}; until now they said ${latest}. Nobody here changed that.`;
}
