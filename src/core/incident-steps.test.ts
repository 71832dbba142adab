/** Incidents as values: how they open, join, follow routing, and end. */
import { describe, expect, test } from 'bun:test';

import { follow } from './incident-follow.ts';
import type { World } from './incident-follow.ts';
import { linkAnnouncements } from './announcements.ts';
import type { HealthState } from './health-cell.ts';
import { onGate, relatedMs } from './incident-steps.ts';
import type { FailedTarget, GateEvent } from './incident-steps.ts';
import type { StandingSwitch } from './incident-switches.ts';
import type { Incident } from './incident.ts';
import { incidentTitle, vagueWords } from './incident-words.ts';
import { incidentId, instant, switchId, targetName } from './ids.ts';
import type { FeatureStatus, FeatureView } from './status.ts';

const start = instant(Date.UTC(2026, 5, 7, 9));
const minutes = (count: number): ReturnType<typeof instant> => instant(start + count * 60_000);
let made = 0;
const newId = () => incidentId(`inc_${++made}`);

function gate(model: string, after: number, changes: Partial<GateEvent> = {}): GateEvent {
  return {
    at: minutes(after),
    noticedAt: minutes(after),
    stale: null,
    target: { target: targetName('anthropic', model), model, vendor: 'anthropic', provider: 'anthropic' },
    from: 'shedding',
    to: 'ejected',
    words: '10 of 10 attempts failed',
    enforced: true,
    ...changes,
  };
}

/** Takes gate events one after the other. */
function story(...events: readonly GateEvent[]): readonly Incident[] {
  let incidents: readonly Incident[] = [];
  for (const event of events) {
    const step = onGate(incidents, event, newId);
    if (step !== null) incidents = [...incidents.filter(({ id }) => id !== step.incident.id), step.incident];
  }
  return incidents;
}

const opus = 'anthropic/claude-opus-4-8';
const view = (status: FeatureStatus, changes: Partial<FeatureView> = {}): FeatureView => ({
  feature: 'notes',
  title: 'Meeting notes',
  status,
  preferred: opus,
  serving: status === 'normal' ? opus : 'openai/gpt-5.2',
  ...changes,
});

function world(
  after: number,
  health: HealthState,
  features: readonly FeatureView[],
  changes: Partial<World> = {},
): World {
  return {
    now: minutes(after),
    targets: new Map([
      [targetName('anthropic', 'claude-opus-4-8'), { gate: health, since: minutes(after), offBy: [] }],
    ]),
    features,
    switches: [],
    ...changes,
  };
}

const failed = (model: string): FailedTarget => gate(model, 0).target;

function aSwitch(changes: Partial<StandingSwitch> = {}): StandingSwitch {
  return {
    id: switchId('sw_1'),
    at: minutes(3),
    actor: 'maria',
    reason: 'errors',
    words: 'Switched off provider:anthropic',
    failureClass: null,
    covers: [failed('claude-opus-4-8')],
    ...changes,
  };
}

/** What an incident is after routing stood in these ways, one after the other. */
function followed(incident: Incident, ...worlds: readonly World[]): Incident {
  return worlds.reduce((current, each) => follow(current, each)?.incident ?? current, incident);
}

describe('what opens an incident', () => {
  test('an ejection does; quiet re-routing does not', () => {
    expect(story(gate('claude-opus-4-8', 0))).toMatchObject([
      {
        state: 'active',
        title: 'Claude Opus 4.8: elevated errors',
        times: { detected: start, switched: start },
      },
    ]);
    expect(story(gate('claude-opus-4-8', 0, { to: 'shedding' }))).toEqual([]);
  });

  test('a gate that only watches raises a suspicion, and nobody was moved', () =>
    expect(story(gate('claude-opus-4-8', 0, { enforced: false }))).toMatchObject([
      { state: 'suspected', times: { switched: null } },
    ]));

  test('two versions of one vendor are one story, named after them and not after the vendor', () => {
    const [incident, ...others] = story(gate('claude-opus-4-8', 0), gate('claude-opus-4-7', 3));
    expect(others).toEqual([]);
    expect(incident?.title).toBe('Claude Opus 4.7 and 4.8: elevated errors');
  });

  test('what fails much later, or elsewhere, is another story', () => {
    expect(story(gate('claude-opus-4-8', 0), gate('claude-opus-4-7', relatedMs / 60_000 + 1))).toHaveLength(
      2,
    );
    const elsewhere = {
      target: targetName('openai', 'gpt-5.2'),
      model: 'gpt-5.2',
      vendor: 'openai',
      provider: 'openai',
    };
    expect(story(gate('claude-opus-4-8', 0), gate('x', 1, { target: elsewhere }))).toHaveLength(2);
  });

  test('a probe that fails says nothing new', () => {
    const [incident] = story(gate('claude-opus-4-8', 0), gate('claude-opus-4-8', 1, { from: 'probing' }));
    expect(incident?.entries).toBe(1);
  });
});

describe('how it follows routing', () => {
  const opened = (): Incident => story(gate('claude-opus-4-8', 0))[0] as Incident;

  test.each([
    ['backup', 'mitigated', 'SEV3'],
    ['slow', 'active', 'SEV3'],
    ['partial', 'active', 'SEV2'],
    ['paused', 'active', 'SEV2'],
    ['unavailable', 'active', 'SEV2'],
  ] as const)('a feature that is %s makes it %s', (status, state, severity) =>
    expect(followed(opened(), world(1, 'ejected', [view(status)]))).toMatchObject({ state, severity }),
  );

  test('from backup over the ramp to normal, with the moment for each feature', () => {
    const back = followed(
      opened(),
      world(1, 'ejected', [view('backup')]),
      world(20, 'probing', [view('normal')]),
      world(21, 'ramping', [view('backup')]),
      world(22, 'healthy', [view('normal')]),
    );
    expect(back).toMatchObject({
      state: 'resolved',
      times: { normalRoutingResumed: minutes(22) },
      features: [{ status: 'normal', worst: 'backup', backup: 'openai/gpt-5.2', normalAt: minutes(22) }],
      targets: [{ until: minutes(22) }],
    });
  });

  test('while it ramps it is restoring, and no feature is called normal', () => {
    const ramping = followed(
      opened(),
      world(1, 'ejected', [view('backup')]),
      world(2, 'ramping', [view('normal')]),
    );
    expect(ramping).toMatchObject({ state: 'restoring', features: [{ normalAt: null }] });
  });

  test('a relapse soon after opens it again', () => {
    const back = followed(
      opened(),
      world(1, 'ejected', [view('backup')]),
      world(2, 'healthy', [view('normal')]),
    );
    const again = onGate([back], gate('claude-opus-4-8', 5), newId);
    expect(again?.incident).toMatchObject({
      id: back.id,
      state: 'active',
      times: { normalRoutingResumed: null },
    });
    expect(onGate([back], gate('claude-opus-4-8', 60), newId)?.incident.id).not.toBe(back.id);
  });

  test('a switch over it is written down once, holds the end back, and its release does not', () => {
    const sw = switchId('sw_1');
    const off = (after: number, health: HealthState): World =>
      world(after, health, [view('backup')], {
        targets: new Map([
          [targetName('anthropic', 'claude-opus-4-8'), { gate: health, since: minutes(after), offBy: [sw] }],
        ]),
        switches: [aSwitch({ id: sw })],
      });
    const held = followed(opened(), off(4, 'ejected'), off(5, 'ejected'), off(30, 'healthy'));
    expect(held).toMatchObject({ state: 'mitigated', switches: [sw], times: { normalRoutingResumed: null } });
    expect(followed(held, world(40, 'healthy', [view('normal')]))).toMatchObject({ state: 'resolved' });
  });

  test('what a person says stands until a gate acts anew', () => {
    const said: Incident = { ...opened(), state: 'resolved', stateBy: 'person', stateAt: minutes(2) };
    const held = world(3, 'ejected', [view('backup')], {
      targets: new Map([
        [targetName('anthropic', 'claude-opus-4-8'), { gate: 'ejected', since: start, offBy: [] }],
      ]),
    });
    expect(followed(said, held)).toMatchObject({ state: 'resolved', features: [{ normalAt: null }] });
    expect(followed(said, held, world(9, 'healthy', [view('normal')])).times.normalRoutingResumed).toBe(
      minutes(9),
    );
  });

  test('looking again changes nothing', () => {
    const once = followed(opened(), world(1, 'ejected', [view('backup')]));
    expect(follow(once, world(1, 'ejected', [view('backup')]))).toBeNull();
  });
});

describe('what a switch made for it moves', () => {
  const opened = (): Incident => story(gate('claude-opus-4-8', 0))[0] as Incident;
  const sonnet = targetName('anthropic', 'claude-sonnet-4-5');
  const search = (status: FeatureStatus): FeatureView =>
    view(status, { feature: 'search', title: 'Search', preferred: sonnet });
  const vendor = [failed('claude-opus-4-8'), failed('claude-sonnet-4-5')];

  function after(
    minute: number,
    switches: readonly StandingSwitch[],
    gates: readonly [HealthState, HealthState],
  ): World {
    const status = switches.length > 0 || gates[1] !== 'healthy' ? 'backup' : 'normal';
    const names = [targetName('anthropic', 'claude-opus-4-8'), sonnet];
    const seen = names.map((name, index) => {
      const offBy = switches.flatMap(({ id, covers }) =>
        covers.some(({ target }) => target === name) ? [id] : [],
      );
      return [name, { gate: gates[index] ?? 'healthy', since: null, offBy }] as const;
    });
    const features = [view(status), search(status)];
    return world(minute, 'healthy', features, { targets: new Map(seen), switches });
  }

  test.each([
    ['the vendor, with a target that failed', { covers: vendor }, true],
    ['kin, by a playbook', { actor: 'playbook vendor-off', covers: [failed('claude-sonnet-4-5')] }, true],
    [
      'kin, for the same class',
      { failureClass: 'availability', covers: [failed('claude-sonnet-4-5')] },
      true,
    ],
    [
      'kin, for another reason',
      { failureClass: 'data_handling', covers: [failed('claude-sonnet-4-5')] },
      false,
    ],
    ['long before', { at: minutes(-60), covers: vendor }, false],
  ] as const)('%s', (_name, changes, isIts) => {
    const entry = aSwitch(changes);
    const held = followed(opened(), after(4, [entry], ['ejected', 'healthy']));
    expect(held.switches).toEqual(isIts ? [entry.id] : []);
    expect(held.moved).toEqual(isIts ? [{ target: sonnet, from: entry.at, until: null }] : []);
    expect(held.features.map(({ feature }) => feature)).toEqual(isIts ? ['notes', 'search'] : ['notes']);
    expect(held.targets).toHaveLength(1);
  });

  test('one whose reason names the incident is its own, whatever it covers', () => {
    const incident = opened();
    const gpt = {
      target: targetName('openai', 'gpt-5.2'),
      model: 'gpt-5.2',
      vendor: 'openai',
      provider: 'openai',
    };
    const entry = aSwitch({ reason: `keep room for ${incident.id}`, covers: [gpt] });
    expect(followed(incident, after(4, [entry], ['ejected', 'healthy'])).switches).toEqual([entry.id]);
  });

  test('what is off before its failing is known is no longer said to be well, once it is known', () => {
    const incident = opened();
    const entry = aSwitch({ covers: vendor });
    const moved = followed(incident, after(4, [entry], ['ejected', 'healthy']));
    const [failing] = incident.targets;
    const known = { ...moved, targets: [failing!, { ...failing!, target: sonnet }] };
    const held = followed(known, after(5, [entry], ['ejected', 'ejected']));
    expect(held.moved).toEqual([]);
    expect(held.targets.map(({ target }) => target)).toEqual([failing!.target, sonnet]);
  });

  test('it stays moved over the ramp, and the incident ends when it is back', () => {
    const entry = aSwitch({ covers: vendor });
    const ramping = followed(
      opened(),
      after(4, [entry], ['ejected', 'healthy']),
      after(60, [], ['healthy', 'ramping']),
    );
    expect(ramping).toMatchObject({ state: 'restoring', moved: [{ until: null }] });
    const back = followed(ramping, after(65, [], ['healthy', 'healthy']));
    expect(back).toMatchObject({
      state: 'resolved',
      moved: [{ until: minutes(65) }],
      times: { normalRoutingResumed: minutes(65) },
    });
  });

  test('a part let through is the way out when it comes first, and the way back after a switch', () => {
    const off = aSwitch({ covers: vendor });
    const shed = aSwitch({
      id: switchId('sw_2'),
      at: minutes(50),
      words: 'Relieved of 90 %: vendor:anthropic',
      covers: vendor,
    });
    const shedding = (minute: number): World => {
      const seen = after(minute, [shed], ['healthy', 'healthy']);
      return {
        ...seen,
        targets: new Map([...seen.targets].map(([name, each]) => [name, { ...each, offBy: [] }])),
      };
    };
    expect(followed(opened(), { ...shedding(2), switches: [{ ...shed, at: minutes(1) }] })).toMatchObject({
      state: 'mitigated',
      targets: [{ until: null }],
    });
    expect(followed(opened(), after(4, [off], ['ejected', 'healthy']), shedding(50))).toMatchObject({
      state: 'restoring',
      targets: [{ until: null }],
      moved: [{ until: null }],
    });
  });
});

describe('what the provider announces', () => {
  const feed = {
    id: 'abc',
    title: 'Elevated errors on Opus 4.8',
    url: null,
    status: 'degraded',
    declaredAt: minutes(12),
    resolvedAt: null,
  } as const;
  const known = ['claude-opus-4-7', 'claude-opus-4-8'];
  const incident = (): Incident => story(gate('claude-opus-4-8', 0))[0] as Incident;
  const linked = (changes: object): Incident | undefined =>
    linkAnnouncements(incident(), 'anthropic', [{ ...feed, ...changes }], known, minutes(15))?.incident;

  test('is tied to the incident of its model, with its own times, and does not move it', () => {
    expect(linked({})).toMatchObject({
      state: 'active',
      times: { providerDeclared: minutes(12), providerResolved: null },
    });
    expect(linked({ resolvedAt: minutes(14) })).toMatchObject({
      state: 'active',
      times: { providerResolved: minutes(14) },
    });
    expect(linked({ title: 'Elevated errors on multiple models' })).toBeDefined();
  });

  test.each([
    ['of another model', { title: 'Elevated errors on Opus 4.7' }],
    ['of last week', { declaredAt: minutes(-10_000) }],
    ['that was over before', { declaredAt: minutes(-60), resolvedAt: minutes(-30) }],
  ])('%s is another story', (_name, changes) => expect(linked(changes)).toBeUndefined());

  test('the same announcement twice is nothing new', () => {
    const once = linkAnnouncements(incident(), 'anthropic', [feed], known, minutes(15))?.incident as Incident;
    expect(linkAnnouncements(once, 'anthropic', [feed], known, minutes(16))).toBeNull();
  });
});

test('a model that fails at one host only is named with the host', () =>
  expect(
    incidentTitle([{ model: 'claude-opus-4-8', provider: 'aws-us', vendor: 'anthropic' }], 'latency'),
  ).toBe('Claude Opus 4.8 at aws-us: slow answers'));

test.each([
  ['Performance is degraded.', true],
  ['We see degraded performance on Opus. Requests fail.', true],
  ['Degradation', true],
  ['Degraded: some requests fail.', false],
  ['Answers take longer than usual.', false],
  ['Degraded performance: answers are slower.', false],
])('%s is vague: %p', (text, isVague) => expect(vagueWords(text) !== null).toBe(isVague));
