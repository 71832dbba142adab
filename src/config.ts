/** The only reader of the environment: what it says, typed, and where secrets come from. */
import { readFileSync } from 'node:fs';

import { Secret } from './core/secret.ts';
import type { MissingSecret } from './core/secret.ts';

export type Environment = {
  readonly configPath: string | null;
  readonly adminToken: Secret | null;
  readonly url: string | null;
  /** Names of variables that are set, for the configuration made from the environment alone. */
  readonly has: (name: string) => boolean;
  /** A variable that holds no secret. */
  readonly text: (name: string) => string | null;
  readonly secrets: (reference: string) => Secret | MissingSecret;
  /** For who only reads a configuration, in a build say: a secret that is missing there is no error. */
  readonly secretsIfSet: (reference: string) => Secret | MissingSecret;
  readonly color: boolean;
};

type Variables = Readonly<Record<string, string | undefined>>;

const secretBytesMax = 65_536;

const missing = (why: string): MissingSecret => ({ why, severity: 'error' });

function fromFile(path: string): Secret | MissingSecret {
  try {
    const text = readFileSync(path, 'utf8').slice(0, secretBytesMax).trim();
    return text === '' ? missing(`the file ${path} is empty`) : new Secret(text);
  } catch {
    return missing(`the file ${path} cannot be read`);
  }
}

/** Finds the text behind `env:NAME` or `file:PATH`, or says why it cannot. */
function secretFrom(reference: string, variables: Variables): Secret | MissingSecret {
  if (reference.startsWith('file:')) return fromFile(reference.slice('file:'.length));
  const name = reference.slice('env:'.length);
  const text = variables[name]?.trim();
  return text === undefined || text === ''
    ? missing(`the environment variable ${name} is not set`)
    : new Secret(text);
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
    text,
    secrets: (reference) => secretFrom(reference, variables),
    secretsIfSet: (reference) => {
      const found = secretFrom(reference, variables);
      return 'why' in found
        ? { why: `${found.why}, and breakwater serve will need it`, severity: 'warning' }
        : found;
    },
    color: text('NO_COLOR') === null,
  };
}

type Vendor = {
  readonly id: 'anthropic' | 'openai' | 'google';
  readonly keys: readonly string[];
  readonly baseUrl: string;
};

/** The variables that the vendors' own SDKs read. */
const vendors: readonly Vendor[] = [
  { id: 'anthropic', keys: ['ANTHROPIC_API_KEY'], baseUrl: 'ANTHROPIC_BASE_URL' },
  { id: 'openai', keys: ['OPENAI_API_KEY'], baseUrl: 'OPENAI_BASE_URL' },
  { id: 'google', keys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], baseUrl: 'GOOGLE_GEMINI_BASE_URL' },
];

/** The configuration when there is no file: every provider whose key is in the environment. */
export function documentFromEnvironment(environment: Environment): unknown {
  const providers: Record<string, unknown> = {};
  for (const { id, keys, baseUrl: variable } of vendors) {
    const key = keys.find((name) => environment.has(name));
    if (key === undefined) continue;
    const baseUrl = environment.text(variable);
    providers[id] = {
      api: id,
      keys: [`env:${key}`],
      ...(baseUrl === null ? {} : { baseUrl: withVersion(id, baseUrl) }),
    };
  }
  return { providers };
}

/** Whether there is such a configuration at all. */
export const namesProvider = (environment: Environment): boolean =>
  vendors.some(({ keys }) => keys.some((name) => environment.has(name)));

/** The variable behind a place in that configuration, to tell a person where it is wrong; null where there is none. */
export function variableAt(path: readonly (string | number)[], environment: Environment): string | null {
  const [, id, setting] = path;
  const vendor = vendors.find((each) => each.id === id);
  if (vendor === undefined) return null;
  return setting === 'baseUrl' ? vendor.baseUrl : (vendor.keys.find((name) => environment.has(name)) ?? null);
}

/** The vendors' SDKs differ: OpenAI's address ends in /v1, the others' do not. */
function withVersion(vendor: Vendor['id'], baseUrl: string): string {
  const base = baseUrl.replace(/\/+$/, '');
  return vendor === 'openai' && !/\/v\d+$/.test(base) ? `${base}/v1` : base;
}
