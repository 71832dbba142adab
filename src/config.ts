/** The only reader of the environment: what it says, typed, and where secrets come from. */
import { readFileSync } from 'node:fs';

import { Secret } from './core/secret.ts';

export type Environment = {
  readonly configPath: string | null;
  readonly adminToken: Secret | null;
  readonly url: string | null;
  /** Names of variables that are set, for the configuration made from the environment alone. */
  readonly has: (name: string) => boolean;
  readonly baseUrl: (vendor: 'anthropic' | 'openai') => string | null;
  readonly secrets: (reference: string) => Secret | string;
  readonly color: boolean;
};

type Variables = Readonly<Record<string, string | undefined>>;

const secretBytesMax = 65_536;

function fromFile(path: string): Secret | string {
  try {
    const text = readFileSync(path, 'utf8').slice(0, secretBytesMax).trim();
    return text === '' ? `the file ${path} is empty` : new Secret(text);
  } catch {
    return `the file ${path} cannot be read`;
  }
}

/** Finds the text behind `env:NAME` or `file:PATH`; a string says why it cannot. */
function secretFrom(reference: string, variables: Variables): Secret | string {
  if (reference.startsWith('file:')) return fromFile(reference.slice('file:'.length));
  const name = reference.slice('env:'.length);
  const text = variables[name]?.trim();
  return text === undefined || text === '' ? `the environment variable ${name} is not set` : new Secret(text);
}

export function readEnvironment(variables: Variables = process.env): Environment {
  const text = (name: string): string | null => {
    const value = variables[name]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const adminToken = text('BREAKWATER_ADMIN_TOKEN');
  return {
    configPath: text('BREAKWATER_CONFIG'),
    adminToken: adminToken === null ? null : new Secret(adminToken),
    url: text('BREAKWATER_URL'),
    has: (name) => text(name) !== null,
    baseUrl: (vendor) => text(vendor === 'anthropic' ? 'ANTHROPIC_BASE_URL' : 'OPENAI_BASE_URL'),
    secrets: (reference) => secretFrom(reference, variables),
    color: text('NO_COLOR') === null,
  };
}

/** The configuration when there is no file: every provider whose key is in the environment. */
export function documentFromEnvironment(environment: Environment): unknown {
  const providers: Record<string, unknown> = {};
  for (const vendor of ['anthropic', 'openai'] as const) {
    const variable = `${vendor.toUpperCase()}_API_KEY`;
    if (!environment.has(variable)) continue;
    const baseUrl = environment.baseUrl(vendor);
    providers[vendor] = {
      api: vendor,
      keys: [`env:${variable}`],
      ...(baseUrl === null ? {} : { baseUrl: withVersion(vendor, baseUrl) }),
    };
  }
  return { providers };
}

/** The vendors' SDKs differ: OpenAI's address ends in /v1, Anthropic's does not. */
function withVersion(vendor: 'anthropic' | 'openai', baseUrl: string): string {
  const base = baseUrl.replace(/\/+$/, '');
  return vendor === 'openai' && !/\/v\d+$/.test(base) ? `${base}/v1` : base;
}
