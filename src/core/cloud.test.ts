import { describe, expect, test } from 'bun:test';

import { compileProvider } from './compile-provider.ts';
import type { ProviderConfiguration } from './configuration.ts';
import { hostName } from './host-models.ts';
import { Secret } from './secret.ts';

function compiled(given: ProviderConfiguration) {
  const problems: string[] = [];
  const { provider, targets } = compileProvider(
    'cloud',
    given,
    () => new Secret('text'),
    ({ path, message }) => void problems.push(`${path.join('.')} ${message}`),
  );
  return { provider, targets, problems };
}

describe('clouds in the configuration', () => {
  test('what an API needs and lacks is reported', () => {
    expect(compiled({ api: 'bedrock' }).problems).toEqual(['providers.cloud api bedrock needs a region']);
    expect(compiled({ api: 'vertex', region: 'us-east5' }).problems).toEqual([
      'providers.cloud api vertex needs a project',
    ]);
    expect(compiled({ api: 'azure-openai', keys: ['env:A'] }).problems).toEqual([
      'providers.cloud api azure-openai needs a baseUrl',
    ]);
    expect(compiled({ api: 'azure-openai', baseUrl: 'https://a.openai.azure.com' }).problems).toEqual([
      'providers.cloud has no keys, but api azure-openai needs one',
    ]);
  });

  test('what means nothing to an API is reported', () => {
    expect(compiled({ api: 'anthropic', keys: ['env:A'], region: 'us-east-1' }).problems).toEqual([
      'providers.cloud.region means nothing to api anthropic',
    ]);
    expect(
      compiled({ api: 'vertex', region: 'global', project: 'p', auth: 'profile:x' }).problems,
    ).toHaveLength(1);
    expect(
      compiled({ api: 'bedrock', region: 'us-east-1', auth: 'default', keys: ['env:A'] }).problems,
    ).toEqual(['providers.cloud.auth is given beside keys, and only one of them can be used']);
  });

  test('a cloud’s own credential source stands where a key would, so that it has a health', () => {
    const { provider } = compiled({ api: 'bedrock', region: 'eu-central-1' });
    expect(provider.keys.map((key) => key.name)).toEqual(['cloud#default']);
    expect(provider.baseUrl).toBe('https://bedrock-runtime.eu-central-1.amazonaws.com');
  });

  test('addresses by region', () => {
    const at = (region: string): string => compiled({ api: 'vertex', region, project: 'p' }).provider.baseUrl;
    expect([at('global'), at('eu'), at('us-east5')]).toEqual([
      'https://aiplatform.googleapis.com',
      'https://aiplatform.eu.rep.googleapis.com',
      'https://us-east5-aiplatform.googleapis.com',
    ]);
  });

  test('a model listed under its own name gets the host’s name; upstream overrides it', () => {
    const { targets } = compiled({
      api: 'bedrock',
      region: 'us-west-2',
      models: { 'claude-opus-4-7': { upstream: 'global.anthropic.claude-opus-4-7' } },
    });
    const upstream = (name: string) => targets.find((target) => target.model.name === name)?.upstream;
    expect(upstream('claude-opus-4-8')).toBe('us.anthropic.claude-opus-4-8');
    expect(upstream('claude-opus-4-7')).toBe('global.anthropic.claude-opus-4-7');
  });
});

test.each([
  ['bedrock', 'claude-opus-4-8', 'us-east-1', 'us.anthropic.claude-opus-4-8'],
  ['bedrock', 'claude-opus-4-6', 'eu-west-1', 'eu.anthropic.claude-opus-4-6-v1'],
  ['bedrock', 'claude-haiku-4-5', 'ap-northeast-1', 'jp.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ['bedrock', 'claude-haiku-4-5', 'sa-east-1', 'anthropic.claude-haiku-4-5-20251001-v1:0'],
  ['vertex', 'claude-sonnet-4-5', 'us-east5', 'claude-sonnet-4-5@20250929'],
  ['vertex', 'claude-opus-4-8', 'us-east5', 'claude-opus-4-8'],
  ['vertex', 'claude-unheard-of', 'us-east5', 'claude-unheard-of'],
  ['anthropic', 'claude-opus-4-8', null, 'claude-opus-4-8'],
] as const)('%s calls %s in %s %s', (api, name, region, expected) => {
  expect(hostName(api, name, region)).toBe(expected);
});
