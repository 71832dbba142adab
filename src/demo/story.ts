/** The replay of 7 June 2026 in scenes: what happens to the providers, and what people do. */
import type { World } from './world.ts';

export type Scene = {
  readonly title: string;
  readonly says: readonly string[];
  readonly begin: (world: World) => Promise<void>;
  readonly seconds: number;
  /** What has to be seen before the next scene, on a slow machine too. */
  readonly isSeen?: (world: World) => Promise<boolean>;
};

/** Share of requests that fail on the two sick versions: not an outage, a brownout. */
const sickRate = 0.6;

let switchId = '';

async function fallSick(world: World): Promise<void> {
  for (const model of ['claude-opus-4-7', 'claude-opus-4-8'])
    world.simulator.setFault({
      id: model,
      provider: 'anthropic',
      model,
      rate: sickRate,
      fault: { kind: 'preset', preset: 'overloaded' },
    });
  await Promise.resolve();
}

type Item = Readonly<Record<string, unknown>>;

/** One incident over both versions, and users were told of it. */
async function isTold(world: World): Promise<boolean> {
  const { items } = await world.ask('GET', 'incidents');
  const [incident] = (items ?? []) as readonly Item[];
  if (incident === undefined || (incident['models'] as readonly unknown[]).length < 2) return false;
  const messages = await world.ask('GET', `incidents/${String(incident['id'])}/messages`);
  return ((messages['items'] ?? []) as readonly Item[]).some(({ state }) => state === 'published');
}

async function switchOff(world: World): Promise<void> {
  const created = await world.ask('POST', 'switches', {
    scope: { provider: 'anthropic' },
    reason: 'Opus 4.7 and 4.8 return elevated errors; product decision',
    failure_class: 'availability',
    expires_in: '12h',
  });
  switchId = String(created['id']);
}

async function recover(world: World): Promise<void> {
  world.simulator.clearFaults();
  await Promise.resolve();
}

async function switchOn(world: World): Promise<void> {
  await world.ask('POST', `switches/${switchId}/release`, {
    reason: 'the provider has recovered; routing back by a ramp',
    ramp: true,
  });
}

const nothing = (): Promise<void> => Promise.resolve();

/** What probes, a ramp and the word that it is over take, however short the phases are. */
const returnSeconds = 12;

export function scenes(unitSeconds: number): readonly Scene[] {
  return [
    {
      title: 'A quiet Sunday',
      says: [
        'Five features, each with its own policy. Four run on Claude Opus, Search on Claude Sonnet: all at Anthropic.',
      ],
      begin: nothing,
      seconds: unitSeconds,
    },
    {
      title: 'Opus 4.7 and 4.8 degrade',
      says: [
        'At Anthropic 60 % of the requests to two model versions now fail with 529. Nobody has announced anything.',
        'Before the first word of an answer, failover is invisible. Within a few requests the gates send the rest elsewhere, and say on what evidence.',
        'An incident writes itself, about two versions and not about a company; users are told in their own words.',
      ],
      begin: fallSick,
      seconds: unitSeconds * 1.5,
      isSeen: isTold,
    },
    {
      title: 'The operator switches Anthropic off',
      says: [
        'breakwater switch off provider:anthropic --reason "Opus 4.7 and 4.8 return elevated errors; product decision"',
        'In force before the command returns. Each feature does what was decided beforehand; Search, whose model is well, goes too.',
      ],
      begin: switchOff,
      seconds: unitSeconds * 1.5,
    },
    {
      title: 'Anthropic recovers',
      says: [
        'The provider is well again. What a person switched off stays off until a person says otherwise.',
      ],
      begin: recover,
      seconds: unitSeconds,
    },
    {
      title: 'The operator switches Anthropic on',
      says: [
        'breakwater switch on provider:anthropic',
        'Back by a ramp: 10 %, 50 %, then all requests, and out again at the first relapse.',
      ],
      begin: switchOn,
      seconds: unitSeconds * 1.5 + returnSeconds,
    },
  ];
}
