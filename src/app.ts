/**
 * The composition root: opens the store, wires the rooms, listens, and stops in order. Nothing here decides anything.
 */
import { ensureAdminToken } from './control/admin-token.ts';
import type { AdminToken } from './control/admin-token.ts';
import type { Environment } from './config.ts';
import { createEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { machineTime } from './gateway/clock.ts';
import type { Time } from './gateway/clock.ts';
import { adminDependencies } from './wiring/admin.ts';
import { configurationSource, createReloader, reportLoaded } from './wiring/configuration.ts';
import type { ConfigurationSource } from './wiring/configuration.ts';
import { AddressTaken, openListeners } from './wiring/listeners.ts';
import type { Addresses } from './wiring/listeners.ts';
import { closeDesks, openDesks, startChores } from './wiring/desks.ts';
import type { Desks, DeskSources } from './wiring/desks.ts';
import { openLedgerDesk } from './wiring/ledger.ts';
import { spoolAt } from './wiring/records.ts';
import { createStandby } from './wiring/standby.ts';
import { approveRoutes } from './http/approve-routes.ts';
import { adminRoutes } from './http/admin-routes.ts';
import { statusRoutes } from './http/status-routes.ts';
import { besideStore, openStore, storeProblem } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import { watchConfigFile } from './sync/config-file.ts';
import type { Loaded } from './sync/config-file.ts';
import { createLog } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';

export type ServerOptions = {
  /** Null: the configuration is made from the environment. */
  readonly configPath: string | null;
  /** HOST:PORT, over the configuration's. */
  readonly listen: string | null;
  readonly store: string | null;
  readonly environment: Environment;
  /** The machine's own unless given. */
  readonly time?: Time;
  /** Takes log lines. */
  readonly write: (line: string) => void;
  /** Shows what is for a person's eyes only, once: the new admin token. */
  readonly show: (text: string) => void;
};

type OpenDoor = Parameters<typeof openListeners>[0];

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
  /** `misused`: for what was said when starting, not for what was found. */
  | { readonly kind: 'failed'; readonly misused?: true; readonly lines: readonly string[] };

const noProviders =
  'No provider is configured, so no model can answer. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, or give a configuration with --config FILE (examples/minimal.yaml is a start). To look around without keys: npm run demo\n';

const drainMs = 10_000;
/** To say so to callers whose answers are not complete by then. */
const endingMs = 1_000;

const timeOf = ({ time = machineTime }: ServerOptions): Time => time;

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
const misused = (line: string): Started => ({ kind: 'failed', misused: true, lines: [line] });

function announce(token: AdminToken, options: ServerOptions, log: Log): void {
  log('info', { event: 'admin_token', origin: token.origin.kind });
  if (token.origin.kind !== 'made') return;
  options.show(
    `Admin token, shown this once: ${token.origin.token}\nKeep it in a secret store, and give it to the command line as BREAKWATER_ADMIN_TOKEN.\n`,
  );
}

async function drain(engine: Engine): Promise<void> {
  const until = Date.now() + drainMs;
  while (engine.flights.size > 0 && Date.now() < until) await Bun.sleep(20);
  // What is still under way ends as what it is, an answer that we cut, and not as a connection that broke.
  for (const end = Date.now() + endingMs; engine.flights.size > 0 && Date.now() < end; await Bun.sleep(20))
    engine.flights.stopAll();
}

type Parts = DeskSources & {
  readonly source: ConfigurationSource;
  readonly options: ServerOptions;
  readonly token: AdminToken;
  readonly desks: Desks;
  readonly recoveryMs: number;
};

function doorOf({ options, engine, store, log, token, desks }: Parts, accepts: () => boolean): OpenDoor {
  const { channels, messages, playbooks, ledger, content, incidents, feeds, status, approvals } = desks;
  return {
    gateway: engine.gateway,
    admin: adminRoutes(
      adminDependencies(engine, store, {
        verify: token.verify,
        secrets: options.environment.secrets,
        log,
        desks: {
          canaries: desks.canaries.list,
          channels: channels.admin,
          messages: messages.admin,
          playbooks: playbooks.admin,
          ledger: ledger.admin,
          content: content.admin,
          statusCopy: status.copy,
        },
        gatesSettled: desks.gates.settled,
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
    accepts,
  };
}

async function open(parts: Parts, addresses: Addresses): Promise<RunningServer> {
  const { options, engine, store, log, desks } = parts;
  let accepting = true;
  const listeners = await openListeners(
    doorOf(parts, () => accepting),
    addresses,
  );
  desks.channels.start();
  const overridden = new Set((['listen', 'store'] as const).filter((each) => options[each] !== null));
  const now = timeOf(options).now;
  const reload = createReloader({ source: parts.source, engine, store, log, now, overridden });
  const again = async (): Promise<Loaded> => {
    const loaded = await reload();
    await desks.playbooks.reload();
    return loaded;
  };
  const look = (): void => void again().catch((error: unknown) => engine.onBug(error));
  const watcher = options.configPath === null ? null : watchConfigFile(options.configPath, look);
  const stopChores = startChores(desks, parts);
  log('info', {
    event: 'ready',
    address: listeners.url,
    adminAddress: listeners.adminUrl,
    statusAddress: listeners.statusUrl,
    snapshot: engine.state.snapshot.hash,
    providers: engine.state.snapshot.providers.size,
    features: engine.state.snapshot.features.size,
    recoveryMs: parts.recoveryMs,
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
    await closeDesks(desks, engine.onBug);
    await store.close();
    log('info', { event: 'stopped' });
  };
  const { url, adminUrl, statusUrl } = listeners;
  return { url, adminUrl, statusUrl, engine, store, reload: again, stop };
}

/** Starts a server, or says in full why it cannot. */
export async function startServer(options: ServerOptions): Promise<Started> {
  const log = createLog(options.write, timeOf(options).now);
  const source = configurationSource(options.configPath, options.environment);
  const loaded = await source.load(timeOf(options).now());
  if (!loaded.ok) return failed(...loaded.problems.map(source.words));
  const { snapshot } = loaded;
  if (snapshot.providers.size === 0) options.show(noProviders);
  const address = options.listen === null ? snapshot.listen : addressOf(options.listen);
  if (address === null) return misused(`--listen ${options.listen ?? ''} is not HOST:PORT.`);
  const said = options.store === null ? null : storeProblem(options.store);
  if (said !== null) return misused(said);
  const storeAddress = options.store ?? snapshot.store;
  const openedAt = performance.now();
  const opened = await openStore(storeAddress);
  if (opened.kind === 'failed') return failed(opened.message);
  const { store } = opened;
  if (opened.cutBytes > 0)
    log('warn', { event: 'store', trouble: 'unfinished_write', bytes: opened.cutBytes });
  const spool = await spoolAt(besideStore(storeAddress, 'spool'), snapshot.audit.spoolBytesMax, log);
  const contentPath = besideStore(storeAddress, 'content');
  const beside = { log, host: address.host, isLoopback, spool, contentPath };
  const engine = await createEngine(snapshot, store, { ...beside, clock: timeOf(options) });
  const adminHost = (snapshot.adminListen ?? address).host;
  const token = await ensureAdminToken(
    options.environment.adminToken,
    isLoopback(adminHost),
    engine.control(store),
  );
  const giveUp = async (message: string): Promise<Started> => {
    await engine.records.stop(0);
    await store.close();
    return failed(message);
  };
  if (token === null)
    return giveUp(
      `Breakwater does not listen beyond loopback (${adminHost}) without an admin token. Set BREAKWATER_ADMIN_TOKEN, or start once on 127.0.0.1, which makes one.`,
    );
  announce(token, options, log);
  reportLoaded(loaded, log);
  const ledger = await openLedgerDesk({
    engine,
    store,
    path: besideStore(storeAddress, 'checkpoint'),
    opened,
    configText: loaded.text,
    log,
  });
  if (ledger.kind === 'failed') return giveUp(ledger.message);
  catchBugs(engine);
  const standbyPath = besideStore(storeAddress, 'standby');
  const standby = createStandby({ engine, ledger: ledger.desk, care: opened.care, path: standbyPath });
  const sources = { engine, store, log, configPath: options.configPath, ledger: ledger.desk, standby };
  const desks = await openDesks(sources);
  const recoveryMs = Math.round(performance.now() - openedAt);
  const addresses = { main: address, admin: snapshot.adminListen, status: snapshot.statusListen };
  try {
    const server = await open({ ...sources, source, options, token, desks, recoveryMs }, addresses);
    return { kind: 'started', server };
  } catch (error) {
    await desks.gates.stop();
    if (!(error instanceof AddressTaken)) throw error;
    const { host, port } = error.address;
    return giveUp(
      `${host}:${port} cannot be listened on (${error.code}). ${error.code === 'EADDRINUSE' ? 'Is another process using it?' : 'Is it an address of this machine, and may you use the port?'} Choose another with --listen.`,
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
