/** Files of languages beside a configuration: `locales/de.yaml`, each one set of texts. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { LocaleFiles } from '../core/configure-messages.ts';

export type LocalesRead = {
  readonly files: LocaleFiles;
  /** All that was read, for the hash of the configuration. */
  readonly text: string;
};

const filesMax = 50;
const ending = /\.ya?ml$/;

/** The folder that a configuration names for its languages; null when it names none. */
export function localesFolder(document: unknown): string | null {
  const messages = (document as { readonly messages?: { readonly locales?: unknown } } | null)?.messages;
  const named = typeof messages === 'object' && messages !== null ? messages.locales : null;
  return typeof named === 'string' ? named : null;
}

/** A file that is no YAML is a text, which no set of texts is: it is refused by what checks them. */
function valueOf(text: string): unknown {
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    return `no YAML: ${error instanceof Error ? error.message : ''}`;
  }
}

export async function readLocaleFiles(folder: string, configPath: string): Promise<LocalesRead> {
  const at = resolve(dirname(configPath), folder);
  const names = (await readdir(at).catch((): string[] => [])).filter((name) => ending.test(name)).sort();
  const read = await Promise.all(
    names.slice(0, filesMax).map(async (name) => ({ name, text: await readFile(join(at, name), 'utf8') })),
  );
  return {
    files: new Map(
      read.map(({ name, text }) => [
        name.replace(ending, ''),
        { file: join(folder, name), value: valueOf(text) },
      ]),
    ),
    text: read.map(({ name, text }) => `\n${name}\n${text}`).join(''),
  };
}
