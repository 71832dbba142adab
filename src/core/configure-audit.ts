/**
 * The `audit` section: how surely records are kept, for how long, and where checkpoints of the ledger are held. Checkpoints
 * that lie beside the store prove little to somebody who does not trust its keeper: they should go elsewhere too.
 */
import { z } from 'zod';

import type { SecretSource } from './compile-provider.ts';
import type { CaptureSettings } from './capture.ts';
import { captureSchema, captureSettings } from './configure-capture.ts';
import { duration, secret } from './configure-fields.ts';
import { bucketFields, bucketOf, secretOf, streamSchema, streamsOf } from './configure-stream.ts';
import type { AuditStream, Bucket } from './configure-stream.ts';
import { durationMs, sizeBytes } from './duration.ts';
import type { Secret } from './secret.ts';
import type { DataClass, Report } from './snapshot.ts';

const streamsMax = 10;

export const auditSchema = z.strictObject({
  mode: z
    .enum(['best_effort', 'strict'])
    .optional()
    .describe(
      'strict: an answer ends only when its record is on disk, and no new work is taken when none can be kept. best_effort: what cannot be kept is counted.',
    ),
  retention: z
    .union([duration, z.record(z.string(), duration)])
    .optional()
    .describe(
      'How long records are kept, or one time for each data class, with "default" for the rest. Leaves of the ledger stay for ever.',
    ),
  spool: z
    .string()
    .refine((text) => sizeBytes(text) !== null, 'must be a size such as 256MiB')
    .optional()
    .describe('Room on local disk for records while the store cannot take them; default 256MiB.'),
  origin: z
    .string()
    .regex(/^[^\s+]{1,128}$/, 'must be a name without spaces or plus, such as example.com/breakwater')
    .optional()
    .describe('The name of this ledger in its checkpoints; made with the store when not given.'),
  signingKey: secret
    .optional()
    .describe('The Ed25519 key of the checkpoints (PKCS #8 PEM); made with the store when not given.'),
  checkpoints: z
    .strictObject({
      every: duration
        .optional()
        .describe('How often one is signed when there is something new; default 60s.'),
      file: z.string().min(1).optional().describe('A file to which each one is appended.'),
      webhook: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe('An address to which each one is posted.'),
      s3: z
        .strictObject(bucketFields)
        .optional()
        .describe('S3 or what speaks like it; each one becomes an object.'),
    })
    .optional(),
  stream: z
    .array(streamSchema)
    .max(streamsMax)
    .optional()
    .describe('Where records and changes go besides the store.'),
  capture: captureSchema.optional(),
});
type Given = z.infer<typeof auditSchema>;

export type AuditSettings = {
  readonly mode: 'best_effort' | 'strict';
  /** Of records whose class has no time of its own. */
  readonly retentionMs: number;
  readonly retentionByClassMs: ReadonlyMap<string, number>;
  readonly spoolBytesMax: number;
  readonly origin: string | null;
  readonly signingKey: Secret | null;
  readonly checkpoints: {
    readonly everyMs: number;
    readonly file: string | null;
    readonly webhook: string | null;
    readonly s3: Bucket | null;
  };
  readonly streams: readonly AuditStream[];
  /** Null: no content is captured. */
  readonly capture: CaptureSettings | null;
};

const dayMs = 86_400_000;
/** Thirteen months: the window of a yearly audit, and some slack. */
const defaultRetentionMs = 400 * dayMs;
/** What several laws ask for at least. */
const shortRetentionMs = 180 * dayMs;
const defaultSpoolBytesMax = 256 * 1_048_576;
const defaultEveryMs = 60_000;

type Context = {
  readonly secrets: SecretSource;
  readonly features: ReadonlySet<string>;
  readonly classes: ReadonlyMap<string, DataClass>;
  readonly report: Report;
};

function retentionOf(
  given: Given,
  { classes, report }: Context,
): Pick<AuditSettings, 'retentionMs' | 'retentionByClassMs'> {
  const { retention } = given;
  const each = typeof retention === 'string' ? { default: retention } : (retention ?? {});
  const times = new Map(
    Object.entries(each).map(([name, text]) => [name, durationMs(text) ?? defaultRetentionMs]),
  );
  for (const name of times.keys())
    if (name !== 'default' && !classes.has(name))
      report({
        path: ['audit', 'retention', name],
        message: 'is not a data class of this configuration',
        remedy: 'define it under dataClasses, or take it out',
        severity: 'error',
      });
  const retentionMs = times.get('default') ?? defaultRetentionMs;
  times.delete('default');
  if (retentionMs < shortRetentionMs)
    report({
      path: ['audit', 'retention'],
      message: 'is shorter than six months, which several laws ask for as the least',
      remedy: 'keep it if you are sure',
      severity: 'warning',
    });
  return { retentionMs, retentionByClassMs: times };
}

export function auditSettings(given: Given = {}, context: Context): AuditSettings {
  const { checkpoints } = given;
  const retention = retentionOf(given, context);
  return {
    mode: given.mode ?? 'best_effort',
    ...retention,
    spoolBytesMax: sizeBytes(given.spool ?? '') ?? defaultSpoolBytesMax,
    origin: given.origin ?? null,
    signingKey: secretOf(given.signingKey, ['audit', 'signingKey'], context),
    checkpoints: {
      everyMs: durationMs(checkpoints?.every ?? '') ?? defaultEveryMs,
      file: checkpoints?.file ?? null,
      webhook: checkpoints?.webhook ?? null,
      s3:
        checkpoints?.s3 === undefined
          ? null
          : bucketOf(checkpoints.s3, ['audit', 'checkpoints', 's3'], context),
    },
    streams: streamsOf(given.stream ?? [], context),
    capture: captureSettings(
      given.capture,
      { byClass: retention.retentionByClassMs, others: retention.retentionMs },
      context,
    ),
  };
}
