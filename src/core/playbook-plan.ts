/**
 * What a playbook would do now: which targets a run is about, which rule applies, and the rule's steps written out as a
 * plain list of operations. A variable stands for each value that the run's targets have, so one step may become
 * several operations; a ramp becomes a reshaping and a hold for each share. A list that is written out once does not
 * change under a run when the playbook is edited.
 */
import { countsOf, holds, isSick, isWarnedOf } from './playbook-condition.ts';
import type { PlaybookFacts, TargetFacts } from './playbook-condition.ts';
import type { Condition, Never, Playbook, RestorePlan, Step, Variable } from './playbook.ts';
import { covers } from './switches.ts';
import type { Scope } from './switches.ts';

type Kept = Extract<
  Step,
  { kind: 'switch' | 'incident' | 'notify' | 'publish' | 'wait' | 'ask' | 'probe' | 'drill' }
>;

export type Operation =
  | Kept
  /** Nothing of the scope may fail for so long. */
  | { readonly kind: 'quiet'; readonly ms: number }
  /** The run's switches let this share of traffic through, as a fraction of 1. */
  | { readonly kind: 'reshape'; readonly share: number }
  /** Watch for a while; on a relapse everything is off again and the way back starts over. */
  | { readonly kind: 'hold'; readonly ms: number; readonly abortIf: Condition | null }
  /** The run's switches are released: the gate's own ramp brings the rest back. */
  | { readonly kind: 'release' };

/** Targets that a playbook watches. */
export function watched(playbook: Pick<Playbook, 'match'>, facts: PlaybookFacts): readonly TargetFacts[] {
  return facts.targets.filter(({ target }) => covers(playbook.match.scope, target, null));
}

/** Whether a run should begin. */
export function begins(playbook: Playbook, facts: PlaybookFacts, now: number): boolean {
  return holds(playbook.match.when, watched(playbook, facts), facts.features, now);
}

/** The watched targets that are in trouble, by what the playbook looks for; all of them when none shows it. */
export function subjectOf(playbook: Playbook, facts: PlaybookFacts): readonly TargetFacts[] {
  const all = watched(playbook, facts);
  const { windowMs, warning, failures = null } = playbook.match.when;
  const warned = warning === undefined ? [] : all.filter((each) => isWarnedOf(each, warning));
  if (warned.length > 0) return warned;
  const sick = all.filter(isSick);
  if (sick.length > 0) return sick;
  const failing = all.filter((each) => {
    const counts = countsOf([each], windowMs, failures);
    return counts.failed + counts.slow + counts.quality > 0;
  });
  return failing.length > 0 ? failing : all;
}

/** The first rule that holds; null when none does. */
export function ruleNow(playbook: Playbook, facts: PlaybookFacts, now: number): number | null {
  const targets = watched(playbook, facts);
  const index = playbook.decide.findIndex(
    (rule) => rule.when === null || holds(rule.when, targets, facts.features, now),
  );
  return index < 0 ? null : index;
}

function valueOf(variable: Variable, { target }: TargetFacts): string {
  switch (variable) {
    case 'model':
      return target.model.name;
    case 'family':
      return target.model.family;
    case 'vendor':
      return target.model.vendor;
    case 'provider':
      return target.provider.id;
    case 'target':
      return target.name;
  }
}

/** The scope with its variables filled in, once for each combination that the targets have. */
function filled(scope: Scope, subject: readonly TargetFacts[]): readonly Scope[] {
  const each = subject.map((facts) =>
    Object.fromEntries(
      Object.entries(scope).map(([key, value]) => [
        key,
        typeof value === 'string' && value.startsWith('$')
          ? valueOf(value.slice(1) as Variable, facts)
          : value,
      ]),
    ),
  );
  return [...new Map(each.map((one) => [JSON.stringify(one), one as Scope])).values()];
}

function rampOperations(
  shares: readonly number[],
  holdMs: number,
  abortIf: Condition | null,
): readonly Operation[] {
  const steps = shares
    .filter((share) => share < 1)
    .flatMap((share): Operation[] => [
      { kind: 'reshape', share },
      { kind: 'hold', ms: holdMs, abortIf },
    ]);
  return [...steps, { kind: 'release' }];
}

function restoreOperations(plan: RestorePlan): readonly Operation[] {
  const probes: Operation[] = plan.probes === null ? [] : [{ kind: 'probe', ...plan.probes }];
  return [
    { kind: 'quiet', ms: plan.quietMs },
    ...probes,
    ...rampOperations(plan.ramp, plan.holdMs, plan.abortIf),
  ];
}

function operationsOf(
  step: Step,
  subject: readonly TargetFacts[],
  restore: RestorePlan | null,
): readonly Operation[] {
  switch (step.kind) {
    case 'switch':
      return filled(step.scope, subject).map((scope) => ({ ...step, scope }));
    case 'ramp':
      return rampOperations(step.shares, step.holdMs, step.abortIf);
    case 'restore':
      return restore === null ? [{ kind: 'release' }] : restoreOperations(restore);
    case 'publish':
      return step.holdDownMs === 0 ? [step] : [{ kind: 'wait', ms: step.holdDownMs, until: null }, step];
    case 'incident':
    case 'notify':
    case 'wait':
    case 'ask':
    case 'probe':
    case 'drill':
      return [step];
  }
}

/** The steps of a rule, written out for these targets. */
export function writtenOut(
  playbook: Playbook,
  rule: number,
  subject: readonly TargetFacts[],
): readonly Operation[] {
  return playbook.decide[rule]?.steps.flatMap((step) => operationsOf(step, subject, playbook.restore)) ?? [];
}

function neverSwitches(scope: Scope, never: readonly Never[], facts: PlaybookFacts): string | null {
  const covered = facts.targets.filter(({ target }) => covers(scope, target, null));
  const names = new Set(covered.map(({ target }) => String(target.name)));
  for (const rule of never) {
    if (rule.kind === 'switch') {
      const hit = covered.find(({ target }) => covers(rule.scope, target, null));
      if (hit !== undefined) return `it would take out ${hit.target.name}, which the playbook never does`;
    }
    if (rule.kind === 'strand') {
      const feature = facts.features.find((each) => each.feature === rule.feature);
      const left = feature?.route.some(
        (name) =>
          !names.has(name) && facts.targets.some(({ target, isOut }) => target.name === name && !isOut),
      );
      if (left === false)
        return `it would leave ${rule.feature} without any target, which the playbook never does`;
    }
  }
  return null;
}

/** Why an operation may not be done; null when it may. */
export function forbidden(
  operation: Operation,
  never: readonly Never[],
  facts: PlaybookFacts,
): string | null {
  switch (operation.kind) {
    case 'switch':
      return operation.effect.kind === 'off' ? neverSwitches(operation.scope, never, facts) : null;
    case 'publish':
      return never.some((rule) => rule.kind === 'publish') ? 'the playbook never publishes by itself' : null;
    case 'incident':
    case 'notify':
    case 'wait':
    case 'ask':
    case 'probe':
    case 'drill':
    case 'quiet':
    case 'reshape':
    case 'hold':
    case 'release':
      return null;
  }
}
