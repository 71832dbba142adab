/**
 * Where the configuration comes from, a file or the environment alone, and how it is taken up again while the server
 * runs: one reading after another, so that an older one never replaces a newer; what has errors changes nothing.
 */
import { documentFromEnvironment, variableAt } from '../config.ts';
import type { Environment } from '../config.ts';
import type { SecretSource } from '../core/compile-provider.ts';
import type { Instant } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Engine } from '../engine.ts';
import type { Store } from '../store/store.ts';
import { compileDocument, loadConfigFile, problemText, unlessEmptied } from '../sync/config-file.ts';
import type { Loaded } from '../sync/config-file.ts';
import type { LocatedProblem } from '../sync/yaml-text.ts';
import type { Log } from '../telemetry/log.ts';

export type ConfigurationSource = {
  readonly load: (now: Instant) => Promise<Loaded>;
  /** A problem with its place: line and column of a file, or the variable. */
  readonly words: (problem: LocatedProblem) => string;
  /** The variable that a problem is in; null in a file. */
  readonly variableOf: (problem: LocatedProblem) => string | null;
};

/** `path`: null for the environment alone. */
export function configurationSource(
  path: string | null,
  environment: Environment,
  secrets: SecretSource = environment.secrets,
): ConfigurationSource {
  if (path !== null)
    return {
      load: (now) => loadConfigFile(path, secrets, now),
      words: (problem) => problemText(path, problem),
      variableOf: () => null,
    };
  const variableOf = ({ path: at }: LocatedProblem): string => variableAt(at, environment) ?? 'environment';
  return {
    load: () => Promise.resolve(compileDocument(documentFromEnvironment(environment), secrets)),
    words: (problem) => `${variableOf(problem)}: ${problem.severity}: ${problem.message}; ${problem.remedy}`,
    variableOf,
  };
}

export function reportLoaded(loaded: Loaded, log: Log): void {
  if (loaded.ok)
    log('info', { event: 'config_loaded', snapshot: loaded.snapshot.hash, warnings: loaded.warnings.length });
}

export type Reloading = {
  readonly source: ConfigurationSource;
  readonly engine: Engine;
  readonly store: Store;
  readonly log: Log;
  readonly now: () => Instant;
  /** The settings that were said when starting, over the configuration's. */
  readonly overridden: ReadonlySet<string>;
};

/** Settings that are read when the server starts. */
const fixedSettings = [
  'listen',
  'adminListen',
  'statusListen',
  'store',
] as const satisfies readonly (keyof Snapshot)[];

function waiting(started: Snapshot, now: Snapshot, overridden: ReadonlySet<string>): readonly string[] {
  return fixedSettings.filter(
    (setting) => !overridden.has(setting) && !Bun.deepEquals(started[setting], now[setting]),
  );
}

async function reject(
  { engine, store, log, source }: Reloading,
  problems: readonly LocatedProblem[],
): Promise<void> {
  const kept = engine.state.snapshot.hash;
  const first = problems.find(({ severity }) => severity === 'error');
  log('error', { event: 'config_rejected', kept, problems: problems.map(source.words) });
  engine.metrics.count('breakwater_config_reloads_total', { result: 'rejected' });
  await store.appendChange(
    engine.change({
      kind: 'config.rejected',
      actor: 'system',
      subject: kept,
      reason: first === undefined ? null : source.words(first),
      before: null,
      after: null,
    }),
  );
}

/** Loads again and puts it in force; a configuration with errors changes nothing and says why. */
export function createReloader(parts: Reloading): () => Promise<Loaded> {
  const { engine, store, log, source } = parts;
  const started = engine.state.snapshot;
  const reload = async (): Promise<Loaded> => {
    const loaded = unlessEmptied(await source.load(parts.now()));
    if (!loaded.ok) {
      await reject(parts, loaded.problems);
      return loaded;
    }
    const before = engine.state.snapshot.hash;
    const isNew = loaded.snapshot.hash !== before;
    if (isNew) await store.saveSnapshot(loaded.snapshot.hash, loaded.text, engine.clock.now());
    // Put in force also where the text is the same: what its references lead to may have changed.
    engine.replaceSnapshot(loaded.snapshot);
    reportLoaded(loaded, log);
    const settings = waiting(started, loaded.snapshot, parts.overridden);
    if (settings.length > 0) log('warn', { event: 'config_waits', settings });
    engine.metrics.count('breakwater_config_reloads_total', { result: 'loaded' });
    if (isNew)
      await store.appendChange(
        engine.change({
          kind: 'config.loaded',
          actor: 'system',
          subject: loaded.snapshot.hash,
          reason: 'reload',
          before,
          after: loaded.snapshot.hash,
        }),
      );
    return loaded;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return () => {
    const mine = turn.then(reload);
    turn = mine.catch(() => null);
    return mine;
  };
}
