/** The guide to evidence: its worked example is followed as it is written, and its vocabulary is complete. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { fallbackReasons } from '../src/core/fallback-reason.ts';
import { failureClasses } from '../src/core/failure.ts';
import { exclusionReasons } from '../src/core/record.ts';

const root = resolve(import.meta.dir, '..');
const guide = readFileSync(join(root, 'docs/audit.md'), 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-guide-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The programs of the guide, wherever it is followed. */
const programs = `set -e
npx() { shift; "$BUN" "$ROOT/src/main.ts" "$@"; }
node() { local file="$1"; shift; command node "$ROOT/$file" "$@"; }
`;

async function shell(script: string, variables: Readonly<Record<string, string>>) {
  const child = Bun.spawn(['bash', '-c', `${programs}${script}`], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', BUN: process.execPath, ROOT: root, ...variables },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

/** The demo, until it says how to ask it. */
async function demo() {
  const child = Bun.spawn(
    [process.execPath, join(root, 'src/main.ts'), 'demo', '--plain', '--fast', '--keep'],
    {
      cwd: folder,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  );
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    const said = [...text.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    if (said.length === 2) return { child, variables: Object.fromEntries(said) as Record<string, string> };
  }
  throw new Error(`the demo ended: ${text.slice(-500)}`);
}

test('the worked example leads from a request of 7 June to its proof, offline', async () => {
  const [, example = ''] = guide.split('## One request');
  const [section = ''] = example.split('\n## ');
  const [asking = '', proving = '', ...more] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(
    ([, block = '']) => block,
  );
  expect([asking.trim().split('\n').length, proving.trim().split('\n').length, more]).toEqual([6, 2, []]);
  const { child, variables } = await demo();
  const asked = await shell(`${asking}echo "ID=$ID"; echo "KEY=$KEY"`, variables);
  child.kill('SIGINT');
  expect([await child.exited, asked.code, asked.err]).toEqual([0, 0, '']);
  expect(asked.out).toContain('openai/gpt-5.2 answered instead of');
  const known = Object.fromEntries(
    [...asked.out.matchAll(/^(ID|KEY)=(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  // The server is gone, and nothing is known of where it was.
  const proved = await shell(proving, known);
  expect([proved.code, proved.err]).toEqual([0, '']);
  expect(proved.out).toContain(known['ID'] ?? 'no id');
  expect(proved.out).toContain('"hop": "other_vendor"');
}, 180_000);

test('every reason is in the vocabulary, and no other', () => {
  const [, words = ''] = guide.split('## The words of a record');
  const rows = [...words.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '');
  expect(rows).toEqual([...exclusionReasons]);
  const failed = new Set<string>(failureClasses);
  for (const reason of fallbackReasons.filter((word) => !failed.has(word)))
    expect(words).toContain(`\`${reason}\``);
});
