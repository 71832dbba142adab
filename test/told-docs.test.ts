/** The settings that the guides of status page, messages and channels show are settings that load without a complaint. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { Secret } from '../src/core/secret.ts';
import { compileDocument } from '../src/sync/config-file.ts';
import { webhookSecret } from './told-fixture.ts';

const root = resolve(import.meta.dir, '..');
const guides = ['docs/status-page.md', 'docs/messages.md'] as const;
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const blocks = (file: string, language: string): readonly string[] =>
  [...read(file).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );

const base = {
  providers: { local: { api: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' } },
  features: { 'meeting-notes': { route: ['local/m'] } },
};

function secrets(reference: string): Secret {
  if (reference.endsWith('.svg')) return new Secret('<svg xmlns="http://www.w3.org/2000/svg"/>');
  return new Secret(reference === 'env:WEBHOOK_SECRET' ? webhookSecret : 'https://hooks.example.com/x');
}

test.each(guides)('settings in %s load', (guide) => {
  const found = blocks(guide, 'yaml');
  expect(found.length).toBeGreaterThan(1);
  for (const text of found) {
    const loaded = compileDocument({ ...base, ...(parse(text) as object) }, secrets);
    const problems = loaded.ok ? loaded.warnings : loaded.problems;
    expect(problems.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([]);
  }
});

test.each(guides)('commands in %s exist, with these options', async (guide) => {
  // Nobody listens there: a command that was understood says that it found no server.
  const environment = readEnvironment({ BREAKWATER_URL: 'http://127.0.0.1:1', BREAKWATER_ADMIN_TOKEN: 'x' });
  const lines = blocks(guide, 'sh').flatMap((text) =>
    text.split('\n').filter((line) => line.startsWith('breakwater ')),
  );
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const complaints: string[] = [];
    const exit = await runCommand(words.slice(1), environment, {
      print: () => {},
      complain: (text) => void complaints.push(text),
    });
    expect([line, exit, complaints]).toEqual([
      line,
      3,
      [expect.stringContaining('No Breakwater answers') as string],
    ]);
  }
});
