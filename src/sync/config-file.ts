/**
 * Configuration from a YAML file: reads, compiles, and gives every problem its line and column. Watching tells when
 * the file has changed, also when an editor replaces it.
 */
import { readFile, stat } from 'node:fs/promises';

import { staleWords } from '../core/agreement.ts';
import type { SecretSource } from '../core/compile-provider.ts';
import { dueSoon } from '../core/due.ts';
import { isNonEmpty } from '../core/ids.ts';
import type { Instant, NonEmpty } from '../core/ids.ts';
import { compile } from '../core/policy.ts';
import type { Problem, Snapshot } from '../core/snapshot.ts';
import { localesFolder, readLocaleFiles } from './locale-files.ts';
import type { LocalesRead } from './locale-files.ts';
import { brokenYaml, inOrder, readYaml } from './yaml-text.ts';
import type { LocatedProblem } from './yaml-text.ts';
import { snapshotHash } from '../store/snapshot-text.ts';

export type Loaded =
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      readonly warnings: readonly LocatedProblem[];
      readonly text: string;
    }
  | { readonly ok: false; readonly problems: NonEmpty<LocatedProblem> };

function broken(message: string): Loaded {
  return { ok: false, problems: [brokenYaml(message)] };
}

const noLocales: LocalesRead = { files: new Map(), text: '' };

function staleGates({ gates }: Snapshot, now: Instant): readonly Problem[] {
  return gates.flatMap((gate, index): Problem[] => {
    const words = staleWords('this gate', gate.agreed, now);
    if (words === null) return [];
    return [
      {
        path: ['gates', index, 'agreed'],
        message: words.replace(/\.$/, ''),
        remedy: 'look at its numbers with: breakwater gate test, then sign it again',
        severity: 'warning',
      },
    ];
  });
}

/** Compiles YAML (or JSON, which is YAML). With the time of day, dates that are near are warned of too. */
export function compileText(
  text: string,
  secrets: SecretSource,
  now: Instant | null = null,
  locales: LocalesRead = noLocales,
): Loaded {
  const read = readYaml(text);
  if (!read.ok) return { ok: false, problems: read.problems };
  const hash = snapshotHash(`${text}${locales.text}`);
  const compiled = compile(read.value, { hash, secrets, locales: locales.files });
  if (compiled.ok) {
    const { snapshot, warnings } = compiled;
    const due = now === null ? [] : [...dueSoon(snapshot, now), ...staleGates(snapshot, now)];
    return { ok: true, snapshot, warnings: [...warnings, ...due].map(read.locate), text };
  }
  const problems = inOrder(compiled.problems.map(read.locate));
  return isNonEmpty(problems) ? { ok: false, problems } : broken('cannot be read');
}

/** Compiles a configuration that was made by us, not written by a person. */
export function compileDocument(value: unknown, secrets: SecretSource): Loaded {
  return compileText(JSON.stringify(value, null, 2), secrets);
}

export async function loadConfigFile(
  path: string,
  secrets: SecretSource,
  now: Instant | null = null,
): Promise<Loaded> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    const message = code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`;
    return {
      ok: false,
      problems: [brokenYaml(message, undefined, 'name another file, or make it readable')],
    };
  }
  const read = readYaml(text);
  const folder = read.ok ? localesFolder(read.value) : null;
  const locales = folder === null ? noLocales : await readLocaleFiles(folder, path);
  return compileText(text, secrets, now, locales);
}

/** An empty file is a configuration to start with. In place of another one it is a file that is being written. */
export function unlessEmptied(loaded: Loaded): Loaded {
  return loaded.ok && loaded.text.trim() === ''
    ? {
        ok: false,
        problems: [
          brokenYaml('the file is empty', undefined, 'write it; to run without a configuration, restart'),
        ],
      }
    : loaded;
}

/** `features.notes.route[0]` */
export function pathText(path: Problem['path']): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** `breakwater.yaml:12:5: error: features.notes.route[0]: unknown provider "x"; did you mean "y"?` */
export function problemText(file: string, problem: LocatedProblem): string {
  const where = problem.path.length === 0 ? '' : `${pathText(problem.path)}: `;
  return `${file}:${problem.line}:${problem.column}: ${problem.severity}: ${where}${problem.message}; ${problem.remedy}`;
}

const lookMs = 250;

/** What changes when a file is written or replaced; null while it is not there. */
async function versionOf(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return null;
  }
}

/**
 * Whether a file has changed, by what is seen of it look after look. A change counts once it was seen twice: half a
 * file can be a whole configuration, of fewer providers.
 */
export function changeWatcher(): (version: string | null) => boolean {
  let known: string | null = null;
  let seen: string | null = null;
  let started = false;
  return (version) => {
    const isFirst = !started;
    started = true;
    if (version === null) return false;
    const isSettled = version === seen;
    seen = version;
    if (isFirst) known = version;
    if (!isSettled || version === known) return false;
    known = version;
    return true;
  };
}

/**
 * Calls back when the file has changed. It looks now and then instead of watching the folder: editors replace files,
 * mounted configuration is swapped by links, and a database in the same folder would raise an event for every write.
 */
export function watchConfigFile(path: string, onChange: () => void): { readonly stop: () => void } {
  const hasChanged = changeWatcher();
  const look = async (): Promise<void> => {
    if (hasChanged(await versionOf(path))) onChange();
  };
  const timer = setInterval(() => void look(), lookMs);
  void look();
  return { stop: () => clearInterval(timer) };
}
