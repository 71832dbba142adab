/** The house rules that a linter cannot say. Every message says what to do instead. */
import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { staleFiles } from '../src/contract.ts';
import { errorCodes } from '../src/core/errors.ts';
import { failureClasses } from '../src/core/failure.ts';

const root = resolve(import.meta.dir, '..');

function filesUnder(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

const sources = filesUnder('src', '.ts');
const production = sources.filter((file) => !file.endsWith('.test.ts'));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Which rooms a room may import. `app.ts`, `main.ts` and the command line may import all. */
const layers: Record<string, readonly string[]> = {
  core: [],
  telemetry: ['core'],
  dialects: ['core'],
  providers: ['core', 'dialects'],
  outbound: [],
  feeds: ['core', 'outbound'],
  gateway: ['core', 'dialects', 'providers', 'outbound', 'telemetry'],
  store: ['core'],
  control: ['core', 'store', 'telemetry'],
  sync: ['core', 'gateway', 'store', 'telemetry'],
  site: ['core'],
  reports: ['core'],
  notify: ['core', 'control', 'outbound', 'store'],
  http: ['core', 'dialects', 'gateway', 'control', 'site', 'reports', 'telemetry'],
  simulator: ['core', 'dialects'],
  simulation: ['core', 'gateway', 'simulator'],
  drill: ['core', 'simulation', 'site'],
};

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function importsOf(file: string): string[] {
  return [...read(file).matchAll(/^\s*(?:import|export)\b[^'"]*from\s+['"](\.[^'"]+)['"]/gm)].flatMap(
    (match) => (match[1] === undefined ? [] : [relative(root, resolve(root, dirname(file), match[1]))]),
  );
}

test('rooms import only what their layer allows', () => {
  const problems: string[] = [];
  for (const file of production) {
    const room = roomOf(file);
    const allowed = layers[room];
    if (allowed === undefined) continue;
    for (const imported of importsOf(file)) {
      const other = roomOf(imported);
      if (!imported.startsWith('src/') || other === room || allowed.includes(other)) continue;
      problems.push(
        `${file} imports ${imported}: ${room} may import ${[room, ...allowed].join(', ')}; pass a value or a function in instead`,
      );
    }
  }
  expect(problems).toEqual([]);
});

test('every room of src is in the layer table', () => {
  const rooms = readdirSync(join(root, 'src')).filter((name) =>
    statSync(join(root, 'src', name)).isDirectory(),
  );
  expect(
    rooms.filter((room) => layers[room] === undefined && !['cli', 'demo', 'wiring'].includes(room)),
  ).toEqual([]);
});

/** What is loaded with a file before anything is asked for: the files of ours, and the packages. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, named = ''] of read(file).matchAll(
    /^\s*(?:import|export)\b(?! type\b)[^'"]*from\s+['"]([^'"]+)['"]/gm,
  ))
    if (named.endsWith('.ts')) loadedWith(relative(root, resolve(root, dirname(file), named)), seen);
    else seen.add(named);
  return seen;
}

test('what a server loads at its start, and keeps in memory, is what every server needs', () => {
  const loaded = [...loadedWith('src/main.ts'), ...loadedWith('src/app.ts')];
  const packages = loaded.filter((each) => !/\.ts$|^\.|^(?:node|bun)(?::|$)/.test(each));
  expect([...new Set(packages)].toSorted()).toEqual(['yaml', 'zod']);
  const seldom = /^src\/(?:demo|drill|simulat\w+)\/|^src\/(?:feeds\/rss|http\/openapi|contract)\.ts$/;
  expect(loaded.filter((file) => seldom.test(file))).toEqual([]);
  expect(loaded.filter((file) => /^src\/cli\/.*-commands\.ts$/.test(file))).toEqual([
    'src/cli/server-commands.ts',
  ]);
});

test('only config.ts reads the environment', () => {
  const readers = production.filter(
    (file) => file !== 'src/config.ts' && /process\.env|Bun\.env|import\.meta\.env/.test(read(file)),
  );
  expect(readers.map((file) => `${file}: take it as an argument from config.ts`)).toEqual([]);
});

test('only upstream.ts and the command line open outbound connections', () => {
  const allowed = new Set([
    'src/gateway/upstream.ts',
    'src/outbound/guarded-fetch.ts',
    'src/simulator/wire-server.ts',
  ]);
  const openers = production.filter(
    (file) =>
      !allowed.has(file) &&
      !file.startsWith('src/cli/') &&
      !file.startsWith('src/demo/') &&
      /(?:await|return|=|=>|\() ?fetch\(|Bun\.connect\(|from 'node:https?'/.test(read(file)),
  );
  expect(
    openers.map(
      (file) =>
        `${file}: calls to providers go through gateway/upstream.ts, all others through outbound/guarded-fetch.ts`,
    ),
  ).toEqual([]);
});

test('core is pure', () => {
  const impure = production.filter(
    (file) =>
      roomOf(file) === 'core' &&
      /from 'node:|from 'bun|Date\.now|new Date\(\)|Math\.random\(/.test(read(file)),
  );
  expect(impure.map((file) => `${file}: take time, chance and outside values as arguments`)).toEqual([]);
});

test('every core module opens with prose', () => {
  const bare = production.filter((file) => roomOf(file) === 'core' && !read(file).startsWith('/**'));
  expect(
    bare.map((file) => `${file}: begin with what it decides, why this way, what it refuses to do`),
  ).toEqual([]);
});

test('no leftovers', () => {
  const words = ['TO' + 'DO', 'FIX' + 'ME', '@ts-ig' + 'nore', '@ts-expect' + '-error', 'lint-dis' + 'able'];
  const found = [...sources, ...filesUnder('test', '.ts'), ...filesUnder('bench', '.ts')].flatMap((file) =>
    words.filter((word) => read(file).includes(word)).map((word) => `${file}: ${word}`),
  );
  expect(found).toEqual([]);
});

test('no folder of leftovers', () => {
  const vague = sources.filter((file) =>
    /(?:^|\/)(?:utils?|helpers?|common|misc|manager|service)(?:\/|\.ts$)/.test(file),
  );
  expect(vague.map((file) => `${file}: name it after what it does`)).toEqual([]);
});

const documented = (file: string): string => (existsSync(join(root, file)) ? read(file) : '');

test('every failure class is in docs/failures.md, and no other', () => {
  const rows = [...documented('docs/failures.md').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '');
  expect(rows).toEqual(failureClasses);
});

test('every error code is in docs/errors.md, and no other', () => {
  const rows = [...documented('docs/errors.md').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '');
  expect(rows).toEqual(Object.keys(errorCodes));
});

test('ARCHITECTURE.md names every room and stays short', () => {
  const text = documented('ARCHITECTURE.md');
  const rooms = readdirSync(join(root, 'src')).filter((name) =>
    statSync(join(root, 'src', name)).isDirectory(),
  );
  expect(rooms.filter((room) => !text.includes(`src/${room}/`))).toEqual([]);
  expect(text.split('\n').length).toBeLessThanOrEqual(250);
});

test('ARCHITECTURE.md names no file that is gone', () => {
  const named = [
    ...documented('ARCHITECTURE.md').matchAll(
      /`((?:src|test|docs|bench|contract|examples|bin)\/[\w./-]+\.\w+)`/g,
    ),
  ].map((match) => match[1] ?? '');
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('links between documents lead somewhere', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...filesUnder('docs', '.md'),
  ].filter((file) => existsSync(join(root, file)));
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap((match) =>
      match[1] === undefined || existsSync(resolve(root, dirname(file), match[1]))
        ? []
        : [`${file}: ${match[1]}`],
    ),
  );
  expect(broken).toEqual([]);
});

test('every runtime dependency has a line in docs/dependencies.md', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const text = documented('docs/dependencies.md');
  expect(Object.keys(dependencies).filter((name) => !text.includes(`| \`${name}\``))).toEqual([]);
  expect(Object.entries(dependencies).filter(([, version]) => !/^\d/.test(version))).toEqual([]);
});

test('contract/ and the generated pages are what the code says', () => {
  expect(staleFiles().map((file) => `${file}: run npm run contract`)).toEqual([]);
});

test('CHANGELOG has an Unreleased heading', () => {
  expect(documented('CHANGELOG.md')).toContain('## Unreleased');
});
