/**
 * What is changed in a request before another model gets it, so that the answer keeps its shape: prompt, parameters,
 * tools, output format. Per target of a feature; the limited mode (`reduce`) is a second set of changes on top, for hops
 * whose policy says so.
 *
 * It says what, never how: each wire format makes the change in its own way (`dialects/`). It refuses to touch what
 * users and models said before.
 */
import type { TargetName } from './ids.ts';
import type { FallbackMode } from './snapshot.ts';
import { hopBetween } from './target.ts';
import type { Capability, Hop, Target } from './target.ts';
import type { Template } from './template.ts';

export type AdaptedParams = {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly stop: readonly string[] | null;
  readonly effort: 'none' | 'minimal' | 'low' | 'medium' | 'high' | null;
  /** The answer is at most this long, whatever the caller allows. */
  readonly maxOutputTokens: number | null;
};

export type Adaptation = {
  /** `replace` takes the place of the caller's system prompt; the others stand around it. */
  readonly prepend: Template | null;
  readonly append: Template | null;
  readonly replace: Template | null;
  readonly params: AdaptedParams;
  readonly withoutTools: boolean;
  /** `json`: any wish for structure becomes JSON with its schema in the prompt. `text`: it is dropped. */
  readonly format: 'text' | 'json' | null;
  /** What a target may lack because the change takes the need away. */
  readonly waives: ReadonlySet<Capability>;
};

/** `reduced` is null where a target has no limited mode of its own. */
export type TargetAdaptation = {
  readonly always: Adaptation | null;
  readonly reduced: Adaptation | null;
};

export const noParams: AdaptedParams = {
  temperature: null,
  topP: null,
  topK: null,
  stop: null,
  effort: null,
  maxOutputTokens: null,
};

type Adapting = {
  readonly adapt: ReadonlyMap<TargetName, TargetAdaptation>;
  readonly fallback: Readonly<Record<Hop, FallbackMode>>;
};

/** Whether an answer of this target is the limited mode. The policy decides it; a caller's wish does not lift it. */
export function isLimited(feature: Pick<Adapting, 'fallback'>, preferred: Target, target: Target): boolean {
  const hop = hopBetween(preferred, target);
  return hop !== null && feature.fallback[hop] === 'reduce';
}

/** The changes for a target, null when there are none. */
export function adaptationFor(feature: Adapting, preferred: Target, target: Target): Adaptation | null {
  if (feature.adapt.size === 0) return null;
  const entry = feature.adapt.get(target.name);
  if (entry === undefined) return null;
  return isLimited(feature, preferred, target) ? (entry.reduced ?? entry.always) : entry.always;
}
