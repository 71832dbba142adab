/** The `adapt` section of one feature → its compiled form; every problem of its texts. Part of `policy.ts`. */
import { noParams } from './adaptation.ts';
import type { Adaptation, AdaptedParams, TargetAdaptation } from './adaptation.ts';
import type { AdaptConfiguration } from './configure-adapt.ts';
import type { TargetName } from './ids.ts';
import { didYouMean } from './nearest.ts';
import type { FallbackMode, Report } from './snapshot.ts';
import { hopBetween } from './target.ts';
import type { Capability, Hop, Target } from './target.ts';
import { parseTemplate } from './template.ts';
import type { Template } from './template.ts';

type Path = readonly (string | number)[];

function templateAt(text: string | undefined, path: Path, report: Report): Template | null {
  if (text === undefined) return null;
  const parsed = parseTemplate(text);
  if (parsed.kind === 'template') return parsed.template;
  for (const problem of parsed.problems) report({ ...problem, path, severity: 'error' });
  return null;
}

function waivedBy(withoutTools: boolean, format: Adaptation['format']): ReadonlySet<Capability> {
  const waived = new Set<Capability>();
  if (withoutTools) waived.add('tools');
  if (format !== null) waived.add('structured_output');
  return waived;
}

function paramsOf(given: AdaptConfiguration['params']): AdaptedParams {
  return {
    temperature: given?.temperature ?? null,
    topP: given?.topP ?? null,
    topK: given?.topK ?? null,
    stop: given?.stop ?? null,
    effort: given?.effort ?? null,
    maxOutputTokens: given?.maxOutputTokens ?? null,
  };
}

function alwaysOf(given: AdaptConfiguration, path: Path, report: Report): Adaptation | null {
  const { system, params, tools, format } = given;
  if (system === undefined && params === undefined && tools === undefined && format === undefined)
    return null;
  if (system?.replace !== undefined && (system.append !== undefined || system.prepend !== undefined))
    report({
      path: [...path, 'system', 'replace'],
      message: 'stands beside append or prepend',
      remedy: 'write the whole prompt in replace, with {{system}} where the original goes',
      severity: 'error',
    });
  const withoutTools = tools === 'none';
  return {
    prepend: templateAt(system?.prepend, [...path, 'system', 'prepend'], report),
    append: templateAt(system?.append, [...path, 'system', 'append'], report),
    replace: templateAt(system?.replace, [...path, 'system', 'replace'], report),
    params: paramsOf(params),
    withoutTools,
    format: format ?? null,
    waives: waivedBy(withoutTools, format ?? null),
  };
}

const unchanged: Adaptation = {
  prepend: null,
  append: null,
  replace: null,
  params: noParams,
  withoutTools: false,
  format: null,
  waives: new Set(),
};

function tighter(one: number | null, other: number | undefined): number | null {
  if (one === null || other === undefined) return one ?? other ?? null;
  return Math.min(one, other);
}

/** The limited mode: what always holds, and its own limits on top. */
function reducedOf(
  given: NonNullable<AdaptConfiguration['reduce']>,
  always: Adaptation | null,
  path: Path,
  report: Report,
): Adaptation {
  const base = always ?? unchanged;
  const replace = templateAt(given.systemReplace, [...path, 'reduce', 'systemReplace'], report);
  const withoutTools = given.tools === undefined ? base.withoutTools : given.tools === 'none';
  return {
    ...base,
    ...(replace === null ? {} : { prepend: null, append: null, replace }),
    params: { ...base.params, maxOutputTokens: tighter(base.params.maxOutputTokens, given.maxOutputTokens) },
    withoutTools,
    waives: waivedBy(withoutTools, base.format),
  };
}

type Adapted = {
  readonly adapt: Readonly<Record<string, AdaptConfiguration>> | undefined;
  /** The targets of the route by the names it gives them. */
  readonly route: ReadonlyMap<string, Target>;
  readonly fallback: Readonly<Record<Hop, FallbackMode>>;
};

function checkReduce(feature: string, { adapt, route, fallback }: Adapted, report: Report): void {
  const [preferred] = route.values();
  for (const [name, target] of route) {
    const hop = preferred === undefined ? null : hopBetween(preferred, target);
    const reduces = (adapt?.[name] ?? adapt?.[target.name])?.reduce !== undefined;
    if (hop === null || (fallback[hop] === 'reduce') === reduces) continue;
    const warn = (path: Path, message: string, remedy: string): void =>
      report({ path: ['features', feature, ...path], message, remedy, severity: 'warning' });
    if (reduces)
      warn(
        ['adapt', name, 'reduce'],
        `never applies: the hop ${hop} is "${fallback[hop]}"`,
        `say ${hop}: reduce under fallback, or move its settings out of reduce`,
      );
    else
      warn(
        ['fallback'],
        `${hop} is reduce, but nothing limits ${target.name}`,
        `say under adapt what its limited mode is: ${target.name}: { reduce: { maxOutputTokens: 400 } }`,
      );
  }
}

export function compileAdapt(
  feature: string,
  adapted: Adapted,
  report: Report,
): ReadonlyMap<TargetName, TargetAdaptation> {
  const compiled = new Map<TargetName, TargetAdaptation>();
  for (const [name, given] of Object.entries(adapted.adapt ?? {})) {
    const path = ['features', feature, 'adapt', name];
    const target = adapted.route.get(name) ?? [...adapted.route.values()].find((each) => each.name === name);
    const always = alwaysOf(given, path, report);
    const reduced = given.reduce === undefined ? null : reducedOf(given.reduce, always, path, report);
    if (target !== undefined) compiled.set(target.name, { always, reduced });
    else
      report({
        path,
        message: 'is not a target of the route',
        remedy: didYouMean(name, adapted.route.keys()) || 'name a target of the route',
        severity: 'error',
      });
  }
  checkReduce(feature, adapted, report);
  return compiled;
}
