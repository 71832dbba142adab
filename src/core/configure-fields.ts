/** Forms of values that several sections of the configuration share. Part of `configuration.ts`. */
import { z } from 'zod';

import { durationMs, frequency, rate } from './duration.ts';
import { isDay } from './moment.ts';

/** Text of a form. What is no text is told the form as well: a bare `0.5` is a number to YAML, and a rate to a person. */
export function form(fits: (text: string) => boolean, words: string): z.ZodString {
  return z.string({ error: ({ input }) => (input === undefined ? undefined : words) }).refine(fits, words);
}

export const duration = form(
  (text) => durationMs(text) !== null,
  'must be a duration such as 500ms, 10s, 5m or 30d',
);
/** Where no time at all would be no waiting at all. */
export const someTime = form(
  (text) => (durationMs(text) ?? 0) > 0,
  'must be a duration of more than nothing, such as 500ms, 10s, 5m or 30d',
);
export const date = form(isDay, 'must be a date such as 2026-10-01');
/** An address that we call. What it asks for is a secret, and has a place of its own. */
export const calledAddress = form((text) => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}, 'must be an address of the web without a name and password in it: a key goes under keys');
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

export const percentage = form((text) => rate(text) !== null, 'must be a rate such as 0.5%');

export const often = form((text) => frequency(text) !== null, 'must be a frequency such as "1 per 30d"');
