/** Playbooks from YAML files: read, with every problem at its line and column. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';

import { isNonEmpty } from '../core/ids.ts';
import type { NonEmpty } from '../core/ids.ts';
import type { Playbook } from '../core/playbook.ts';
import { readPlaybook } from '../core/read-playbook.ts';
import { brokenYaml, inOrder, readYaml } from './yaml-text.ts';
import type { LocatedProblem } from './yaml-text.ts';

export type PlaybookLoaded =
  | {
      readonly ok: true;
      readonly playbook: Playbook;
      readonly text: string;
      readonly warnings: readonly LocatedProblem[];
    }
  | { readonly ok: false; readonly problems: NonEmpty<LocatedProblem> };

export type PlaybookFile = { readonly path: string; readonly loaded: PlaybookLoaded };

/** More files than this are not read. */
export const playbookFilesMax = 200;

const versionOf = (text: string): string =>
  new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 16);

export function readPlaybookText(text: string): PlaybookLoaded {
  const yaml = readYaml(text);
  if (!yaml.ok) return { ok: false, problems: yaml.problems };
  const read = readPlaybook(yaml.value, versionOf(text));
  if (read.ok) return { ok: true, playbook: read.playbook, text, warnings: read.warnings.map(yaml.locate) };
  const problems = inOrder(read.problems.map(yaml.locate));
  return { ok: false, problems: isNonEmpty(problems) ? problems : [brokenYaml('cannot be read')] };
}

export async function readPlaybookFile(path: string): Promise<PlaybookLoaded> {
  try {
    return readPlaybookText(await readFile(path, 'utf8'));
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    return { ok: false, problems: [brokenYaml(`the file cannot be read (${code})`)] };
  }
}

/** The files of a pattern such as `./playbooks/*.yaml`, beside the configuration that names it. */
export async function readPlaybookFiles(
  pattern: string,
  besides: string | null,
): Promise<readonly PlaybookFile[]> {
  const whole = isAbsolute(pattern) ? pattern : join(besides === null ? '.' : dirname(besides), pattern);
  const paths: string[] = [];
  try {
    for await (const path of new Bun.Glob(basename(whole)).scan({ cwd: dirname(whole), absolute: true })) {
      paths.push(path);
      if (paths.length >= playbookFilesMax) break;
    }
  } catch {
    return []; // no such folder: no playbooks
  }
  return Promise.all(paths.sort().map(async (path) => ({ path, loaded: await readPlaybookFile(path) })));
}
