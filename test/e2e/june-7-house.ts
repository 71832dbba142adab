/** The ground of the replays of 7 June: features over two versions that fail, channels that check what they receive, a feed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Webhook } from 'standardwebhooks';

import { machineTime } from '../../src/gateway/clock.ts';
import type { Time } from '../../src/gateway/clock.ts';
import { configuration, patience, simulated, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { pagerDutyEvent, slackMessage } from '../payload-schemas.ts';
import { webhookSecret } from '../told-fixture.ts';

export const features = {
  notes: {
    title: 'Meeting notes',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    timeouts: patience,
  },
  contract: {
    title: 'Contract review',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    fallback: { same_model: 'auto', other_vendor: 'ask' },
    timeouts: patience,
  },
  chat: { title: 'Chat', route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'], timeouts: patience },
  search: { title: 'Search', route: ['anthropic/claude-sonnet-4-5', 'openai/gpt-5.2'], timeouts: patience },
};
export const sick = ['claude-opus-4-7', 'claude-opus-4-8'];
/** Share of calls that fail at the two versions: a brownout, by a seeded chance. */
const sickRate = 0.6;

/** The example that ships. */
export const shippedPlaybook = readFileSync(
  join(import.meta.dir, '../../examples/playbooks/vendor-off.yaml'),
  'utf8',
).replace(/^tests:[^]*/m, '');

export type June7 = {
  readonly house: House;
  /** What each channel received, checked. */
  readonly told: readonly Json[];
  readonly slack: readonly Json[];
  readonly pager: readonly Json[];
  /** What is wrong with what they received. */
  readonly unreadable: readonly unknown[];
  /** Takes requests from now on: the two versions fail, or are well again. */
  readonly fail: () => void;
  readonly recover: () => void;
  /** What the provider's status page says from now on. */
  announcements: Json[];
  readonly ask: (feature: string) => Promise<Response>;
  readonly call: (path: string) => Promise<Json>;
  readonly page: (path: string) => Promise<string>;
  /** Every record that a query finds. */
  readonly records: (query: string) => Promise<readonly Json[]>;
  readonly stop: () => Promise<void>;
};

export const itemsOf = (body: Json): readonly Json[] => body['items'] as readonly Json[];

export type June7Options = {
  readonly playbook: string;
  readonly gates: readonly Json[];
  readonly holdDown: string;
  readonly time?: Time;
  /** Checks a signature at the time of its sender. */
  readonly atTheirTime?: <T>(check: () => T) => T;
};

type Received = Pick<June7, 'told' | 'slack' | 'pager' | 'unreadable'>;

function startReceiver(atTheirTime: <T>(check: () => T) => T) {
  const [told, slack, pager, unreadable]: [Json[], Json[], Json[], unknown[]] = [[], [], [], []];
  const takers: Readonly<Record<string, (body: string, headers: Headers) => void>> = {
    '/hook': (body, headers) =>
      void told.push(
        atTheirTime(() => new Webhook(webhookSecret).verify(body, Object.fromEntries(headers)) as Json),
      ),
    '/slack': (body) => void slack.push(slackMessage.parse(JSON.parse(body))),
    '/pager': (body) => void pager.push(pagerDutyEvent.parse(JSON.parse(body))),
  };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      try {
        takers[new URL(request.url).pathname]?.(await request.text(), request.headers);
      } catch (error) {
        unreadable.push(error);
      }
      return new Response('', { status: 202 });
    },
  });
  const received: Received = { told, slack, pager, unreadable };
  return { server, received };
}

function startFeed(now: () => number, incidents: () => readonly Json[]) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () =>
      Response.json({
        page: { id: 'p', name: 'Claude', url: 'https://status.claude.com', updated_at: new Date(now()) },
        status: { indicator: incidents().length === 0 ? 'none' : 'minor', description: 'x' },
        components: [],
        incidents: incidents(),
      }),
  });
}

function documentOf(house: House['simulator'], options: June7Options, at: string, feed: string): Json {
  const { providers } = configuration(house) as { providers: Record<string, Json> };
  const statusFeed = { url: `${feed}/api/v2/summary.json`, allowPrivate: true };
  return {
    providers: { ...providers, anthropic: { ...providers['anthropic'], statusFeed } },
    features,
    gates: options.gates,
    messages: { holdDown: options.holdDown },
    playbooks: './playbooks-*.yaml',
    channels: {
      hook: { kind: 'webhook', url: `${at}/hook`, secret: 'env:HOOK_SECRET', allowPrivate: true },
      oncall: { kind: 'slack', url: `${at}/slack`, allowPrivate: true },
      pager: { kind: 'pagerduty', url: `${at}/pager`, routingKey: 'env:PAGER_KEY', allowPrivate: true },
    },
  };
}

async function askFor(feature: string, { url }: House): Promise<Response> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: feature, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  return response;
}

export async function startJune7(options: June7Options): Promise<June7> {
  const time = options.time ?? machineTime;
  const receiver = startReceiver(options.atTheirTime ?? ((check) => check()));
  const feed = startFeed(time.now, () => june.announcements);
  const [at, feedAt] = [receiver.server, feed].map(({ port }) => `http://127.0.0.1:${port}`);
  const document = (simulator: House['simulator']): Json =>
    documentOf(simulator, options, at ?? '', feedAt ?? '');
  const house = await startHouse(document, simulated, time);
  writeFileSync(join(dirname(house.configPath), 'playbooks-vendor-off.yaml'), options.playbook);
  house.configure({
    ...document(house.simulator),
    statusPage: { title: 'Acme AI', url: `${house.url}/status` },
  });
  await house.server.reload();
  const call = async (path: string): Promise<Json> => (await house.admin('GET', path)).body;
  const june: June7 = {
    ...receiver.received,
    house,
    announcements: [],
    fail: () => {
      for (const model of sick)
        house.simulator.setFault({
          id: model,
          provider: 'anthropic',
          model,
          rate: sickRate,
          fault: { kind: 'preset', preset: 'overloaded' },
        });
    },
    recover: () => house.simulator.clearFaults(),
    ask: (feature) => askFor(feature, house),
    call,
    page: async (path) => (await fetch(`${house.url}${path}`)).text(),
    async records(query) {
      const found: Json[] = [];
      let cursor: unknown = null;
      do {
        const next: Json = await call(
          `requests?limit=200${query}${cursor === null ? '' : `&cursor=${String(cursor)}`}`,
        );
        found.push(...itemsOf(next));
        cursor = next['next_cursor'];
      } while (cursor !== null);
      return found;
    },
    async stop() {
      await house.stop();
      await receiver.server.stop(true);
      await feed.stop(true);
    },
  };
  return june;
}
