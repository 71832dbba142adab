/** Forms of values that several sections of the configuration share. Part of `configuration.ts`. */
import { z } from 'zod';

import { durationMs, frequency, rate } from './duration.ts';

export const duration = z
  .string()
  .refine((text) => durationMs(text) !== null, 'must be a duration such as 500ms, 10s, 5m or 30d');
export const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-10-01');
export const yesNo = z.union([z.boolean(), z.enum(['yes', 'no'])]);
export const secret = z
  .string()
  .regex(
    /^(?:env:[A-Za-z_]\w*|file:.+)$/,
    'must be a reference, env:NAME or file:PATH; a key itself does not belong in a configuration',
  );

/** YAML parsers differ in whether they make `yes` a word or a truth. */
export const isYes = (value: boolean | 'yes' | 'no' | undefined): boolean =>
  value === true || value === 'yes';

export const described = <T extends z.ZodType>(schema: T, description: string): T =>
  schema.describe(description);

export const percentage = z.string().refine((text) => rate(text) !== null, 'must be a rate such as 0.5%');

export const often = z
  .string()
  .refine((text) => frequency(text) !== null, 'must be a frequency such as "1 per 30d"');
