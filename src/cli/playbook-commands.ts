/** `breakwater playbook test | export`: what needs no server. */
import { resolve } from 'node:path';

import { cacao, mermaid } from '../core/playbook-export.ts';
import { replay } from '../core/playbook-replay.ts';
import type { Recorded, ReplayResult, ReplayTopology } from '../core/playbook-replay.ts';
import type { Playbook, PlaybookTest } from '../core/playbook.ts';
import { momentText } from '../core/moment.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { scopeText } from '../core/switches.ts';
import { compileDocument, loadConfigFile, problemText } from '../sync/config-file.ts';
import { readPlaybookFile } from '../sync/playbook-files.ts';
import { readRecorded } from '../sync/recorded-attempts.ts';
import { configPathOf, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { harmless } from './layout.ts';

/** The vendors' own APIs, for who has no configuration at hand. */
const vendors = {
  providers: {
    anthropic: { api: 'anthropic', keys: ['env:ANY'] },
    openai: { api: 'openai', keys: ['env:ANY'] },
    google: { api: 'google', keys: ['env:ANY'] },
  },
};

const topologyOf = ({ targets, features }: Snapshot): ReplayTopology => ({
  targets: [...targets.values()],
  features: [...features.values()].map(({ name, route }) => ({
    feature: name,
    route: route.map((each) => each.name),
  })),
});

async function topology(call: Call): Promise<ReplayTopology | null> {
  const path = configPathOf(call);
  // What a playbook decides does not depend on keys: a secret that is missing here is no reason to stop.
  const secrets = call.environment.secretsIfSet;
  const loaded = path === null ? compileDocument(vendors, secrets) : await loadConfigFile(path, secrets);
  if (loaded.ok) return topologyOf(loaded.snapshot);
  for (const problem of loaded.problems) call.complain(problemText(path ?? 'configuration', problem));
  return null;
}

async function read(call: Call, path: string): Promise<Playbook | null> {
  const loaded = await readPlaybookFile(path);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  for (const problem of problems) call.complain(problemText(path, problem));
  return loaded.ok ? loaded.playbook : null;
}

async function recordedFor(test: PlaybookTest, path: string): Promise<readonly Recorded[] | string> {
  return test.replay === null ? [] : readRecorded(resolve(path, '..', test.replay));
}

const minutesText = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
};

function resultText(path: string, { test, ok, failures, decisions }: ReplayResult): string {
  const lines = [`${ok ? 'pass' : 'FAIL'}  ${path}: ${test}`];
  for (const { atMs, deed, words } of decisions)
    lines.push(
      `      ${minutesText(atMs)}  ${deed.kind}${
        'scope' in deed ? ` ${scopeText(deed.scope)}` : ''
      }: ${words}`,
    );
  for (const failure of failures) lines.push(`      ✗ ${failure}`);
  return harmless(lines.join('\n')).replaceAll('·', ' ');
}

async function testFile(
  call: Call,
  path: string,
  at: ReplayTopology,
): Promise<readonly ReplayResult[] | null> {
  const playbook = await read(call, path);
  if (playbook === null) return null;
  const results: ReplayResult[] = [];
  for (const test of playbook.tests) {
    const recorded = await recordedFor(test, path);
    results.push(
      typeof recorded === 'string'
        ? { test: test.name, ok: false, decisions: [], failures: [recorded] }
        : replay(playbook, test, at, recorded),
    );
  }
  return results;
}

async function test(call: Call): Promise<ExitCode> {
  const at = await topology(call);
  if (at === null) return 1;
  const files: { readonly file: string; readonly tests: readonly ReplayResult[] | null }[] = [];
  for (const file of call.words) files.push({ file, tests: await testFile(call, file, at) });
  const all = files.flatMap(({ tests }) => tests ?? []);
  const ok = files.every(({ tests }) => tests !== null && tests.every((each) => each.ok));
  if (call.json) {
    const shown = files.map(({ file, tests }) => ({
      file,
      ok: tests !== null && tests.every((each) => each.ok),
      tests: (tests ?? []).map((each) => ({
        name: each.test,
        ok: each.ok,
        failures: each.failures,
        decisions: each.decisions.map(({ atMs, deed, words }) => ({
          at_ms: atMs,
          kind: deed.kind,
          scope: 'scope' in deed ? deed.scope : null,
          words,
        })),
      })),
    }));
    call.print(JSON.stringify({ ok, files: shown }, null, 2));
  } else {
    for (const { file, tests } of files)
      for (const result of tests ?? []) call.print(resultText(file, result));
    call.print(`${all.filter((each) => each.ok).length} of ${all.length} tests pass`);
  }
  return ok ? 0 : 1;
}

async function exported(call: Call): Promise<ExitCode> {
  const [path = ''] = call.words;
  const format = textOption(call, 'format') ?? (call.json ? 'cacao' : 'mermaid');
  if (format !== 'mermaid' && format !== 'cacao') return usageError(call, '--format takes mermaid or cacao');
  const playbook = await read(call, path);
  if (playbook === null) return 1;
  const asCacao = (): string =>
    JSON.stringify(
      cacao(playbook, momentText(playbook.agreed?.on ?? Date.now()), (name) => Bun.randomUUIDv5(name, 'url')),
      null,
      2,
    );
  call.print(format === 'cacao' || call.json ? asCacao() : mermaid(playbook));
  return 0;
}

export const playbookCommands: readonly Command[] = [
  {
    name: 'playbook test',
    usage: 'FILE…',
    wordsMax: 100,
    summary: "Play a playbook's own tests, in virtual time",
    options: { config: { type: 'string', value: 'FILE', help: 'whose targets and features are meant' } },
    run: test,
  },
  {
    name: 'playbook export',
    usage: 'FILE',
    wordsMax: 1,
    summary: 'A playbook as a Mermaid picture or as CACAO 2.0',
    options: { format: { type: 'string', value: 'mermaid|cacao', help: 'default mermaid' } },
    jsonHelp: 'the same as --format cacao',
    run: exported,
  },
];
