/** `breakwater serve | check | demo | version` */
import { coverage } from '../core/coverage.ts';
import { instant } from '../core/ids.ts';
import { staleWords } from '../core/agreement.ts';
import { noneWords, twiceWords, unfitWords } from '../core/playbook-fit.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { namesProvider } from '../config.ts';
import { coverageToWire } from '../http/wire.ts';
import { pathText, problemText } from '../sync/config-file.ts';
import { readPlaybookFiles } from '../sync/playbook-files.ts';
import type { LocatedProblem } from '../sync/yaml-text.ts';
import { configurationSource } from '../wiring/configuration.ts';
import { checkText } from './check-report.ts';
import { configPathOf, textOption, usualConfig } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { version } from '../../package.json' with { type: 'json' };

async function serve(call: Call): Promise<ExitCode> {
  const { startServer } = await import('../app.ts');
  const started = await startServer({
    configPath: configPathOf(call),
    listen: textOption(call, 'listen'),
    store: textOption(call, 'store'),
    environment: call.environment,
    write: (line) => void process.stdout.write(line),
    show: (text) => void process.stderr.write(text),
  });
  if (started.kind === 'failed') {
    for (const line of started.lines) call.complain(line);
    return started.misused === true ? 2 : 1;
  }
  const { server } = started;
  process.on('SIGHUP', () => void server.reload());
  const { promise, resolve } = Promise.withResolvers<void>();
  // Kept for good: a terminal and the launcher may each send the signal, and the second must not cut answers off.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  await promise;
  await server.stop();
  return 0;
}

async function check(call: Call): Promise<ExitCode> {
  const { environment } = call;
  const path = call.words[0] ?? configPathOf(call) ?? (namesProvider(environment) ? null : usualConfig);
  const now = instant(Date.now());
  const source = configurationSource(path, environment, environment.secretsIfSet);
  const loaded = await source.load(now);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  const playbooks = loaded.ok && path !== null ? await checkPlaybooks(loaded.snapshot, path) : [];
  const features = loaded.ok ? coverage(loaded.snapshot, now) : [];
  if (call.json) {
    const shown = problems.map((problem) => problemJson(problem, source.variableOf(problem)));
    call.print(
      JSON.stringify(
        { ok: loaded.ok, problems: shown, playbooks, features: features.map(coverageToWire) },
        null,
        2,
      ),
    );
  } else {
    for (const { problems: lines } of playbooks) for (const line of lines) call.print(line);
    call.print(checkText(source.words, problems, features));
  }
  const holds = features.every((feature) => feature.claims.every((claim) => claim.holds));
  return loaded.ok && holds && playbooks.every(({ ok }) => ok) ? 0 : 1;
}

/** Where it is: in a line of a file, or in a variable of the environment. */
function problemJson({ path, line, column, ...problem }: LocatedProblem, variable: string | null): object {
  return variable === null
    ? { path: pathText(path), ...problem, line, column }
    : { path: pathText(path), ...problem, variable };
}

type CheckedPlaybook = { readonly file: string; readonly ok: boolean; readonly problems: readonly string[] };

/** The playbooks beside a configuration: whether each can be read, is in date, and fits the configuration. */
async function checkPlaybooks(snapshot: Snapshot, besides: string): Promise<readonly CheckedPlaybook[]> {
  const { playbooks: pattern } = snapshot;
  if (pattern === null) return [];
  const files = await readPlaybookFiles(pattern, besides);
  if (files.length === 0)
    return [{ file: pattern, ok: true, problems: [`${besides}: warning: ${noneWords(pattern)}`] }];
  const names = new Set<string>();
  return files.map(({ path, loaded }) => {
    if (!loaded.ok)
      return {
        file: path,
        ok: false,
        problems: loaded.problems.map((problem) => problemText(path, problem)),
      };
    const { playbook, warnings } = loaded;
    if (names.has(playbook.name))
      return { file: path, ok: false, problems: [twiceWords(path, playbook.name)] };
    names.add(playbook.name);
    const stale = staleWords(`playbook ${playbook.name}`, playbook.agreed, Date.now());
    const words = [...(stale === null ? [] : [stale]), ...unfitWords(playbook, snapshot)];
    return {
      file: path,
      ok: true,
      problems: [
        ...warnings.map((problem) => problemText(path, problem)),
        ...words.map((each) => `${path}: warning: ${each}`),
      ],
    };
  });
}

async function demo(call: Call): Promise<ExitCode> {
  const { runDemo } = await import('../demo/demo.ts');
  return runDemo({
    form: call.json ? 'json' : call.options['plain'] === true || !process.stdout.isTTY ? 'plain' : 'screen',
    fast: call.options['fast'] === true,
    keep: call.options['keep'] === true,
    environment: call.environment,
  });
}

export const serverCommands: readonly Command[] = [
  {
    name: 'serve',
    usage: '',
    wordsMax: 0,
    summary: 'Run the gateway',
    options: {
      config: {
        type: 'string',
        value: 'FILE',
        help: 'default breakwater.yaml; without one, providers come from the environment',
      },
      listen: { type: 'string', value: 'HOST:PORT', help: 'default 127.0.0.1:4100' },
      store: { type: 'string', value: 'sqlite:PATH', help: 'default sqlite:./data/breakwater.db' },
    },
    jsonHelp: 'as without: its log is JSON lines',
    run: serve,
  },
  {
    name: 'demo',
    usage: '',
    wordsMax: 0,
    summary: 'Watch 7 June again: no keys, no network',
    options: {
      plain: { type: 'boolean', help: 'lines instead of a live view' },
      fast: { type: 'boolean', help: 'shorter phases' },
      keep: { type: 'boolean', help: 'stay when the story is over, to be asked' },
    },
    jsonHelp: 'one JSON object a line: each scene, each answer',
    run: demo,
  },
  {
    name: 'check',
    usage: '[FILE]',
    wordsMax: 1,
    summary: 'Problems of a configuration; what features survive',
    options: {
      config: { type: 'string', value: 'FILE', help: 'the same as FILE; without one, what serve would take' },
    },
    run: check,
  },
  {
    name: 'version',
    usage: '',
    wordsMax: 0,
    summary: 'The version of this program',
    options: {},
    run: (call) => {
      call.print(call.json ? JSON.stringify({ version }) : version);
      return Promise.resolve(0);
    },
  },
];
