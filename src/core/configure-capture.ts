/** The part `audit.capture` of the configuration: whose content is captured, under which key, and for how long. */
import { z } from 'zod';

import type { CaptureSettings } from './capture.ts';
import { duration, secret } from './configure-fields.ts';
import { secretOf } from './configure-stream.ts';
import type { SecretContext } from './configure-stream.ts';
import { durationMs, sizeBytes } from './duration.ts';
import { didYouMean } from './nearest.ts';
import type { DataClass } from './snapshot.ts';

export const captureSchema = z
  .strictObject({
    key: secret.describe(
      'The key that wraps all others: 32 bytes in base64, such as openssl rand -base64 32 makes.',
    ),
    features: z.array(z.string()).min(1).optional().describe('Only requests of these features are captured.'),
    dataClasses: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('Only requests of these classes of data are captured.'),
    retention: duration.optional().describe('How long content is kept; default 30d.'),
    bodyMax: z
      .string()
      .refine((text) => sizeBytes(text) !== null, 'must be a size such as 256KiB')
      .optional()
      .describe('How much of a request, and of an answer, is kept; default 256KiB.'),
  })
  .refine(
    ({ features, dataClasses }) => features !== undefined || dataClasses !== undefined,
    'names neither features nor dataClasses, so nothing would be captured: name what is',
  )
  .describe('Prompts and answers, encrypted for each user and day. Nothing is captured without it.');
type Given = z.infer<typeof captureSchema>;

const defaultRetentionMs = 30 * 86_400_000;
const defaultBodyBytesMax = 262_144;
const bodyBytesLimit = 4 * 1_048_576;
const keyBytes = 32;

export type CaptureContext = SecretContext & {
  readonly features: ReadonlySet<string>;
  readonly classes: ReadonlyMap<string, DataClass>;
};

/** The bytes of a key; null when it is none. */
export function captureKeyBytes(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.fromBase64(text.trim());
    return bytes.length === keyBytes ? bytes : null;
  } catch {
    return null;
  }
}

function checkNames(given: Given, { features, classes, report }: CaptureContext): void {
  const unknown = (
    list: 'features' | 'dataClasses',
    known: { has(name: string): boolean; keys(): Iterable<string> },
    what: string,
  ): void => {
    for (const [index, name] of (given[list] ?? []).entries())
      if (!known.has(name))
        report({
          path: ['audit', 'capture', list, index],
          message: `${name} is not a ${what} of this configuration`,
          remedy: didYouMean(name, known.keys()) || 'define it, or take it out',
          severity: 'error',
        });
  };
  unknown('features', features, 'feature');
  unknown('dataClasses', classes, 'data class');
  for (const [index, name] of (given.dataClasses ?? []).entries())
    if (classes.get(name)?.noCapture === true)
      report({
        path: ['audit', 'capture', 'dataClasses', index],
        message: `${name} forbids capture, so it is never captured`,
        remedy: 'take it out here, or "capture: no" out of the class',
        severity: 'error',
      });
}

/** Null: nothing is captured. */
export function captureSettings(
  given: Given | undefined,
  recordsMs: CaptureSettings['recordsMs'],
  context: CaptureContext,
): CaptureSettings | null {
  if (given === undefined) return null;
  checkNames(given, context);
  const path = ['audit', 'capture', 'key'];
  const key = secretOf(given.key, path, context);
  if (key === null) return null;
  if (captureKeyBytes(key.reveal()) === null)
    context.report({
      path,
      message: 'is not a key of 32 bytes in base64',
      remedy: 'make one with: openssl rand -base64 32',
      severity: 'error',
    });
  return {
    key,
    features: given.features === undefined ? null : new Set(given.features),
    dataClasses: given.dataClasses === undefined ? null : new Set(given.dataClasses),
    retentionMs: durationMs(given.retention ?? '') ?? defaultRetentionMs,
    recordsMs,
    bodyBytesMax: Math.min(sizeBytes(given.bodyMax ?? '') ?? defaultBodyBytesMax, bodyBytesLimit),
  };
}
