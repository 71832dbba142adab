/** A gateway in front of simulated providers, in one process, for end-to-end tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { startServer } from '../src/app.ts';
import type { RunningServer } from '../src/app.ts';
import { readEnvironment } from '../src/config.ts';
import { instant } from '../src/core/ids.ts';
import type { Instant } from '../src/core/ids.ts';
import { machineTime } from '../src/gateway/clock.ts';
import type { Time } from '../src/gateway/clock.ts';
import type { Flight, Flights } from '../src/gateway/flights.ts';
import { probeText } from '../src/gateway/probe.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import type { SimulatedCall, SimulatedProvider, Simulator } from '../src/simulator/simulator.ts';
import { webhookSecret } from './told-fixture.ts';

export const adminToken = 'test-admin-token';

export type Json = Record<string, unknown>;

export type House = {
  readonly simulator: Simulator;
  readonly server: RunningServer;
  readonly url: string;
  readonly configPath: string;
  readonly storePath: string;
  readonly logs: string[];
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  admin(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Json; headers: Headers }>;
  /** The calls that a provider got because somebody asked: a target that is in doubt is also probed, when its time comes. */
  asked(provider?: string): readonly SimulatedCall[];
  /** Resolves when the beginning of an answer of this provider is the caller's. */
  heard(provider: string): Promise<void>;
  /** The record of a request, once it is in the store. */
  record(id: string): Promise<Json>;
  configure(document: Json): void;
  /** Stops the gateway and starts it again on the same store, beside the same providers. */
  restart(meanwhile?: () => void): Promise<House>;
  stop(): Promise<void>;
};

export const simulated: readonly SimulatedProvider[] = [
  {
    id: 'anthropic',
    api: 'anthropic',
    models: ['claude-opus-4-8', 'claude-opus-4-7', 'claude-sonnet-4-5', 'claude-opus-4-8-20260601'],
    keys: ['key-a', 'key-b'],
  },
  { id: 'openai', api: 'openai', models: ['gpt-5.2', 'gpt-4o'], keys: ['key-o'] },
  { id: 'aws', api: 'anthropic', models: ['claude-opus-4-8'], keys: ['key-w'] },
  { id: 'local', api: 'openai-compatible', models: ['llama3.2:3b'] },
];

/** Limits that only real silence reaches, on a slow machine too; whoever wants to see one reached leaps over it. */
export const patience = { connect: '10s', firstToken: '10s', stall: '10s', total: '30s' };
/** Longer than `patience` with a stream, and with a whole answer while there is another target; each leaves time for one more. */
export const tooLongMs = { stream: 11_000, whole: 16_000 };

/** The machine's time, which can be moved on (what has been silent until now has then been so for too long) and stopped. */
export class LeapingTime implements Time {
  #aheadMs = 0;
  #standsAt: Instant | null = null;
  readonly random = machineTime.random;
  readonly every = machineTime.every;

  readonly now = (): Instant => this.#standsAt ?? instant(machineTime.now() + this.#aheadMs);

  leap(ms: number): void {
    this.#aheadMs += ms;
  }

  /** From here on nothing moves by itself, so that one moment can be looked at from every side. */
  stand(): void {
    this.#standsAt = this.now();
  }
}

/** A configuration over the simulator; `changes` replaces top-level parts. */
export function configuration(simulator: Simulator, changes: Json = {}): Json {
  return {
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:KEY_A'],
        baseUrl: simulator.baseUrl('anthropic'),
        terms: { entity: 'Anthropic PBC', regions: ['us'], retention: '30d', training: 'no' },
      },
      openai: {
        api: 'openai',
        keys: ['env:KEY_O'],
        baseUrl: simulator.baseUrl('openai'),
        terms: { entity: 'OpenAI', regions: ['us'], retention: '30d', training: 'no' },
      },
      aws: {
        api: 'anthropic',
        keys: ['env:KEY_W'],
        baseUrl: simulator.baseUrl('aws'),
        models: { 'claude-opus-4-8': null },
        terms: { entity: 'Amazon', regions: ['us'], retention: 'none', training: 'no' },
      },
      local: {
        api: 'openai-compatible',
        baseUrl: simulator.baseUrl('local'),
        models: { 'llama-3.2-3b': { upstream: 'llama3.2:3b' } },
        terms: { entity: 'us', regions: ['eu'], retention: 'none', training: 'no' },
      },
    },
    dataClasses: { restricted: { training: 'no', retention: 'none', regions: ['eu'] } },
    features: {
      notes: {
        title: 'Meeting notes',
        route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
        timeouts: patience,
      },
      chat: {
        title: 'Chat',
        route: ['openai/gpt-5.2', 'anthropic/claude-opus-4-8'],
        timeouts: patience,
      },
      alone: {
        title: 'Alone',
        route: ['anthropic/claude-opus-4-8'],
        timeouts: patience,
      },
      solo: {
        title: 'Solo',
        route: ['openai/gpt-5.2'],
        timeouts: patience,
      },
      twins: {
        title: 'Twins',
        route: ['anthropic/claude-opus-4-8', 'aws/claude-opus-4-8'],
        timeouts: patience,
      },
      contract: {
        title: 'Contract review',
        route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
        fallback: { same_model: 'auto', other_vendor: 'ask' },
        timeouts: patience,
      },
      strict: {
        title: 'Strict',
        route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
        fallback: 'never',
        timeouts: patience,
      },
    },
    ...changes,
  };
}

export const simulatedGoogle: SimulatedProvider = {
  id: 'google',
  api: 'google',
  models: ['gemini-2.5-flash', 'gemini-3-flash'],
  keys: ['key-g'],
};

/** The usual configuration with Google beside it. */
export function withGoogle(simulator: Simulator): Json {
  const base = configuration(simulator);
  return {
    providers: {
      ...(base['providers'] as Json),
      google: {
        api: 'google',
        keys: ['env:KEY_G'],
        baseUrl: simulator.baseUrl('google'),
        terms: { entity: 'Google', regions: ['us'], retention: '30d', training: 'no' },
      },
    },
    features: {
      ...(base['features'] as Json),
      search: {
        title: 'Search',
        route: ['google/gemini-2.5-flash', 'openai/gpt-5.2'],
        timeouts: patience,
      },
      lone: {
        title: 'Lone',
        route: ['google/gemini-2.5-flash'],
        timeouts: patience,
      },
    },
  };
}

async function adminCall(
  url: string,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> | undefined },
): Promise<{ status: number; body: Json; headers: Headers }> {
  const response = await fetch(`${url}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: response.status, body: (await response.json()) as Json, headers: response.headers };
}

export async function startHouse(
  changes: Json | ((simulator: Simulator) => Json) = {},
  providers: readonly SimulatedProvider[] = simulated,
  time: Time = machineTime,
): Promise<House> {
  const heard = new Heard();
  const simulator = await startSimulator({ seed: 7, providers, beforeCut: heard.from });
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-test-'));
  const configPath = join(folder, 'breakwater.yaml');
  const storePath = join(folder, 'breakwater.db');
  const configure = (document: Json): void => writeFileSync(configPath, JSON.stringify(document));
  configure(configuration(simulator, typeof changes === 'function' ? changes(simulator) : changes));
  return open({ simulator, heard, folder, configPath, storePath, configure, time });
}

type Ground = Pick<House, 'simulator' | 'configPath' | 'storePath' | 'configure'> & {
  readonly heard: Heard;
  readonly folder: string;
  readonly time: Time;
};

/**
 * Whether a gateway has heard the beginning of a stream. What it has not read yet is lost when a connection breaks, so
 * a provider that breaks off in the middle has to wait for that.
 */
class Heard {
  readonly #flights = new Set<Flight>();

  listenTo(flights: Flights): void {
    this.#flights.clear();
    const begin = flights.begin.bind(flights);
    const end = flights.end.bind(flights);
    Object.assign(flights, {
      begin: (flight) => {
        this.#flights.add(flight);
        begin(flight);
      },
      end: (flight) => {
        this.#flights.delete(flight);
        end(flight);
      },
    } satisfies Pick<Flights, 'begin' | 'end'>);
  }

  /** Where nobody is listening any more, the limit ends the waiting. */
  readonly from = async (provider: string, stream = true): Promise<void> => {
    if (!stream) return;
    const isHeard = (): boolean =>
      [...this.#flights].some(({ committed, target }) => committed && target.provider.id === provider);
    for (let tries = 0; tries < 1_000 && this.#flights.size > 0 && !isHeard(); tries++) await Bun.sleep(5);
  };
}

/** Starts a gateway on its ground: simulator, configuration and store, which outlive it. */
async function open(ground: Ground): Promise<House> {
  const { simulator, heard, folder, configPath, storePath, configure, time } = ground;
  const logs: string[] = [];
  const environment = readEnvironment({
    KEY_A: 'key-a',
    KEY_B: 'key-b',
    KEY_O: 'key-o',
    KEY_W: 'key-w',
    KEY_G: 'key-g',
    KEY_AWS: 'AKIASIMULATED0000001:aws-secret-text',
    KEY_AWS_WRONG: 'AKIASIMULATED0000001:another-secret',
    KEY_AWS_BEARER: 'bedrock-api-key-simulated',
    KEY_GOOGLE: 'ya29.simulated-token',
    KEY_AZURE: 'azure-key-text',
    HOOK_SECRET: webhookSecret,
    CAPTURE_KEY: Buffer.alloc(32, 7).toString('base64'),
    OTHER_CAPTURE_KEY: Buffer.alloc(32, 8).toString('base64'),
    PAGER_KEY: 'a-routing-key-of-thirty-two-char',
    BREAKWATER_ADMIN_TOKEN: adminToken,
  });
  const started = await startServer({
    configPath,
    listen: '127.0.0.1:0',
    store: `sqlite:${storePath}`,
    environment,
    time,
    write: (line) => void logs.push(line),
    show: () => {},
  });
  if (started.kind === 'failed') throw new Error(started.lines.join('\n'));
  const { server } = started;
  const { url } = server;
  heard.listenTo(server.engine.flights);
  return {
    simulator,
    server,
    url,
    configPath,
    storePath,
    logs,
    openai: new OpenAI({ apiKey: 'any', baseURL: `${url}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: 'any', baseURL: url, maxRetries: 0 }),
    admin: (method, path, body, headers) => adminCall(url, method, path, { body, headers }),
    asked: (provider) => simulator.calls(provider).filter(({ text }) => !text.includes(probeText)),
    heard: (provider) => heard.from(provider),
    async record(id) {
      await server.engine.records.flush();
      return (await adminCall(url, 'GET', `requests/${id}`, {})).body;
    },
    configure,
    async restart(meanwhile) {
      await server.stop();
      meanwhile?.();
      return open(ground);
    },
    async stop() {
      await server.stop();
      await simulator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for something that another task will surely bring about. */
export async function until(isTrue: () => boolean, what: string, limitMs = 50_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await Bun.sleep(5);
  }
}

/** Asks until there is something to see, which another process or task will surely bring about; gives what was seen. */
export async function eventually<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  what: string,
  limitMs = 60_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await Bun.sleep(50);
  }
}
