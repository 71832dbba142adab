/** The demo's world: simulated providers, a product with five features, and a gateway between them. */
import { startServer } from '../app.ts';
import type { RunningServer } from '../app.ts';
import { readEnvironment } from '../config.ts';
import { startSimulator } from '../simulator/simulator.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type World = {
  readonly simulator: Simulator;
  readonly server: RunningServer;
  readonly ask: AdminCall;
  /** For the command line, as an operator has it. */
  readonly token: string;
  readonly stop: () => Promise<void>;
};
export type AdminCall = (
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
) => Promise<Readonly<Record<string, unknown>>>;

/** Used inside this process only, for a server that ends with it. */
const token = `demo-${crypto.randomUUID()}`;

const pace = { firstTokenMs: 60, perTokenMs: 2 };

const terms = (entity: string, regions: readonly string[], retention: string): unknown => ({
  entity,
  regions,
  retention,
  training: 'no',
});

const features = {
  'meeting-notes': {
    title: 'Meeting notes',
    route: ['anthropic/claude-opus-4-8', 'aws-us/claude-opus-4-8', 'openai/gpt-5.2', 'local/llama-3.2-3b'],
    fallback: 'auto',
  },
  'contract-review': {
    title: 'Contract review',
    route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'],
    fallback: { other_vendor: 'ask' },
  },
  'board-papers': {
    title: 'Board papers',
    route: ['anthropic/claude-opus-4-8', 'aws-us/claude-opus-4-8', 'openai/gpt-5.2'],
    fallback: 'auto',
    dataClass: 'confidential',
  },
  'legal-hold': {
    title: 'Legal hold',
    route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'],
    fallback: 'never',
  },
  search: {
    title: 'Search',
    route: ['anthropic/claude-sonnet-4-5', 'openai/gpt-5.2'],
    fallback: 'auto',
  },
};

function configuration(simulator: Simulator, holdMs: number): unknown {
  return {
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:DEMO_KEY'],
        baseUrl: simulator.baseUrl('anthropic'),
        terms: terms('Anthropic PBC', ['us'], '30d'),
      },
      'aws-us': {
        api: 'anthropic',
        keys: ['env:DEMO_KEY'],
        baseUrl: simulator.baseUrl('aws-us'),
        terms: terms('Amazon Web Services', ['us'], 'none'),
      },
      openai: {
        api: 'openai',
        keys: ['env:DEMO_KEY'],
        baseUrl: simulator.baseUrl('openai'),
        terms: terms('OpenAI OpCo LLC', ['us'], '30d'),
      },
      local: {
        api: 'openai-compatible',
        baseUrl: simulator.baseUrl('local'),
        models: { 'llama-3.2-3b': {} },
        terms: terms('us', ['eu'], 'none'),
      },
    },
    dataClasses: { confidential: { training: 'no', entities: ['Anthropic PBC', 'Amazon Web Services'] } },
    gates: [
      {
        budget: '0.5%',
        breach: '20%',
        // A demo has seconds for what takes minutes: probes come ten times a second.
        restore: { probeEvery: '100ms', ramp: ['10%', '50%', '100%'], hold: `${holdMs}ms` },
        agreed: { by: ['platform', 'support'], on: '2026-06-01' },
      },
    ],
    statusPage: { title: 'Acme AI' },
    // Users are told by themselves, in seconds where a product would leave people five minutes to speak.
    messages: { holdDown: '1s' },
    features,
  };
}

export async function buildWorld(holdMs: number): Promise<World> {
  const models = ['claude-opus-4-8', 'claude-opus-4-7', 'claude-sonnet-4-5'];
  const simulator = await startSimulator({
    seed: 20_260_607,
    providers: [
      { id: 'anthropic', api: 'anthropic', models, pace },
      { id: 'aws-us', api: 'anthropic', models, pace },
      { id: 'openai', api: 'openai', models: ['gpt-5.2'], pace },
      { id: 'local', api: 'openai-compatible', models: ['llama-3.2-3b'], pace },
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-demo-'));
  const configPath = join(folder, 'breakwater.yaml');
  writeFileSync(configPath, JSON.stringify(configuration(simulator, holdMs), null, 2));
  const environment = readEnvironment({ DEMO_KEY: 'demo', BREAKWATER_ADMIN_TOKEN: token });
  const started = await startServer({
    configPath,
    listen: '127.0.0.1:0',
    store: `sqlite:${join(folder, 'demo.db')}`,
    environment,
    write: () => {},
    show: () => {},
  });
  if (started.kind === 'failed') throw new Error(started.lines.join('\n'));
  const { server } = started;
  const ask: AdminCall = async (method, path, body) => {
    const response = await fetch(`${server.url}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'x-breakwater-actor': 'maria' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Readonly<Record<string, unknown>>;
  };
  return {
    simulator,
    server,
    ask,
    token,
    stop: async () => {
      await server.stop();
      await simulator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
