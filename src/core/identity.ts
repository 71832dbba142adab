/**
 * What a target says it is: the model it reports and its fingerprint. A name not heard before, after others were, is
 * news: the provider may have changed the model behind an unchanged name. Fingerprints come in handfuls, one for each
 * pool of machines, so several are remembered. News is told and never acted on.
 */
export type Identity = { readonly models: readonly string[]; readonly fingerprints: readonly string[] };
export type IdentityNews = {
  readonly what: 'model' | 'fingerprint';
  readonly value: string;
  /** The latest of those known before. */
  readonly before: string;
};

export const unheard: Identity = { models: [], fingerprints: [] };

const rememberedMax = 8;

/** The list as it is when the name is in it; else with the name at its end. */
function heard(names: readonly string[], name: string | null): readonly string[] {
  return name === null || names.includes(name) ? names : [...names, name].slice(-rememberedMax);
}

export function hear(
  identity: Identity,
  model: string | null,
  fingerprint: string | null,
): { readonly identity: Identity; readonly news: IdentityNews | null } {
  const models = heard(identity.models, model);
  const fingerprints = heard(identity.fingerprints, fingerprint);
  if (models === identity.models && fingerprints === identity.fingerprints) return { identity, news: null };
  const next = { models, fingerprints };
  const [modelBefore, fingerprintBefore] = [identity.models.at(-1), identity.fingerprints.at(-1)];
  if (model !== null && models !== identity.models && modelBefore !== undefined)
    return { identity: next, news: { what: 'model', value: model, before: modelBefore } };
  if (fingerprint !== null && fingerprints !== identity.fingerprints && fingerprintBefore !== undefined)
    return { identity: next, news: { what: 'fingerprint', value: fingerprint, before: fingerprintBefore } };
  return { identity: next, news: null };
}

const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= rememberedMax && value.every((each) => typeof each === 'string');

/** An identity that was kept; what cannot be understood begins afresh. */
export function identityFromJson(json: unknown): Identity {
  if (typeof json !== 'object' || json === null) return unheard;
  const { models, fingerprints } = json as Record<keyof Identity, unknown>;
  return isNames(models) && isNames(fingerprints) ? { models, fingerprints } : unheard;
}
