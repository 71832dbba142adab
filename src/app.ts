/**
 * The composition root: opens the store, wires the rooms, listens, and stops in order. Nothing here decides anything.
 */
import { ensureAdminToken } from './control/admin-token.ts';
import type { AdminToken } from './control/admin-token.ts';
import { expireSwitches } from './control/switches.ts';
import { documentFromEnvironment } from './config.ts';
import type { Environment } from './config.ts';
import { createEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { adminDependencies } from './wiring/admin.ts';
import { createChannelDesk } from './wiring/channels.ts';
import { instant } from './core/ids.ts';
import { AddressTaken, openListeners } from './wiring/listeners.ts';
import type { Addresses } from './wiring/listeners.ts';
import { openGateDesk } from './wiring/gates.ts';
import type { GateDesk } from './wiring/gates.ts';
import { openLedgerDesk } from './wiring/ledger.ts';
import type { LedgerDesk } from './wiring/ledger.ts';
import { spoolAt } from './wiring/records.ts';
import { watchModels } from './wiring/model-signals.ts';
import { createFeedDesk } from './wiring/feeds.ts';
import type { FeedDesk } from './wiring/feeds.ts';
import { createIncidentDesk } from './wiring/incidents.ts';
import type { IncidentDesk } from './wiring/incidents.ts';
import { createMessageDesk } from './wiring/messages.ts';
import type { MessageDesk } from './wiring/messages.ts';
import { createStatusDesk } from './wiring/status.ts';
import type { StatusDesk } from './wiring/status.ts';
import { createApprovals } from './wiring/approvals.ts';
import { approveRoutes } from './http/approve-routes.ts';
import { adminRoutes } from './http/admin-routes.ts';
import { statusRoutes } from './http/status-routes.ts';
import { besideStore, openStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { compileDocument, loadConfigFile, problemText, watchConfigFile } from './sync/config-file.ts';
import type { Loaded } from './sync/config-file.ts';
import { createPlaybookDesk } from './wiring/playbooks.ts';
import type { PlaybookDesk } from './wiring/playbooks.ts';
import { createLog } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';

export type ServerOptions = {
  /** Null: the configuration is made from the environment. */
  readonly configPath: string | null;
  /** HOST:PORT, over the configuration's. */
  readonly listen: string | null;
  readonly store: string | null;
  readonly environment: Environment;
  /** Takes log lines. */
  readonly write: (line: string) => void;
  /** Shows what is for a person's eyes only, once: the new admin token. */
  readonly show: (text: string) => void;
};

export type RunningServer = {
  readonly url: string;
  /** Where admin API and status site are: the same, unless the configuration splits them. */
  readonly adminUrl: string;
  readonly statusUrl: string;
  readonly engine: Engine;
  readonly store: Store;
  /** Loads the configuration again; the last good one stays when it has errors. */
  readonly reload: () => Promise<Loaded>;
  /** Lets open answers finish for a while, writes what is left, and stops. */
  readonly stop: () => Promise<void>;
};

export type Started =
  | { readonly kind: 'started'; readonly server: RunningServer }
  | { readonly kind: 'failed'; readonly lines: readonly string[] };

const noProviders =
  'No provider is configured, so no model can answer. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, or give a configuration with --config FILE (examples/minimal.yaml is a start). To look around without keys: npm run demo\n';

const drainMs = 10_000;
const tickMs = 1_000;

function load(options: ServerOptions): Promise<Loaded> {
  const { configPath, environment } = options;
  return configPath === null
    ? Promise.resolve(compileDocument(documentFromEnvironment(environment), environment.secrets))
    : loadConfigFile(configPath, environment.secrets, instant(Date.now()));
}

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export function isLoopback(host: string): boolean {
  return loopbackHosts.has(host) || host.startsWith('127.');
}

function addressOf(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535) return null;
  return { host: (match[1] ?? '').replaceAll(/^\[|\]$/g, '') || '0.0.0.0', port: Number(match[2]) };
}

const failed = (...lines: readonly string[]): Started => ({ kind: 'failed', lines });

function reportLoaded(loaded: Loaded, log: Log): void {
  if (loaded.ok)
    log('info', { event: 'config_loaded', snapshot: loaded.snapshot.hash, warnings: loaded.warnings.length });
}

/** Loads again and puts it in force; a configuration with errors changes nothing and says why. */
async function reload(options: ServerOptions, engine: Engine, store: Store, log: Log): Promise<Loaded> {
  const loaded = await load(options);
  const before = engine.state.snapshot.hash;
  if (!loaded.ok) {
    const problems = loaded.problems.map((problem) =>
      problemText(options.configPath ?? 'environment', problem),
    );
    log('error', { event: 'config_rejected', kept: before, problems });
    engine.metrics.count('breakwater_config_reloads_total', { result: 'rejected' });
    await store.appendChange(
      engine.change({
        kind: 'config.rejected',
        actor: 'system',
        subject: before,
        reason: problems[0] ?? null,
        before: null,
        after: null,
      }),
    );
    return loaded;
  }
  if (loaded.snapshot.hash === before) return loaded;
  await store.saveSnapshot(loaded.snapshot.hash, loaded.text, engine.clock.now());
  engine.replaceSnapshot(loaded.snapshot);
  reportLoaded(loaded, log);
  engine.metrics.count('breakwater_config_reloads_total', { result: 'loaded' });
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
}

function announce(token: AdminToken, options: ServerOptions, log: Log): void {
  log('info', { event: 'admin_token', origin: token.origin.kind });
  if (token.origin.kind !== 'made') return;
  options.show(
    `Admin token, shown this once: ${token.origin.token}\nKeep it in a secret store, and give it to the command line as BREAKWATER_ADMIN_TOKEN.\n`,
  );
}

function startChores({ engine, store, status, incidents, feeds, messages, ledger, log }: Parts): () => void {
  const chores = async (): Promise<void> => {
    engine.capacity.tick();
    engine.publishGauges();
    await engine.keepPolicy();
    await status.look().catch(engine.onBug);
    await incidents.look();
    await messages.look();
    void feeds.tick().catch(engine.onBug);
    const expired = await expireSwitches(engine.switchDependencies(store));
    for (const entry of expired) {
      engine.returned(entry);
      log('info', {
        event: 'switch',
        action: 'expired',
        id: entry.id,
        scope: JSON.stringify(entry.scope),
        actor: 'system',
      });
    }
  };
  const timer = setInterval(() => {
    void chores().catch((error: unknown) => engine.onBug(error));
    void ledger.look();
  }, tickMs);
  return () => clearInterval(timer);
}

async function drain(engine: Engine): Promise<void> {
  const until = Date.now() + drainMs;
  while (engine.flights.size > 0 && Date.now() < until) await Bun.sleep(20);
}

type Parts = {
  readonly options: ServerOptions;
  readonly engine: Engine;
  readonly store: Store;
  readonly log: Log;
  readonly token: AdminToken;
  readonly status: StatusDesk;
  readonly gates: GateDesk;
  readonly incidents: IncidentDesk;
  readonly playbooks: PlaybookDesk;
  readonly messages: MessageDesk;
  readonly feeds: FeedDesk;
  readonly ledger: LedgerDesk;
};

async function open(parts: Parts, addresses: Addresses): Promise<RunningServer> {
  const { options, engine, store, log, token, status, incidents, feeds, messages } = parts;
  const { playbooks } = parts;
  const approvals = createApprovals(playbooks.admin, await store.fingerprintKey());
  const channels = createChannelDesk(engine, store, log, approvals.pageOf);
  let accepting = true;
  const door: Parameters<typeof openListeners>[0] = {
    gateway: engine.gateway,
    admin: adminRoutes(
      adminDependencies(engine, store, {
        verify: token.verify,
        secrets: options.environment.secrets,
        log,
        desks: {
          channels: channels.admin,
          messages: messages.admin,
          playbooks: playbooks.admin,
          ledger: parts.ledger.admin,
          statusCopy: status.copy,
        },
        incidents,
        feeds,
      }),
    ),
    status: statusRoutes(status.site),
    approve: approveRoutes(approvals),
    metrics: () => {
      engine.publishGauges();
      return engine.metrics.expose();
    },
    isReady: () => true,
    accepts: () => accepting,
  };
  const listeners = await openListeners(door, addresses);
  channels.start();
  const again = async (): Promise<Loaded> => {
    const loaded = await reload(options, engine, store, log);
    await playbooks.reload();
    return loaded;
  };
  const watcher =
    options.configPath === null
      ? null
      : watchConfigFile(
          options.configPath,
          () => void again().catch((error: unknown) => engine.onBug(error)),
        );
  const stopChores = startChores(parts);
  log('info', {
    event: 'ready',
    address: listeners.url,
    adminAddress: listeners.adminUrl,
    statusAddress: listeners.statusUrl,
    snapshot: engine.state.snapshot.hash,
    providers: engine.state.snapshot.providers.size,
    features: engine.state.snapshot.features.size,
  });
  const stop = async (): Promise<void> => {
    accepting = false;
    log('info', { event: 'stopping' });
    watcher?.stop();
    stopChores();
    await drain(engine);
    await listeners.stop();
    await engine.records.stop(drainMs);
    await engine.keepPolicy().catch((error: unknown) => engine.onBug(error));
    engine.watchdog.stop();
    await playbooks.stop();
    await channels.stop();
    await parts.gates.stop();
    await status.stop().catch((error: unknown) => engine.onBug(error));
    await parts.ledger.stop().catch((error: unknown) => engine.onBug(error));
    await store.close();
    log('info', { event: 'stopped' });
  };
  const { url, adminUrl, statusUrl } = listeners;
  return { url, adminUrl, statusUrl, engine, store, reload: again, stop };
}

/** The configuration that is in force, and since when. */
async function noteStart({ state, clock, change }: Engine, store: Store, text: string): Promise<void> {
  const { hash } = state.snapshot;
  await store.saveSnapshot(hash, text, clock.now());
  const facts = { actor: 'system', subject: hash, reason: 'start', before: null, after: hash };
  await store.appendChange(change({ kind: 'config.loaded', ...facts }));
}

type Desks = Pick<Parts, 'gates' | 'incidents' | 'feeds' | 'messages' | 'playbooks' | 'status'>;

/** The pieces beside the request path, in the order in which they need each other. */
async function openDesks(engine: Engine, store: Store, configPath: string | null, log: Log): Promise<Desks> {
  const gates = await openGateDesk(engine, store, log);
  const incidents = await createIncidentDesk(engine, store, log);
  await watchModels(engine, store);
  const feeds = createFeedDesk({ engine, store, incidents, log });
  const messages = await createMessageDesk(engine, store, incidents);
  const playbooks = await createPlaybookDesk(engine, store, {
    configPath,
    gates,
    incidents,
    messages: messages.admin,
    log,
  });
  const status = await createStatusDesk(engine, store, messages, (words) =>
    log('warn', { event: 'status_copy', words }),
  );
  return { gates, incidents, feeds, messages, playbooks, status };
}

/** Starts a server, or says in full why it cannot. */
export async function startServer(options: ServerOptions): Promise<Started> {
  const log = createLog(options.write, Date.now);
  const loaded = await load(options);
  if (!loaded.ok)
    return failed(
      ...loaded.problems.map((problem) => problemText(options.configPath ?? 'environment', problem)),
    );
  const { snapshot } = loaded;
  if (snapshot.providers.size === 0) options.show(noProviders);
  const address = options.listen === null ? snapshot.listen : addressOf(options.listen);
  if (address === null) return failed(`--listen ${options.listen ?? ''} is not HOST:PORT.`);
  const storeAddress = options.store ?? snapshot.store;
  const opened = await openStore(storeAddress);
  if (opened.kind === 'failed') return failed(opened.message);
  const { store } = opened;
  const spool = await spoolAt(besideStore(storeAddress, 'spool'), snapshot.audit.spoolBytesMax, log);
  const engine = await createEngine(snapshot, store, { log, host: address.host, isLoopback, spool });
  const adminHost = (snapshot.adminListen ?? address).host;
  const token = await ensureAdminToken(
    options.environment.adminToken,
    isLoopback(adminHost),
    engine.control(store),
  );
  if (token === null) {
    await engine.records.stop(0);
    await store.close();
    return failed(
      `Breakwater does not listen beyond loopback (${adminHost}) without an admin token. Set BREAKWATER_ADMIN_TOKEN, or start once on 127.0.0.1, which makes one.`,
    );
  }
  announce(token, options, log);
  reportLoaded(loaded, log);
  const ledger = await openLedgerDesk({ engine, store, path: besideStore(storeAddress, 'checkpoint'), log });
  if (ledger.kind === 'failed') {
    await engine.records.stop(0);
    await store.close();
    return failed(ledger.message);
  }
  if (ledger.desk.admin.standing().kind === 'sound') await noteStart(engine, store, loaded.text);
  catchBugs(engine);
  const desks = await openDesks(engine, store, options.configPath, log);
  const addresses = { main: address, admin: snapshot.adminListen, status: snapshot.statusListen };
  try {
    const parts = { options, engine, store, log, token, ledger: ledger.desk, ...desks };
    return { kind: 'started', server: await open(parts, addresses) };
  } catch (error) {
    await desks.gates.stop();
    await engine.records.stop(0);
    await store.close();
    if (!(error instanceof AddressTaken)) throw error;
    const { host, port } = error.address;
    return failed(
      `${host}:${port} cannot be listened on (${error.code}). Is another process using it? Choose another with --listen.`,
    );
  }
}

let catching = false;

/** A bug that nobody awaited is counted and logged; it does not end the process and with it every open answer. */
function catchBugs(engine: Engine): void {
  if (catching) return;
  catching = true;
  process.on('unhandledRejection', (error) => engine.onBug(error));
  process.on('uncaughtException', (error) => engine.onBug(error));
}
