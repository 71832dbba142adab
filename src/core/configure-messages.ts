/** The `messages` section: when users are told without anybody asking, and in which words. Part of `configuration.ts`. */
import { z } from 'zod';

import { duration, isYes, yesNo } from './configure-fields.ts';
import { durationMs } from './duration.ts';
import { incidentClasses } from './incident.ts';
import { vagueRemedy, vagueWords } from './incident-words.ts';
import { shippedLocales } from './message.ts';
import type { MessageSettings } from './message.ts';
import { english, messageStages, placeholders } from './message-texts.ts';
import type { TextSet } from './message-texts.ts';
import type { Report } from './snapshot.ts';

const text = z.string().trim().min(1).max(1_000);
const wording = { body: text.optional(), desk: text.optional() };
const stageWording = z.strictObject({ title: text.max(120).optional(), ...wording });
const named = <const N extends readonly string[], T extends z.ZodType>(
  names: N,
  value: T,
): z.ZodObject<{ [K in N[number]]: z.ZodOptional<T> }> =>
  z.strictObject(
    Object.fromEntries(names.map((name) => [name, value.optional()])) as {
      [K in N[number]]: z.ZodOptional<T>;
    },
  );

const textSet = z.strictObject({
  causes: named(incidentClasses, z.strictObject(wording)).optional(),
  stages: named(messageStages, stageWording).optional(),
  pairs: z
    .record(
      z
        .string()
        .refine(
          (key) => incidentClasses.some((each) => messageStages.some((stage) => `${each}.${stage}` === key)),
          'must be CLASS.STAGE such as quality.resolved',
        ),
      stageWording,
    )
    .optional()
    .describe('Words of their own for one class at one stage.'),
  states: named(['normal', 'backup', 'slow', 'partial', 'paused', 'unavailable'] as const, text).optional(),
  data: z.strictObject({ left: text.optional(), stayed: text.optional() }).optional(),
  nextUpdate: text.optional(),
  again: text.optional(),
  and: text.optional(),
});

export const messagesSchema = z.strictObject({
  automatic: yesNo
    .optional()
    .describe('Whether users are told when nobody publishes or suppresses; default yes.'),
  holdDown: duration.optional().describe('How long users are affected before that; default 5m.'),
  nextUpdate: duration.optional().describe('When the next word is promised; default 30m.'),
  locales: z
    .record(
      z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'must be a language such as de or pt-BR'),
      textSet,
    )
    .optional()
    .describe('Texts by language; what is left out is said in English. `en` corrects the shipped texts.'),
});

type MessagesConfiguration = z.infer<typeof messagesSchema>;
type TextSetConfiguration = z.infer<typeof textSet>;

/** Every text of a value, with the way to it. */
function textsIn(
  value: unknown,
  path: readonly string[] = [],
): readonly (readonly [readonly string[], string])[] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

function check(locale: string, given: TextSetConfiguration, report: Report): void {
  for (const [path, said] of textsIn(given)) {
    const at = ['messages', 'locales', locale, ...path];
    const vague = vagueWords(said);
    if (vague !== null)
      report({
        path: at,
        message: vague.replace(/\.$/, ''),
        remedy: vagueRemedy.replace(/^S/, 's').replace(/\.$/, ''),
        severity: 'error',
      });
    for (const [, name = ''] of said.matchAll(/\{(\w*)\}/g))
      if (!placeholders.some((each) => each === name))
        report({
          path: at,
          message: `{${name}} stands for nothing`,
          remedy: `use ${placeholders.map((each) => `{${each}}`).join(', ')}`,
          severity: 'error',
        });
  }
}

/** Values over others, level by level; what is not given stays. */
function over<T>(base: T, given: unknown): T {
  if (given === undefined) return base;
  if (typeof base !== 'object' || base === null) return given as T;
  const merged = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(given as object))
    merged[key] = over((base as Record<string, unknown>)[key], value);
  return merged as T;
}

export function compileMessages(given: MessagesConfiguration, report: Report): MessageSettings {
  const locales = new Map<string, TextSet>(shippedLocales);
  for (const [locale, texts] of Object.entries(given.locales ?? {})) {
    check(locale, texts, report);
    // Pairs of English say in English what another language's own cause and stage say better.
    const base: TextSet = locale === 'en' ? english : { ...english, pairs: {} };
    locales.set(locale, over(base, texts));
  }
  return {
    automatic: given.automatic === undefined || isYes(given.automatic),
    holdDownMs: durationMs(given.holdDown ?? '5m') ?? 0,
    nextUpdateMs: durationMs(given.nextUpdate ?? '30m') ?? 0,
    locales,
  };
}
