/**
 * Where in a cloud a provider is, and as whom it is asked. It decides which of region, project and credential source
 * a cloud's API needs, so that a missing one is a line in the report on loading and not a failure of every call. It
 * refuses options that mean nothing to an API: they would be believed to have an effect.
 */
import type { ProviderConfiguration } from './configuration.ts';
import type { Report } from './snapshot.ts';
import type { Cloud, ProviderApi } from './target.ts';

type Option = 'region' | 'project' | 'apiVersion' | 'auth';

const options: Record<ProviderApi, { readonly needs: readonly Option[]; readonly takes: readonly Option[] }> =
  {
    anthropic: { needs: [], takes: [] },
    openai: { needs: [], takes: [] },
    google: { needs: [], takes: [] },
    'openai-compatible': { needs: [], takes: [] },
    bedrock: { needs: ['region'], takes: ['region', 'auth'] },
    vertex: { needs: ['region', 'project'], takes: ['region', 'project', 'auth'] },
    'azure-openai': { needs: [], takes: ['apiVersion', 'auth'] },
  };

const examples: Record<Option, string> = {
  region: 'region: us-east-1',
  project: 'project: my-project',
  apiVersion: 'apiVersion: 2024-10-21',
  auth: 'auth: default',
};

function isCloud(api: ProviderApi): boolean {
  return options[api].takes.length > 0;
}

/** Sources other than the cloud's own default are AWS words. */
function reportAuth(id: string, given: ProviderConfiguration, report: Report): void {
  if (given.auth !== undefined && given.keys !== undefined)
    report({
      path: ['providers', id, 'auth'],
      message: 'is given beside keys, and only one of them can be used',
      remedy: 'remove one of the two',
      severity: 'error',
    });
  if (given.auth !== undefined && given.auth !== 'default' && given.api !== 'bedrock' && isCloud(given.api))
    report({
      path: ['providers', id, 'auth'],
      message: `${given.auth} is a credential source of bedrock; api ${given.api} takes default`,
      remedy: 'write auth: default',
      severity: 'error',
    });
}

/** Null for a provider that is no cloud. */
export function cloudOf(id: string, given: ProviderConfiguration, report: Report): Cloud | null {
  const { needs, takes } = options[given.api];
  for (const option of Object.keys(examples) as Option[]) {
    if (given[option] !== undefined && !takes.includes(option))
      report({
        path: ['providers', id, option],
        message: `means nothing to api ${given.api}`,
        remedy: 'remove it',
        severity: 'error',
      });
    if (given[option] === undefined && needs.includes(option))
      report({
        path: ['providers', id],
        message: `api ${given.api} needs a ${option}`,
        remedy: `add ${examples[option]}`,
        severity: 'error',
      });
  }
  reportAuth(id, given, report);
  if (!isCloud(given.api)) return null;
  const own = given.keys === undefined && given.api !== 'azure-openai' ? 'default' : null;
  return {
    region: given.region ?? null,
    project: given.project ?? null,
    apiVersion: given.apiVersion ?? null,
    auth: given.auth ?? own,
  };
}

/** A cloud's own address; null where only the configuration knows it. */
export function hostUrl(api: ProviderApi, cloud: Cloud): string | null {
  const { region } = cloud;
  if (region === null) return null;
  switch (api) {
    case 'bedrock':
      return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
    case 'vertex':
      if (region === 'global') return 'https://aiplatform.googleapis.com';
      return region === 'us' || region === 'eu'
        ? `https://aiplatform.${region}.rep.googleapis.com`
        : `https://${region}-aiplatform.googleapis.com`;
    case 'anthropic':
    case 'openai':
    case 'google':
    case 'openai-compatible':
    case 'azure-openai':
      return null;
  }
}
