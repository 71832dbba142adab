/**
 * Writes what the code promises to the outside as golden files, and the tables of the documentation. `--check` compares
 * instead, so that a change of the contract is always seen in a diff.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { commands } from './cli/commands.ts';
import { fullHelp } from './cli/help.ts';
import { configurationJsonSchema } from './core/configuration.ts';
import { playbookJsonSchema } from './core/playbook-schema.ts';
import { errorCodes } from './core/errors.ts';
import { failureClasses, failureRow } from './core/failure.ts';
import { dialects } from './core/target.ts';
import { translationRows } from './dialects/translation-table.ts';
import type { Fate } from './dialects/translation-table.ts';
import { headerTable } from './http/headers.ts';
import { openapiDocument } from './http/openapi.ts';
import { metricTable } from './telemetry/metrics.ts';
import { version } from '../package.json' with { type: 'json' };

const root = resolve(import.meta.dir, '..');

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function errorsText(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, row]) =>
      `${code.padEnd(27)}${String(row.status).padEnd(5)}${row.retryHelps ? 'retry helps  ' : 'do not retry '} ${row.meaning}`,
  );
  const failures = failureClasses.map((failureClass) => {
    const { fault, status, words } = failureRow(failureClass);
    return `${failureClass.padEnd(27)}${String(status).padEnd(5)}${fault.padEnd(13)} ${words}`;
  });
  return [
    '# Errors: code, status, whether to try again, meaning',
    ...rows,
    '',
    '# Failures of an attempt: class, status when nothing is left, whose fault, what the target did',
    ...failures,
    '',
  ].join('\n');
}

function headersText(): string {
  const rows = Object.entries(headerTable).map(
    ([name, { direction, meaning }]) =>
      `${direction.padEnd(10)}${name.replace(' (request)', '').padEnd(27)}${meaning}`,
  );
  return `${rows.join('\n')}\n`;
}

function metricsText(): string {
  const rows = Object.entries(metricTable).map(
    ([name, { kind, labels, help }]) => `${name} ${kind} {${labels.join(', ')}}\n  ${help}`,
  );
  return `${rows.join('\n')}\n`;
}

const fallbackWords = { yes: 'yes', no: 'no', larger_window: 'with a larger window' } as const;
const retryWords = {
  no: 'no',
  once: 'once, quickly',
  hint: 'after a short Retry-After',
  other_key: 'with another key',
} as const;

function failuresDocument(): string {
  const rows = failureClasses.map((failureClass) => {
    const row = failureRow(failureClass);
    return `| \`${failureClass}\` | the target ${row.words} | ${row.fault} | ${row.counts} | ${retryWords[row.retrySame]} | ${fallbackWords[row.moveOn]} | ${row.status} |`;
  });
  return [
    '# Failures',
    '',
    'Every failed attempt gets one class of this closed table (`src/core/failure.ts`, from which this page is made).',
    'The status is what a caller sees when nothing is left to try.',
    '',
    '| class | what happened | whose fault | counts against | same target again | another target | status |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'Failures of a key set the key aside, not the model. What the caller did wrong counts against nobody.',
    '',
  ].join('\n');
}

function errorsDocument(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, row]) => `| \`${code}\` | ${row.status} | ${row.retryHelps ? 'yes' : 'no'} | ${row.meaning} |`,
  );
  return [
    '# Errors a caller can see',
    '',
    "Errors have the shape of the caller's dialect, and a `breakwater` object with the stable code, the request id, what",
    'failed, what was excluded and, where the policy asks, offers. Made from `src/core/errors.ts`.',
    '',
    '| code | status | does a retry help? | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    '`x-should-retry` says the same in a header that both major SDKs obey. A provider’s refusal of the request itself',
    '(`request_rejected`) keeps the status and words of the provider.',
    '',
  ].join('\n');
}

function fateWords(fate: Fate | undefined): string {
  switch (fate?.kind) {
    case undefined:
      return '·';
    case 'carried':
      return 'carried';
    case 'dropped':
      return `dropped: \`${fate.what.join('`, `')}\``;
    case 'left_out':
      return `left out: \`${fate.lacks}\``;
  }
}

function translationDocument(): string {
  const rows = translationRows(dialects).map(
    ({ feature, from, fates }) =>
      `| ${feature} | \`${from}\` | ${dialects.map((to) => fateWords(fates.get(to))).join(' | ')} |`,
  );
  return [
    '# Translation',
    '',
    'Within one dialect a request goes through as the bytes it came in. This table says what becomes of each feature',
    'across dialects. It is made by translating one request for each feature (`src/dialects/translation-table.ts`), so it',
    'is what the code does.',
    '',
    '- *carried*: the target is asked for the same thing, in its own form (tool names and ids are changed where a format',
    '  demands it, and changed back in the answer).',
    '- *dropped*: the answer does not depend on it. Its name stands in `x-breakwater-warnings`.',
    '- *left out*: the answer would mean something else without it, so the target is not asked. The reason on its candidate',
    '  is `lacks_capability` with this name.',
    '- A picture by address for `gemini` is fetched first: only from public addresses, at most 10 MB, in at most 5 s. The',
    '  target is left out when that fails.',
    '- What one provider signed (thinking, encrypted reasoning, thought signatures) goes back to that provider only.',
    '- What a newer model refuses (sampling, forced tools, fixed budgets of thinking) is dropped for that model and named.',
    '- What a caller turns on by header (`anthropic-beta`, `openai-beta`) is dropped, and the header is named.',
    '',
    `| feature | from | ${dialects.map((to) => `to \`${to}\``).join(' | ')} |`,
    `|---|---|${dialects.map(() => '---').join('|')}|`,
    ...rows,
    '',
  ].join('\n');
}

const files: Readonly<Record<string, string>> = {
  'contract/openapi.json': json(openapiDocument(version)),
  'contract/config.schema.json': json(configurationJsonSchema()),
  'contract/playbook.schema.json': json(playbookJsonSchema()),
  'contract/cli.txt': `${fullHelp(commands)}\n`,
  'contract/errors.txt': errorsText(),
  'contract/headers.txt': headersText(),
  'contract/metrics.txt': metricsText(),
  'docs/failures.md': failuresDocument(),
  'docs/errors.md': errorsDocument(),
  'docs/translation.md': translationDocument(),
};

function current(file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}

/** Golden files that differ from what the code says. */
export function staleFiles(): readonly string[] {
  return Object.entries(files)
    .filter(([file, text]) => current(file) !== text)
    .map(([file]) => file);
}

const differencesShownMax = 5;

/** The first lines of a golden file that are not what the code says: `-` as it is there, `+` as it should be. */
function differences(file: string): string {
  const before = current(file).split('\n');
  const after = (files[file] ?? '').split('\n');
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index)
    .filter((index) => before[index] !== after[index])
    .slice(0, differencesShownMax)
    .map((index) => `  line ${index + 1}\n  - ${before[index] ?? ''}\n  + ${after[index] ?? ''}\n`)
    .join('');
}

if (import.meta.main) {
  const stale = staleFiles();
  if (process.argv.includes('--check')) {
    for (const file of stale)
      process.stderr.write(`${file} is not what the code says. Run: npm run contract\n${differences(file)}`);
    process.exit(stale.length === 0 ? 0 : 1);
  }
  for (const file of stale) writeFileSync(join(root, file), files[file] ?? '');
  process.stdout.write(`${stale.length} of ${Object.keys(files).length} files written\n`);
}
