/**
 * Makes the changes that a configuration wants in a request before a certain model gets it (`core/adaptation.ts`). The
 * order of changes and what becomes of what does not fit is here, once; where things stand in a request is each
 * format's own to say (`RequestPlaces`). A request that stays in its dialect is changed in place, with every field that
 * nobody mentions left alone; one that is translated is changed in its neutral form.
 *
 * What the model or the format does not take is left out and named. A conversation that leans on its tools is not
 * asked without them where the model would not understand it: then the target is left out.
 */
import type { AdaptedParams, Adaptation } from '../core/adaptation.ts';
import { fill } from '../core/template.ts';
import type { TemplatePlace } from '../core/template.ts';
import type { ModelTraits } from './dialect.ts';

export type SystemEdit =
  | { readonly kind: 'around'; readonly prepend: string | null; readonly append: string | null }
  | { readonly kind: 'replace'; readonly text: string };

export type ParamName = Exclude<keyof AdaptedParams, 'maxOutputTokens'>;

/** The structure an answer is to have: a schema, any JSON, or none. */
export type Structure =
  | { readonly kind: 'schema'; readonly schema: unknown }
  | { readonly kind: 'json' }
  | null;

/** Where things stand in a request of some format. Every change gives a new request. */
export type RequestPlaces<T> = {
  systemText(request: T): string;
  withSystem(request: T, edit: SystemEdit): T;
  outputTokensMax(request: T): number | null;
  withOutputTokensMax(request: T, tokens: number, traits: ModelTraits): T;
  /** Null where the format has no place for it, or the model does not take it. */
  withParam(request: T, name: ParamName, value: unknown, traits: ModelTraits): T | null;
  hasTools(request: T): boolean;
  /** Whether calls of tools, or their results, are part of what was said. */
  hasCalls(request: T): boolean;
  /** `forbidden`: declared still, because what was said leans on them, and not to be called. */
  withoutTools(request: T, how: 'removed' | 'forbidden'): T;
  structure(request: T): Structure;
  withStructure(request: T, structure: 'json' | null): T;
};

export type Change = {
  readonly adaptation: Adaptation;
  readonly values: Readonly<Record<Exclude<TemplatePlace, 'system' | 'open'>, string>>;
  readonly traits: ModelTraits;
  /** The model can call tools. */
  readonly callsTools: boolean;
};

export type AdaptedRequest<T> =
  | { readonly kind: 'adapted'; readonly request: T; readonly warnings: readonly string[] }
  | { readonly kind: 'lacks'; readonly capability: string };

/** Joins two pieces of a system prompt. */
export const joinTexts = (...texts: readonly (string | null)[]): string =>
  texts.filter((text) => text !== null && text !== '').join('\n\n');

function schemaWords(structure: Structure): string {
  return structure?.kind === 'schema'
    ? `Answer with one JSON value and nothing else. It must fit this JSON Schema:\n${JSON.stringify(structure.schema)}`
    : 'Answer with one JSON value and nothing else.';
}

function systemEdit<T>(request: T, places: RequestPlaces<T>, change: Change): SystemEdit | null {
  const { prepend, append, replace } = change.adaptation;
  const values = {
    ...change.values,
    open: '{{',
    system: prepend === null && append === null && replace === null ? '' : places.systemText(request),
  };
  if (replace !== null) return { kind: 'replace', text: fill(replace, values) };
  if (prepend === null && append === null) return null;
  return {
    kind: 'around',
    prepend: prepend === null ? null : fill(prepend, values),
    append: append === null ? null : fill(append, values),
  };
}

/** In the order in which they are set: whether sampling is taken can hang on the effort. */
const paramWords: Readonly<Record<ParamName, string>> = {
  effort: 'effort',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
};
const paramNames = Object.keys(paramWords) as ParamName[];

function withParams<T>(request: T, places: RequestPlaces<T>, change: Change, warnings: string[]): T {
  const { params } = change.adaptation;
  let changed = request;
  for (const name of paramNames) {
    const value = params[name];
    if (value === null) continue;
    const taken = places.withParam(changed, name, value, change.traits);
    if (taken === null) warnings.push(`adapt.${paramWords[name]}`);
    else changed = taken;
  }
  const { maxOutputTokens } = params;
  if (maxOutputTokens === null) return changed;
  const asked = places.outputTokensMax(changed);
  return asked !== null && asked <= maxOutputTokens
    ? changed
    : places.withOutputTokensMax(changed, maxOutputTokens, change.traits);
}

export function adaptRequest<T>(request: T, places: RequestPlaces<T>, change: Change): AdaptedRequest<T> {
  const { adaptation } = change;
  const warnings: string[] = [];
  let changed = request;
  if (adaptation.withoutTools && places.hasTools(changed)) {
    const leans = places.hasCalls(changed);
    if (leans && !change.callsTools) return { kind: 'lacks', capability: 'tools' };
    changed = places.withoutTools(changed, leans ? 'forbidden' : 'removed');
    warnings.push('tools');
  }
  const edit = systemEdit(changed, places, change);
  if (edit !== null) changed = places.withSystem(changed, edit);
  const structure = adaptation.format === null ? null : places.structure(changed);
  if (structure !== null) {
    const asJson = adaptation.format === 'json';
    changed = places.withStructure(changed, asJson ? 'json' : null);
    if (asJson)
      changed = places.withSystem(changed, {
        kind: 'around',
        prepend: null,
        append: schemaWords(structure),
      });
    else warnings.push('response_format');
  }
  return { kind: 'adapted', request: withParams(changed, places, change, warnings), warnings };
}
