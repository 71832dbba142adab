/**
 * What one and the same model is called where it is hosted. `source` is the page that says so and `seen` the day its
 * words were seen; where both are null the name follows the host's pattern and has not been confirmed, and a
 * configuration that knows better says `upstream`. A name that is not listed goes out as it is. It refuses to send
 * content further than the region asks: Bedrock's `global.` profiles must be named by the configuration.
 */
import { undatedModel } from './models.ts';
import type { ProviderApi } from './target.ts';

type HostNames = {
  readonly bedrock: string;
  readonly vertex: string;
  readonly source: string | null;
  readonly seen: string | null;
};

const overview = 'https://platform.claude.com/docs/en/about-claude/models/overview';
const codeModels = 'https://docs.claude.com/en/docs/claude-code/model-config';

// oxfmt-ignore
const hostNames: Readonly<Record<string, HostNames>> = {
  'claude-opus-4-5':   { bedrock: 'anthropic.claude-opus-4-5-20251101-v1:0',   vertex: 'claude-opus-4-5@20251101',   source: null, seen: null },
  'claude-sonnet-4-5': { bedrock: 'anthropic.claude-sonnet-4-5-20250929-v1:0', vertex: 'claude-sonnet-4-5@20250929', source: null, seen: null },
  'claude-haiku-4-5':  { bedrock: 'anthropic.claude-haiku-4-5-20251001-v1:0',  vertex: 'claude-haiku-4-5@20251001',  source: overview, seen: '2026-11-21' },
  'claude-opus-4-6':   { bedrock: 'anthropic.claude-opus-4-6-v1',              vertex: 'claude-opus-4-6',            source: null, seen: null },
  'claude-sonnet-4-6': { bedrock: 'anthropic.claude-sonnet-4-6',               vertex: 'claude-sonnet-4-6',          source: overview, seen: '2026-11-21' },
  'claude-opus-4-7':   { bedrock: 'anthropic.claude-opus-4-7',                 vertex: 'claude-opus-4-7',            source: overview, seen: '2026-11-21' },
  'claude-opus-4-8':   { bedrock: 'anthropic.claude-opus-4-8',                 vertex: 'claude-opus-4-8',            source: codeModels, seen: '2026-11-21' },
};

const profiles: readonly (readonly [RegExp, string])[] = [
  [/^us-gov-/, 'us-gov'],
  [/^(?:us|ca)-/, 'us'],
  [/^eu-/, 'eu'],
  [/^ap-northeast-[13]$/, 'jp'],
  [/^ap-southeast-[24]$/, 'au'],
  [/^ap-/, 'apac'],
];

/** A region's inference profile: current Claude models are served through one, never by their bare id. */
function profileOf(region: string): string | null {
  return profiles.find(([pattern]) => pattern.test(region))?.[1] ?? null;
}

/** What a host calls a model; the name itself where it is not known to call it otherwise. */
export function hostName(api: ProviderApi, name: string, region: string | null): string {
  const bare = name.startsWith('claude-') && !name.includes('@') ? undatedModel(name) : name;
  const known = Object.hasOwn(hostNames, bare) ? hostNames[bare] : undefined;
  if (known === undefined) return name;
  if (api === 'vertex') return known.vertex;
  if (api !== 'bedrock') return name;
  const profile = region === null ? null : profileOf(region);
  return profile === null ? known.bedrock : `${profile}.${known.bedrock}`;
}

/** Names that a host serves without being told. */
export function isHosted(name: string): boolean {
  return Object.hasOwn(hostNames, name);
}
