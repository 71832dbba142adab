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
import type { Problem, Report } from './snapshot.ts';

const text = z.string().trim().min(1).max(1_000);

/** Everything of a text set may be said otherwise, and nothing has to be: its schema is made from what English says. */
type Sparse<T> = T extends string ? string : { readonly [K in keyof T]?: Sparse<T[K]> | undefined };
function sparse(value: object): z.ZodType {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(value).map(([key, inner]: [string, unknown]) => [
        key,
        (typeof inner === 'object' && inner !== null ? sparse(inner) : text).optional(),
      ]),
    ),
  );
}

const { pairs: _pairs, ...plain } = english;
const stageWording = z.strictObject({
  title: text.max(120).optional(),
  body: text.optional(),
  desk: text.optional(),
});
const pairs = z
  .record(
    z
      .string()
      .refine(
        (key) => incidentClasses.some((each) => messageStages.some((stage) => `${each}.${stage}` === key)),
        'must be CLASS.STAGE such as quality.resolved',
      ),
    stageWording,
  )
  .describe('Words of their own for one class at one stage.');

/** Of one language, in part or whole. */
export type GivenTexts = Sparse<typeof plain> & { readonly pairs?: z.infer<typeof pairs> | undefined };
/** Made when somebody gives texts of their own: it is as large as the whole rest of the configuration's form. */
const textSet = z.lazy(
  () =>
    z.strictObject({
      ...(sparse(plain) as z.ZodObject).shape,
      pairs: pairs.optional(),
    }) as unknown as z.ZodType<GivenTexts>,
);

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'must be a language such as de or pt-BR');

export const messagesSchema = z.strictObject({
  automatic: yesNo
    .optional()
    .describe('Whether users are told when nobody publishes or suppresses; default yes.'),
  holdDown: duration.optional().describe('How long users are affected before that; default 5m.'),
  nextUpdate: duration.optional().describe('When the next word is promised; default 30m.'),
  locales: z
    .union([z.string().min(1).max(1_000), z.record(language, textSet)])
    .optional()
    .describe(
      'Texts by language, or a folder with a YAML file for each (`de.yaml`). What is left out is as shipped (en, de), or in English. `de: {}` is enough for German.',
    ),
});

type MessagesConfiguration = z.infer<typeof messagesSchema>;

/** Every text of a value, with the way to it. */
function textsIn(
  value: unknown,
  path: readonly string[] = [],
): readonly (readonly [readonly string[], string])[] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

/** What English says at a place; null where it says nothing of its own. */
function englishAt(path: readonly string[]): string | null {
  const found = path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : null,
    english,
  );
  return typeof found === 'string' ? found : null;
}

const placesIn = (said: string): readonly string[] =>
  [...said.matchAll(/\{(\w*)\}/g)].map(([, name = '']) => name);

/** Where a text stands: in the configuration, or in a file of its own. */
type Standing = { readonly path: Problem['path']; readonly file: string | null };

function check(given: GivenTexts, { path: at, file }: Standing, report: Report): void {
  for (const [path, said] of textsIn(given)) {
    const where = file === null ? '' : `${file}: ${path.join('.')}: `;
    const place = file === null ? [...at, ...path] : at;
    const vague = vagueWords(said);
    if (vague !== null)
      report({
        path: place,
        message: `${where}${vague.replace(/\.$/, '')}`,
        remedy: vagueRemedy.replace(/^S/, 's').replace(/\.$/, ''),
        severity: 'error',
      });
    // The page's own words have the places that their English has; messages may have any of theirs.
    const own = ['site', 'at'].includes(path[0] ?? '') ? placesIn(englishAt(path) ?? '') : placeholders;
    for (const name of placesIn(said))
      if (!own.some((each) => each === name))
        report({
          path: place,
          message: `${where}{${name}} stands for nothing`,
          remedy: own.length === 0 ? 'leave it out' : `use ${own.map((each) => `{${each}}`).join(', ')}`,
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

/** Files of languages, as they were read: their text by language, or why there is none. */
export type LocaleFiles = ReadonlyMap<string, { readonly file: string; readonly value: unknown }>;

type Given = Standing & { readonly texts: GivenTexts };

function givenLocales(
  given: MessagesConfiguration['locales'],
  files: LocaleFiles,
  report: Report,
): ReadonlyMap<string, Given> {
  const path = ['messages', 'locales'];
  if (typeof given !== 'string')
    return new Map(
      Object.entries(given ?? {}).map(([locale, texts]) => [
        locale,
        { texts, path: [...path, locale], file: null },
      ]),
    );
  const found = new Map<string, Given>();
  const problem = (message: string, remedy: string): void =>
    report({ path, message, remedy, severity: 'error' });
  if (files.size === 0) problem(`there is no language in ${given}`, 'put a file such as de.yaml there');
  for (const [locale, { file, value }] of files) {
    const parsed = textSet.safeParse(value ?? {});
    if (!language.safeParse(locale).success)
      problem(`${file} is not named after a language`, 'name it such as de.yaml or pt-BR.yaml');
    else if (parsed.success) found.set(locale, { texts: parsed.data, path, file });
    else
      for (const { path: at, message } of parsed.error.issues)
        problem(`${file}: ${at.join('.')}: ${message}`, 'correct the file');
  }
  return found;
}

export function compileMessages(
  given: MessagesConfiguration,
  report: Report,
  files: LocaleFiles = new Map(),
): MessageSettings {
  const locales = new Map<string, TextSet>([['en', english]]);
  for (const [locale, { texts, ...standing }] of givenLocales(given.locales, files, report)) {
    check(texts, standing, report);
    // Pairs of English say in English what another language's own cause and stage say better.
    const base = shippedLocales.get(locale) ?? { ...english, name: locale, pairs: {} };
    locales.set(locale, over(base, texts));
  }
  return {
    automatic: given.automatic === undefined || isYes(given.automatic),
    holdDownMs: durationMs(given.holdDown ?? '5m') ?? 0,
    nextUpdateMs: durationMs(given.nextUpdate ?? '30m') ?? 0,
    locales,
  };
}
