/** From what was written down to what was told: once to each channel, tried again when it fails, and what came of it kept. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { newChange } from '../src/control/verb.ts';
import type { ControlDependencies } from '../src/control/verb.ts';
import type { Channel } from '../src/core/configure-channels.ts';
import { instant } from '../src/core/ids.ts';
import { Secret } from '../src/core/secret.ts';
import { bulletinOf } from '../src/notify/bulletin-of.ts';
import { createNotifier } from '../src/notify/notifier.ts';
import type { Notifier } from '../src/notify/notifier.ts';
import { send } from '../src/notify/send.ts';
import { replayDelivery, testChannel } from '../src/notify/verbs.ts';
import type { ChannelDependencies } from '../src/notify/verbs.ts';
import type { Store } from '../src/store/store.ts';
import { aChange, aSwitch } from './record-fixture.ts';
import { aChannel } from './told-fixture.ts';
import { base, contextNow, startReceiver } from './notify-fixture.ts';
import type { Receiver } from './notify-fixture.ts';
import { controlOn, openInMemory } from './store-fixture.ts';

let receiver: Receiver;
let store: Store;
let now: number;
let channels: Map<string, Channel>;
let notifier: Notifier;
let dependencies: ChannelDependencies;
let gone: string[];

beforeEach(async () => {
  receiver = startReceiver();
  store = await openInMemory();
  now = Date.now();
  gone = [];
  channels = new Map([['hook', aChannel({ url: receiver.url })]]);
  notifier = started();
  dependencies = { ...control(), channels: () => channels, notifier };
});
afterEach(() => Promise.all([receiver.stop(), store.close()]));

const control = (): ControlDependencies => controlOn(store, () => now);
const started = (): Notifier =>
  createNotifier({
    ...control(),
    random: () => 0,
    change: (facts) => newChange(facts, control()),
    channels: () => channels,
    bulletinOf: (change) => Promise.resolve(bulletinOf(change, (step) => `/approve/${step}`)),
    send: (bulletin, channel) => send(bulletin, channel, { ...contextNow(), now: instant(now) }),
    onDelivery: () => {},
    onGone: (channel) => void gone.push(channel),
  });

const switchOff = async (): Promise<void> => {
  const entry = aSwitch();
  await store.insertSwitch(entry, aChange({ kind: 'switch.created', subject: entry.id, after: entry }));
};
const deliveries = async () => (await store.listDeliveries({ limit: 50 })).items;
const kinds = async () => (await store.listChanges(null, 50)).items.map(({ kind }) => kind);

test('a switch is told once to each channel that wants it, and what came of it is written down', async () => {
  channels.set('other', aChannel({ name: 'other', url: receiver.url }));
  channels.set(
    'quiet',
    aChannel({ name: 'quiet', url: receiver.url, wants: { on: ['incident.*'], atLeast: 'info' } }),
  );
  await switchOff();
  await notifier.round();
  await notifier.round();
  expect(receiver.received).toHaveLength(2);
  expect(receiver.bodyOf()).toMatchObject({ type: 'switch.created' });
  expect((await deliveries()).map(({ channel, state }) => [channel, state])).toEqual([
    ['other', 'delivered'],
    ['hook', 'delivered'],
  ]);
  expect([...(await kinds())].sort()).toEqual(['delivery.delivered', 'delivery.delivered', 'switch.created']);
});

test('a failure is tried again with the same message id, when its time has come', async () => {
  receiver.answers = [{ status: 500 }, { status: 200 }];
  await switchOff();
  await notifier.round();
  await notifier.round();
  expect(receiver.received).toHaveLength(1);
  expect(await deliveries()).toMatchObject([
    { state: 'pending', attempts: 1, lastStatus: 500, words: 'it answered 500' },
  ]);
  now += 5_000;
  await notifier.round();
  expect(await deliveries()).toMatchObject([{ state: 'delivered', attempts: 2 }]);
  expect(receiver.received[1]?.headers['webhook-id']).toBe(receiver.received[0]?.headers['webhook-id'] ?? '');
});

test('what is dead stays until a person sends it again', async () => {
  receiver.answers = [{ status: 410 }, { status: 200 }];
  await switchOff();
  await notifier.round();
  const [dead] = (await store.listDeliveries({ state: 'dead', limit: 10 })).items;
  expect(dead).toMatchObject({ attempts: 1, lastStatus: 410 });
  expect(await replayDelivery(dead?.id ?? '', 'mara', dependencies)).toMatchObject({ kind: 'done' });
  await notifier.round();
  expect(await deliveries()).toMatchObject([{ state: 'delivered' }]);
  expect(receiver.received[1]?.headers['webhook-id']).toBe(receiver.received[0]?.headers['webhook-id'] ?? '');
  expect([...(await kinds())].sort()).toEqual([
    'channel.gone',
    'delivery.dead',
    'delivery.delivered',
    'delivery.replayed',
    'switch.created',
  ]);
  expect(await replayDelivery('dlv_none', 'mara', dependencies)).toMatchObject({ code: 'not_found' });
});

test('a receiver that answers 410 is told nothing any more, until it takes a test; also after a restart', async () => {
  receiver.answers = [{ status: 410 }];
  await switchOff();
  await notifier.round();
  now += 1_000;
  await switchOff();
  await notifier.round();
  expect(receiver.received).toHaveLength(1);
  expect(gone).toEqual(['hook']);
  expect((await kinds()).filter((kind) => kind === 'channel.gone')).toHaveLength(1);
  notifier = started();
  expect(await notifier.goneAt('hook')).not.toBeNull();
  now += 1_000;
  receiver.answers = [{ status: 200 }, { status: 200 }];
  await testChannel('hook', 'mara', { ...dependencies, notifier });
  expect(await notifier.goneAt('hook')).toBeNull();
  await switchOff();
  await notifier.round();
  expect(receiver.received).toHaveLength(3);
  expect(gone).toEqual(['hook']);
});

test('a channel that fails keeps no other waiting', async () => {
  channels.set('broken', {
    ...base,
    name: 'broken',
    kind: 'slack',
    url: new Secret('http://127.0.0.1:1/'),
  });
  for (let count = 0; count < 5; count++) await switchOff();
  await notifier.round();
  const list = await deliveries();
  expect(list.filter(({ channel, state }) => channel === 'hook' && state === 'delivered')).toHaveLength(5);
  expect(list.filter(({ channel, attempts }) => channel === 'broken' && attempts > 0)).toHaveLength(1);
});

test('a channel that was removed from the configuration ends its deliveries, and nothing waits in the outbox without one', async () => {
  receiver.answers = [{ status: 500 }];
  await switchOff();
  await notifier.round();
  channels.clear();
  now += 5_000;
  await switchOff();
  await notifier.round();
  expect(await deliveries()).toMatchObject([{ state: 'dead', words: 'the channel is no longer configured' }]);
  expect(await store.loadOutbox(10)).toEqual([]);
});

test('a test is sent at once and once, and says what came of it', async () => {
  expect(await testChannel('hook', 'mara', dependencies)).toMatchObject({ value: { state: 'delivered' } });
  expect(receiver.bodyOf()).toMatchObject({
    type: 'channel.test',
    data: { text: expect.stringContaining('mara') as string },
  });
  receiver.answers = [{ status: 503 }];
  expect(await testChannel('hook', 'mara', dependencies)).toMatchObject({
    value: { state: 'dead', attempts: 1, words: 'it answered 503' },
  });
  expect(await testChannel('hok', 'mara', dependencies)).toMatchObject({
    code: 'not_found',
    remedy: expect.stringContaining('hook') as string,
  });
});
