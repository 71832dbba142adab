/** The `statusPage` section: its name, its looks, where it lives, what is planned. Part of `configuration.ts`. */
import { z } from 'zod';

import type { SecretSource } from './compile-provider.ts';
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import { epochOf } from './moment.ts';
import type { Report } from './snapshot.ts';

/** Of a logo or a style that is part of the page: the page is to stay under 30 KB. */
const logoLengthMax = 6_000;
const cssLengthMax = 4_000;
const maintenanceMax = 100;

const moment = z.iso.datetime({ offset: true, error: 'must be a moment such as 2026-06-07T09:00:00Z' });
const words = z.string().trim().min(1);

const maintenance = z.strictObject({
  title: words.max(120),
  from: moment,
  until: moment,
  text: words.max(1_000).optional().describe('What changes, and what users have to do.'),
  features: z.array(z.string()).optional().describe('Which are affected; default: all.'),
});

export const statusPageSchema = z.strictObject({
  title: words.max(80).optional().describe('Default "Status of AI features".'),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where people read the page; feeds and channels link to it.'),
  logo: z
    .string()
    .regex(/^(?:https:\/\/|data:image\/|file:).+/, 'must be https://…, data:image/… or file:PATH of an SVG')
    .optional(),
  css: z
    .string()
    .min(1)
    .optional()
    .describe('CSS after our own, as text or file:PATH; see the variables in docs/status-page.md.'),
  support: z
    .string()
    .regex(/^(?:https?:\/\/|mailto:)\S+$/, 'must be https://… or mailto:…')
    .optional()
    .describe('Where users find help.'),
  exportDir: z.string().min(1).optional().describe('A static copy is kept up to date here.'),
  maintenance: z.array(maintenance).max(maintenanceMax).optional(),
});

type StatusPageConfiguration = z.infer<typeof statusPageSchema>;

export type Maintenance = {
  /** Made from its title and beginning, so that it stays the same from load to load. */
  readonly id: string;
  readonly title: string;
  readonly text: string | null;
  readonly from: Instant;
  readonly until: Instant;
  /** Null: every feature. */
  readonly features: readonly string[] | null;
};

export type StatusPageSettings = {
  readonly title: string;
  readonly url: string | null;
  /** An address or the picture itself; null when there is none. */
  readonly logo: string | null;
  readonly css: string;
  readonly support: string | null;
  readonly exportDir: string | null;
  readonly maintenance: readonly Maintenance[];
};

type Tell = (field: readonly (string | number)[], message: string, remedy: string) => void;

/** What a field says, or what is in the file it names; null when that cannot be had. */
function textOf(given: string, field: string, secrets: SecretSource, tell: Tell): string | null {
  if (!given.startsWith('file:')) return given;
  const found = secrets(given);
  if (!('why' in found)) return found.reveal();
  tell([field], found.why, 'correct the path');
  return null;
}

function logoOf(given: string | undefined, secrets: SecretSource, tell: Tell): string | null {
  if (given === undefined) return null;
  const text = textOf(given, 'logo', secrets, tell);
  if (text === null) return null;
  const isFile = given.startsWith('file:');
  if (isFile && !/<svg[\s>]/.test(text)) {
    tell(['logo'], 'is not an SVG', 'use an SVG file, or an address with https://');
    return null;
  }
  const logo = isFile ? `data:image/svg+xml,${encodeURIComponent(text)}` : text;
  if (logo.length <= logoLengthMax) return logo;
  tell(
    ['logo'],
    `is longer than ${logoLengthMax} characters`,
    'use a simpler picture, or an address with https://',
  );
  return null;
}

function cssOf(given: string | undefined, secrets: SecretSource, tell: Tell): string {
  const css = given === undefined ? '' : (textOf(given, 'css', secrets, tell) ?? '');
  // It stands in the page: what would end the style is no style.
  if (css.includes('<')) tell(['css'], 'holds a "<"', 'leave only CSS there');
  if (css.length > cssLengthMax)
    tell(['css'], `is longer than ${cssLengthMax} characters`, 'set variables, not a whole new style');
  return css;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

export function compileStatusPage(
  given: StatusPageConfiguration,
  features: ReadonlySet<string>,
  secrets: SecretSource,
  report: Report,
): StatusPageSettings {
  const tell: Tell = (field, message, remedy) =>
    report({ path: ['statusPage', ...field], message, remedy, severity: 'error' });
  const planned = (given.maintenance ?? []).map((each, index): Maintenance => {
    const [from, until] = [each.from, each.until].map((text) => instant(epochOf(text)));
    if (from === undefined || until === undefined || until <= from)
      tell(['maintenance', index, 'until'], 'is not after "from"', 'correct the times');
    for (const [place, name] of (each.features ?? []).entries())
      if (!features.has(name))
        tell(['maintenance', index, 'features', place], `there is no feature "${name}"`, 'correct the name');
    return {
      id: `mnt_${slug(each.title)}_${each.from.replaceAll(/\D/g, '')}`,
      title: each.title,
      text: each.text ?? null,
      from: from ?? instant(0),
      until: until ?? instant(0),
      features: each.features ?? null,
    };
  });
  return {
    title: given.title ?? 'Status of AI features',
    url: given.url?.replace(/\/+$/, '') ?? null,
    logo: logoOf(given.logo, secrets, tell),
    css: cssOf(given.css, secrets, tell),
    support: given.support ?? null,
    exportDir: given.exportDir ?? null,
    maintenance: planned,
  };
}
