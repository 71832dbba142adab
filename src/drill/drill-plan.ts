/**
 * From the words of a drill to a scenario for a configuration: what is lost or fails, when, under which traffic. A name
 * that leads nowhere is an error: a rehearsal must not pass by a typing error.
 */
import { durationMs, rate } from '../core/duration.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { covers } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { durationWords } from '../core/words.ts';
import { strikes } from '../simulation/provider-model.ts';
import { readScenario } from '../simulation/scenario.ts';
import type { Fault, Scenario } from '../simulation/scenario.ts';

export type Document = Readonly<Record<string, unknown>>;

export type DrillPlan = {
  readonly words: string;
  readonly scenario: Scenario;
  /** What of the scenario changes nothing here. */
  readonly notes: readonly string[];
};
export type Planned =
  | { readonly ok: true; readonly plan: DrillPlan }
  | { readonly ok: false; readonly problem: string };

const scopeKinds = ['provider', 'vendor', 'family', 'model', 'region', 'target'] as const;
type ScopeKind = (typeof scopeKinds)[number];
type FaultScope = Fault['scope'];

const leadMs = 600_000;
/** Time after the trouble, to see everything come back. */
const tailMs = 1_200_000;
const usualDurationMs = 3_600_000;

const refused = (problem: string): Planned => ({ ok: false, problem });

/** Every target that a feature may use. */
export function routedTargets(snapshot: Snapshot): readonly Target[] {
  const routed = [...snapshot.features.values()].flatMap((feature) => feature.route);
  return [...new Map(routed.map((target) => [target.name, target])).values()];
}

function namesOf(kind: ScopeKind, target: Target): readonly string[] {
  switch (kind) {
    case 'provider':
      return [target.provider.id];
    case 'vendor':
      return [target.model.vendor];
    case 'family':
      return [target.model.family];
    case 'model':
      return [target.model.name];
    case 'region':
      return target.provider.terms.regions === 'unknown' ? [] : target.provider.terms.regions;
    case 'target':
      return [target.name];
  }
}

function allNames(kind: ScopeKind, targets: readonly Target[]): ReadonlySet<string> {
  return new Set(targets.flatMap((target) => namesOf(kind, target)));
}

/** `anthropic`, or `vendor:anthropic` where a name means more than one thing. */
function scopeOf(text: string, targets: readonly Target[]): FaultScope | string {
  const [kind = '', ...rest] = text.split(':');
  const said = scopeKinds.find((each) => each === kind);
  const name = said === undefined ? text : rest.join(':');
  const kinds = said === undefined ? scopeKinds : [said];
  const found = kinds.find((each) => allNames(each, targets).has(name));
  if (found !== undefined) return { [found]: name };
  const known = [...new Set(kinds.flatMap((each) => [...allNames(each, targets)]))];
  if (name === '') return `what is lost needs a name; there are: ${known.join(', ')}`;
  const strange = said === undefined && rest.length > 0 && !known.some((each) => each.startsWith(`${kind}:`));
  if (strange) return `"${kind}" is no kind of scope; there are: ${scopeKinds.join(', ')}`;
  return `no feature uses ${said ?? 'anything called'} "${name}"; ${didYouMean(name, known) || `there are: ${known.join(', ')}`}`;
}

/** When the trouble of a drill begins and how long it lasts. */
function times(totalMs: number): { readonly at: string; readonly for: string } {
  const lead = Math.min(leadMs, Math.floor(totalMs / 6));
  const tail = Math.min(tailMs, Math.floor(totalMs / 3));
  return { at: `${lead}ms`, for: `${totalMs - lead - tail}ms` };
}

type Kind = { readonly title: string; readonly faults: readonly unknown[] };

function lossOf(text: string, targets: readonly Target[], totalMs: number): Kind | string {
  const scope = scopeOf(text, targets);
  if (typeof scope === 'string') return scope;
  const effect = { kind: 'fail', class: 'server_error', status: 503 };
  return { title: `${scopeWords(scope)} is lost`, faults: [{ ...times(totalMs), scope, effect }] };
}

function brownout(text: string, targets: readonly Target[], totalMs: number): Kind | string {
  const at = text.lastIndexOf(':');
  const share = text.slice(at + 1);
  if (at < 0 || (rate(share) ?? 0) === 0)
    return `a brownout needs a rate above 0 % at its end, such as brownout:${text.slice(0, at < 0 ? undefined : at) || 'NAME'}:30%`;
  const scope = scopeOf(text.slice(0, at), targets);
  if (typeof scope === 'string') return scope;
  const effect = { kind: 'fail', class: 'server_error', status: 500 };
  return {
    title: `${share} of the calls to ${scopeWords(scope)} fail`,
    faults: [{ ...times(totalMs), scope, share, effect }],
  };
}

export function scopeWords(scope: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(scope)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value ?? ''}`)
    .join(' and ');
}

export type PlanInput = {
  /** `loss-of:…` or `brownout:…`; what a file says is in `document`. */
  readonly words: string;
  /** A scenario that was read from a file. */
  readonly document: Document | null;
  /** Traffic and paces, from a profile or from records; they count over what a scenario says. */
  readonly profile: Document;
  readonly duration: string | null;
};

function composed(input: PlanInput, snapshot: Snapshot): Document | string {
  const { words, document, duration } = input;
  if (duration !== null && (durationMs(duration) ?? 0) < minuteMs)
    return `--duration must be a duration of a minute or more, such as 90m or 12h`;
  if (document !== null) return duration === null ? document : { ...document, duration };
  const totalMs = duration === null ? usualDurationMs : (durationMs(duration) ?? usualDurationMs);
  const targets = routedTargets(snapshot);
  const [kind = '', ...rest] = words.split(':');
  const text = rest.join(':');
  const made =
    kind === 'loss-of'
      ? lossOf(text, targets, totalMs)
      : kind === 'brownout'
        ? brownout(text, targets, totalMs)
        : `"${words}" is no drill; there are loss-of:NAME, brownout:NAME:RATE, the name of a scenario, or a file`;
  return typeof made === 'string' ? made : { name: words, duration: `${totalMs}ms`, ...made };
}

const minuteMs = 60_000;

export function planDrill(input: PlanInput, snapshot: Snapshot): Planned {
  if (snapshot.features.size === 0)
    return refused('the configuration has no features, so there is nothing to rehearse');
  const document = composed(input, snapshot);
  if (typeof document === 'string') return refused(document);
  const read = readScenario({ ...document, ...input.profile });
  if (!read.ok)
    return refused(
      read.problems.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`).join('; '),
    );
  const { scenario } = read;
  const { faults, operator } = scenario;
  const idle = idleParts(scenario, routedTargets(snapshot));
  const parts = faults.length + operator.length;
  if (parts > 0 && idle.length === parts)
    return refused(`${idle.join('; ')}: the scenario would change nothing`);
  return { ok: true, plan: { words: input.words, scenario, notes: idle } };
}

/** Faults and acts that concern no target of a feature, or come after the end. */
function idleParts({ faults, operator, durationMs: total }: Scenario, targets: readonly Target[]): string[] {
  const late = ({ at }: { readonly at: number }): boolean => at >= total;
  const unused = (scope: Parameters<typeof scopeWords>[0]): string => `no feature uses ${scopeWords(scope)}`;
  const after = (at: number): string => `what begins after ${durationWords(at)} comes when the drill is over`;
  return [
    ...faults.flatMap((fault) => {
      if (late(fault)) return after(fault.at);
      return targets.some((target) => strikes(fault, target, fault.scope.key ?? null))
        ? []
        : unused(fault.scope);
    }),
    ...operator.flatMap((act) => {
      if (late(act)) return after(act.at);
      const { feature, ...rest } = act.off;
      const scope = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      return feature === undefined && !targets.some((target) => covers(scope, target, null))
        ? unused(act.off)
        : [];
    }),
  ].filter((note, index, all) => all.indexOf(note) === index);
}

/** Names in a profile that are none of the configuration's: a typing error would rehearse other traffic than was meant. */
export function strangeName({ traffic, targets }: Document, snapshot: Snapshot): string | null {
  const check = (given: unknown, kind: string, known: readonly string[]): string | null => {
    const names = typeof given === 'object' && given !== null ? Object.keys(given) : [];
    const strange = names.find((name) => name !== '*' && !known.includes(name));
    if (strange === undefined) return null;
    return `"${strange}" is no ${kind} of the configuration; ${didYouMean(strange, known) || `there are: ${known.join(', ')}`}`;
  };
  return (
    check(traffic, 'feature', [...snapshot.features.keys()]) ??
    check(
      targets,
      'target',
      routedTargets(snapshot).map(({ name }) => name),
    )
  );
}
