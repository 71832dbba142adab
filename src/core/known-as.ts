/**
 * Under which names a model is known at all its providers. An alias is written in one provider's entry, but it is a
 * name of the model: who switches `model:opus-latest` off means the model, wherever it is served.
 *
 * It refuses to let a request ask one provider for a model by the alias of another: an alias leads to its model
 * where it is written, and other providers may know something else by that name.
 */
import type { Model, Target } from './target.ts';

/** The aliases that any entry gives a model, by the model's own name. */
export function aliasesByModel(targets: Iterable<Target>): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  for (const { model } of targets) {
    const names = known.get(model.name) ?? new Set();
    for (const alias of model.aliases) names.add(alias);
    if (names.size > 0) known.set(model.name, names);
  }
  return known;
}

function elsewhere(model: Model, known: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const own = new Set([model.name, ...model.aliases]);
  return [...(known.get(model.name) ?? [])].filter((alias) => !own.has(alias));
}

/** The same target, whose model is known by the names of other providers' entries too. */
export function knownAs(target: Target, known: ReadonlyMap<string, ReadonlySet<string>>): Target {
  const aliasesElsewhere = elsewhere(target.model, known);
  return aliasesElsewhere.length === 0 ? target : { ...target, model: { ...target.model, aliasesElsewhere } };
}
