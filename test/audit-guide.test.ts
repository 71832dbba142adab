/** The guide to evidence: its worked example is run as it is written, and its vocabulary is complete. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { exclusionReasons } from '../src/core/record.ts';
import { adminToken, startHouse } from './harness.ts';
import type { House } from './harness.ts';

const root = resolve(import.meta.dir, '..');
const guide = readFileSync(join(root, 'docs/audit.md'), 'utf8');

let house: House;
let folder: string;
beforeAll(async () => {
  house = await startHouse();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-guide-'));
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

const places: Record<string, string> = {};
const filled = (word: string): string =>
  word
    .replaceAll('"', '')
    .replace(/\$(\w+)/g, (_match, name: string) => places[name] ?? '')
    .replace(/^(request\.tlog-proof|ledger\.ndjson)$/, (file) => join(folder, file));

async function perform(line: string): Promise<{ readonly code: number; readonly text: string }> {
  const [program, ...words] = line.split(' ').map(filled);
  if (program === 'node') {
    const child = Bun.spawn(['node', ...words], { cwd: root, stdout: 'pipe', stderr: 'inherit' });
    const text = await new Response(child.stdout).text();
    return { code: await child.exited, text };
  }
  const printed: string[] = [];
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  const code = await runCommand(words, environment, {
    print: (text) => printed.push(text),
    complain: (text) => printed.push(text),
  });
  return { code, text: printed.join('\n') };
}

test('the worked example leads from a request to its proof', async () => {
  const off = { scope: { provider: 'anthropic' }, reason: 'so that another company answers' };
  expect((await house.admin('POST', 'switches', off)).status).toBe(201);
  const answer = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'hello' }] }),
  });
  expect(answer.headers.get('x-breakwater-hop')).toBe('other_vendor');
  const [, example = ''] = guide.split('## One request');
  const [section = ''] = example.split('\n## ');
  const lines = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.trimEnd().split('\n'),
  );
  expect(lines.length).toBe(7);
  for (const line of lines) {
    const { code, text } = await perform(line);
    expect([line, code, code === 0 ? '' : text]).toEqual([line, 0, '']);
    if (line.includes('requests')) places['ID'] = /req_[\w-]+/.exec(text)?.[0] ?? '';
    if (line.includes('audit key')) places['KEY'] = text.trim();
    if (line.includes('request.tlog-proof --key')) {
      expect(text).toContain(places['ID'] ?? 'no id');
      expect(text).toContain('"hop": "other_vendor"');
    }
  }
});

test('every reason is in the vocabulary, and no other', () => {
  const rows = [...guide.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '');
  expect(rows).toEqual([...exclusionReasons]);
});
