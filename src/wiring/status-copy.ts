/**
 * Keeps a static copy of the status site in a folder, for another machine to serve: the page is to outlive the outage.
 * Written when something that it says has changed, and every minute besides, so that its moment tells that it is alive.
 * Each file is replaced whole, and only when it differs; what earlier copies left is not touched.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { copiesOf } from '../site/files.ts';
import type { Site } from '../site/site.ts';

const everyMs = 60_000;

/** Writes a file so that a reader sees the old one or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, text);
  await rename(fresh, path);
}

export async function writeCopy(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) await replaceFile(join(folder, path), text);
}

/** What a visitor would notice; the moment itself is not part of it. */
function signatureOf({ page, said, settings }: Site): string {
  return JSON.stringify([
    page.features.map(({ feature, title, status, serving }) => [feature, title, status, serving]),
    page.models.map(({ model, status }) => [model, status]),
    page.stories,
    page.planned,
    [...said.keys()],
    settings,
  ]);
}

export type StatusCopy = {
  /** Writes when it is due; call about once a second. Says what went wrong, once per trouble. */
  readonly look: () => Promise<void>;
};

export function createStatusCopy(
  sitesNow: () => readonly Site[],
  folder: () => string | null,
  onTrouble: (words: string) => void,
): StatusCopy {
  let signature = '';
  let writtenAt = 0;
  let isTroubled = false;
  let written = new Map<string, string>();
  const write = async (sites: readonly Site[], into: string): Promise<void> => {
    const files = copiesOf(sites);
    const changed = new Map([...files].filter(([path, text]) => written.get(`${into}/${path}`) !== text));
    await writeCopy(into, changed);
    written = new Map([...files].map(([path, text]) => [`${into}/${path}`, text]));
  };
  let writing: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const into = folder();
    if (into === null) return;
    const sites = sitesNow();
    const now = Math.max(0, ...sites.map(({ page }) => page.generatedAt));
    const next = `${into}\n${sites.map(signatureOf).join('\n')}`;
    if (next === signature && now - writtenAt < everyMs) return;
    try {
      await write(sites, into);
      signature = next;
      writtenAt = now;
      isTroubled = false;
    } catch (error) {
      if (!isTroubled) onTrouble(error instanceof Error ? error.message : String(error));
      isTroubled = true;
    }
  };
  return {
    look: () => {
      writing ??= look().finally(() => {
        writing = null;
      });
      return writing;
    },
  };
}
