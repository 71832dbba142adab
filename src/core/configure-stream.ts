/**
 * `audit.stream`: where records and changes go besides the store, as they are written. A stream has a name because its place
 * in the ledger is kept under it; without one, the name is the host or bucket where it goes.
 */
import { z } from 'zod';

import type { SecretSource } from './compile-provider.ts';
import { duration, secret, yesNo, isYes } from './configure-fields.ts';
import { durationMs } from './duration.ts';
import type { Secret } from './secret.ts';
import type { Report } from './snapshot.ts';

export const bucketFields = {
  bucket: z.string().min(1),
  prefix: z.string().optional(),
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  region: z.string().optional(),
  accessKeyId: secret.optional(),
  secretAccessKey: secret.optional(),
} as const;
const bucketSchema = z.strictObject(bucketFields);

export type Bucket = {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string | null;
  readonly region: string | null;
  readonly accessKeyId: Secret | null;
  readonly secretAccessKey: Secret | null;
};

const common = {
  name: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional()
    .describe('Under which its place in the ledger is kept; default: its kind and host or bucket.'),
  every: duration
    .optional()
    .describe('How often what is new is sent; default 10s, and for s3 a window of 60s.'),
};
const url = z.url({ protocol: /^https?$/ });
const allowPrivate = yesNo.optional().describe('Whether its name may lead to a private address; default no.');

export const streamSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('webhook'),
    url,
    secrets: z.array(secret).min(1).describe('Keys that sign (Standard Webhooks), the newest first.'),
    allowPrivate,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('otlp'),
    url: url.describe('The address for logs over HTTP, such as https://collector:4318/v1/logs.'),
    headers: z.record(z.string(), secret).optional().describe('Headers, as references to secrets.'),
    allowPrivate,
  }),
  z.strictObject({ ...common, kind: z.literal('s3'), ...bucketFields }),
]);
type Given = z.infer<typeof streamSchema>;

type Every = { readonly name: string; readonly everyMs: number };
export type AuditStream = Every &
  (
    | {
        readonly kind: 'webhook';
        readonly url: string;
        readonly secrets: readonly Secret[];
        readonly allowPrivate: boolean;
      }
    | {
        readonly kind: 'otlp';
        readonly url: string;
        readonly headers: ReadonlyMap<string, Secret>;
        readonly allowPrivate: boolean;
      }
    | { readonly kind: 's3'; readonly to: Bucket }
  );

export type SecretContext = { readonly secrets: SecretSource; readonly report: Report };
type Path = readonly (string | number)[];

export function secretOf(
  reference: string | undefined,
  path: Path,
  { secrets, report }: SecretContext,
): Secret | null {
  if (reference === undefined) return null;
  const found = secrets(reference);
  if (!('why' in found)) return found;
  report({ path, message: found.why, remedy: 'set it, or name another one', severity: found.severity });
  return null;
}

export function bucketOf(given: z.infer<typeof bucketSchema>, path: Path, context: SecretContext): Bucket {
  return {
    bucket: given.bucket,
    prefix: given.prefix ?? '',
    endpoint: given.endpoint ?? null,
    region: given.region ?? null,
    accessKeyId: secretOf(given.accessKeyId, [...path, 'accessKeyId'], context),
    secretAccessKey: secretOf(given.secretAccessKey, [...path, 'secretAccessKey'], context),
  };
}

const defaultEveryMs = { webhook: 10_000, otlp: 10_000, s3: 60_000 } as const;

/** The rest of an address may hold what nobody should read in a log. */
const hostOf = (address: string): string => new URL(address).host;

function streamOf(given: Given, path: Path, context: SecretContext): AuditStream {
  const everyMs = durationMs(given.every ?? '') ?? defaultEveryMs[given.kind];
  switch (given.kind) {
    case 'webhook':
      return {
        kind: 'webhook',
        name: given.name ?? `webhook:${hostOf(given.url)}`,
        everyMs,
        url: given.url,
        secrets: given.secrets.flatMap(
          (reference, index) => secretOf(reference, [...path, 'secrets', index], context) ?? [],
        ),
        allowPrivate: isYes(given.allowPrivate),
      };
    case 'otlp':
      return {
        kind: 'otlp',
        name: given.name ?? `otlp:${hostOf(given.url)}`,
        everyMs,
        url: given.url,
        headers: new Map(
          Object.entries(given.headers ?? {}).flatMap(([name, reference]) => {
            const found = secretOf(reference, [...path, 'headers', name], context);
            return found === null ? [] : [[name, found] as const];
          }),
        ),
        allowPrivate: isYes(given.allowPrivate),
      };
    case 's3':
      return {
        kind: 's3',
        name: given.name ?? `s3:${given.bucket}/${given.prefix ?? ''}`,
        everyMs,
        to: bucketOf(given, path, context),
      };
  }
}

export function streamsOf(given: readonly Given[], context: SecretContext): readonly AuditStream[] {
  const streams = given.map((each, index) => streamOf(each, ['audit', 'stream', index], context));
  streams.forEach(({ name }, index) => {
    if (streams.findIndex((each) => each.name === name) !== index)
      context.report({
        path: ['audit', 'stream', index],
        message: `is the second stream called ${name}`,
        remedy: 'give it a name of its own',
        severity: 'error',
      });
  });
  return streams;
}
