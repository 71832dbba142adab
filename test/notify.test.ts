/** Channels on real sockets: what arrives, in which form, signed how; what is tried again and what is not. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import type { z } from 'zod';

import { newChange } from '../src/control/verb.ts';
import type { ControlDependencies } from '../src/control/verb.ts';
import type { Channel } from '../src/core/configure-channels.ts';
import { instant } from '../src/core/ids.ts';
import type { Bulletin } from '../src/core/bulletin.ts';
import { Secret } from '../src/core/secret.ts';
import { bulletinOf } from '../src/notify/bulletin-of.ts';
import { createNotifier } from '../src/notify/notifier.ts';
import type { Notifier } from '../src/notify/notifier.ts';
import type { Context } from '../src/notify/payload.ts';
import { send } from '../src/notify/send.ts';
import { replayDelivery, testChannel } from '../src/notify/verbs.ts';
import type { ChannelDependencies } from '../src/notify/verbs.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { discordMessage, pagerDutyEvent, slackMessage, teamsMessage } from './payload-schemas.ts';
import { aChange, aSwitch } from './record-fixture.ts';
import { aChannel, aBulletin, webhookSecret } from './told-fixture.ts';

type Received = { readonly headers: Record<string, string>; readonly body: string };

let received: Received[];
/** What the receiver answers: the first is used up with each call, the last one stays. */
let answers: { status: number; headers?: Record<string, string> }[];
let receiver: ReturnType<typeof Bun.serve>;
let url: string;

beforeEach(() => {
  received = [];
  answers = [{ status: 200 }];
  receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      received.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return new Response('', answer ?? {});
    },
  });
  url = `http://127.0.0.1:${receiver.port}/hook`;
});
afterEach(() => receiver.stop(true));

const contextNow = (): Context => ({
  now: instant(Date.now()),
  link: 'https://status.example.com/status/incidents/inc_1',
  source: 'Acme AI',
});
const base = { wants: { on: ['*'], atLeast: 'info' }, allowPrivate: true } as const;
const bodyOf = (index = 0): unknown => JSON.parse(received[index]?.body ?? 'null') as unknown;

describe('a webhook', () => {
  test('is signed as the official package checks it', async () => {
    const bulletin = aBulletin();
    expect(await send(bulletin, aChannel({ url }), contextNow())).toEqual({ kind: 'delivered', status: 200 });
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(headers['webhook-id']).toBe(bulletin.id);
    expect(new Webhook(webhookSecret).verify(body, headers)).toMatchObject({
      type: 'incident.opened',
      timestamp: '2026-06-07T09:00:00.000Z',
      data: { subject: 'inc_1', facts: { Features: 'Meeting notes' } },
    });
    expect(() => new Webhook(webhookSecret).verify(`${body} `, headers)).toThrow();
    expect(body.length).toBeLessThan(20_000);
  });

  test('is signed by both keys while one replaces the other', async () => {
    const other = `whsec_${Buffer.from('another secret of 32 bytes here!').toString('base64')}`;
    await send(
      aBulletin(),
      aChannel({ url, secrets: [new Secret(webhookSecret), new Secret(other)] }),
      contextNow(),
    );
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    for (const secret of [webhookSecret, other])
      expect(new Webhook(secret).verify(body, headers)).toBeObject();
  });

  test('can be a CloudEvent, signed the same', async () => {
    const bulletin = aBulletin();
    await send(bulletin, aChannel({ url, format: 'cloudevents' }), contextNow());
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(new Webhook(webhookSecret).verify(body, headers)).toMatchObject({
      specversion: '1.0',
      id: bulletin.id,
      source: 'Acme AI',
      type: 'dev.breakwater.incident.opened',
      time: '2026-06-07T09:00:00.000Z',
    });
  });
});

describe('services for people get what they document', () => {
  const long = 'A long story. '.repeat(1_000);
  const bulletins: readonly Bulletin[] = [
    aBulletin(),
    aBulletin({ text: '', facts: [], page: null }),
    aBulletin({
      title: long,
      text: long,
      facts: Array.from({ length: 40 }, (_, n) => ({ name: `n${n}`, value: long })),
    }),
  ];
  // oxfmt-ignore
  const services: readonly (readonly [string, () => Channel, z.ZodType])[] = [
    ['Slack',     () => ({ ...base, name: 's', kind: 'slack', url: new Secret(url) }),   slackMessage],
    ['Teams',     () => ({ ...base, name: 't', kind: 'teams', url: new Secret(url) }),   teamsMessage],
    ['Discord',   () => ({ ...base, name: 'd', kind: 'discord', url: new Secret(url) }), discordMessage],
    ['PagerDuty', () => ({ ...base, name: 'p', kind: 'pagerduty', url, routingKey: new Secret('k'.repeat(32)) }), pagerDutyEvent],
  ];
  test.each(services)('%s', async (_name, channel, schema) => {
    const { bounded } = await import('../src/core/bulletin.ts');
    for (const [index, bulletin] of bulletins.entries()) {
      const link = index === 1 ? null : contextNow().link;
      expect(await send(bounded(bulletin), channel(), { ...contextNow(), link })).toMatchObject({
        kind: 'delivered',
      });
      expect(schema.safeParse(bodyOf(index)).error).toBeUndefined();
    }
  });

  test('nobody is called by what a text happens to say', async () => {
    await send(aBulletin(), { ...base, name: 's', kind: 'slack', url: new Secret(url) }, contextNow());
    expect(received[0]?.body).toContain('&lt;!channel&gt; &amp; more');
  });

  test('the end of a story resolves what its beginning triggered', async () => {
    const pager: Channel = {
      ...base,
      name: 'p',
      kind: 'pagerduty',
      url,
      routingKey: new Secret('k'.repeat(32)),
    };
    for (const stage of ['begins', 'goes_on', 'ends'] as const)
      await send(aBulletin({ stage }), pager, contextNow());
    expect([0, 1, 2].map((index) => bodyOf(index))).toMatchObject([
      { event_action: 'trigger', dedup_key: 'inc_1', payload: { severity: 'error' } },
      { event_action: 'trigger', dedup_key: 'inc_1' },
      { event_action: 'resolve', dedup_key: 'inc_1' },
    ]);
  });
});

describe('e-mail', () => {
  async function withServer(
    work: (channel: Extract<Channel, { kind: 'smtp' }>, mails: string[]) => Promise<void>,
  ) {
    const mails: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) =>
        done(
          address.startsWith('gone') ? Object.assign(new Error('no such box'), { responseCode: 550 }) : null,
        ),
      onData(stream, _session, done) {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          mails.push(Buffer.concat(parts).toString());
          done();
        });
      },
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.server.address() as { port: number };
    try {
      await work(
        {
          ...base,
          name: 'mail',
          kind: 'smtp',
          host: '127.0.0.1',
          port,
          tls: 'none',
          login: null,
          from: 'Breakwater <status@example.com>',
          to: ['ops@example.com'],
        },
        mails,
      );
    } finally {
      await new Promise<void>((closed) => server.close(closed));
    }
  }

  test('arrives in the thread of its story', () =>
    withServer(async (channel, mails) => {
      const bulletin = aBulletin({ title: 'Two lines\r\nBcc: somebody@example.com' });
      expect(await send(bulletin, channel, contextNow())).toMatchObject({ kind: 'delivered' });
      expect(mails[0]).toContain(`Message-ID: <${bulletin.id}@breakwater>`);
      expect(mails[0]).toContain('In-Reply-To: <inc_1@breakwater>');
      expect(mails[0]).toContain('Auto-Submitted: auto-generated');
      expect(mails[0]).toContain('Meeting notes works with a backup model.');
      expect(mails[0]).not.toMatch(/^Bcc:/m);
    }));

  test('a box that does not exist is final, a server that is away is not', () =>
    withServer(async (channel) => {
      expect(await send(aBulletin(), { ...channel, to: ['gone@example.com'] }, contextNow())).toMatchObject({
        status: 550,
        permanent: true,
      });
      expect(await send(aBulletin(), { ...channel, port: 1 }, contextNow())).toMatchObject({
        permanent: false,
      });
      // No STARTTLS there: nothing is said in the clear.
      expect(await send(aBulletin(), { ...channel, tls: 'required' }, contextNow())).toMatchObject({
        kind: 'failed',
      });
    }));
});

describe('an answer', () => {
  const answerTo = async (
    status: number,
    headers: Record<string, string> = {},
    kind: 'webhook' | 'slack' = 'webhook',
  ) => {
    answers = [{ status, headers }];
    const channel: Channel =
      kind === 'webhook' ? aChannel({ url }) : { ...base, name: 's', kind, url: new Secret(url) };
    return send(aBulletin(), channel, contextNow());
  };

  test('only 2xx counts; a move is no delivery and is not followed', async () => {
    expect(await answerTo(204)).toMatchObject({ kind: 'delivered' });
    expect(await answerTo(302, { location: url })).toMatchObject({
      kind: 'failed',
      status: 302,
      permanent: false,
    });
    expect(received).toHaveLength(2);
  });

  test('a webhook is gone with 410 only; a service that refuses what we sent refuses it again', async () => {
    expect(await answerTo(410)).toMatchObject({ permanent: true });
    expect(await answerTo(400)).toMatchObject({ permanent: false });
    expect(await answerTo(404, {}, 'slack')).toMatchObject({ permanent: true });
    expect(await answerTo(429, { 'retry-after': '30' }, 'slack')).toMatchObject({
      retryAfterMs: 30_000,
      permanent: false,
    });
  });

  test('a private address is refused unless the channel allows it', async () => {
    const channel = { ...aChannel({ url }), allowPrivate: false };
    expect(await send(aBulletin(), channel, contextNow())).toMatchObject({
      kind: 'failed',
      permanent: true,
      words: expect.stringContaining('private address') as string,
    });
    expect(received).toEqual([]);
    const metadata = aChannel({ url: 'http://169.254.169.254/latest' });
    expect(await send(aBulletin(), metadata, contextNow())).toMatchObject({
      kind: 'failed',
      permanent: true,
    });
  });
});

describe('from what was written down to what was told', () => {
  let store: Store;
  let now: number;
  let channels: Map<string, Channel>;
  let notifier: Notifier;
  let dependencies: ChannelDependencies;
  let gone: string[];

  beforeEach(async () => {
    const opened = await openStore('sqlite::memory:');
    if (opened.kind === 'failed') throw new Error(opened.message);
    ({ store } = opened);
    now = Date.now();
    gone = [];
    channels = new Map([['hook', aChannel({ url })]]);
    notifier = started();
    dependencies = { ...control(), channels: () => channels, notifier };
  });
  afterEach(() => store.close());

  const control = (): ControlDependencies => ({
    store,
    now: () => instant(now),
    newId: (prefix) => `${prefix}_${Bun.randomUUIDv7('hex', now)}`,
  });
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
    channels.set('other', aChannel({ name: 'other', url }));
    channels.set('quiet', aChannel({ name: 'quiet', url, wants: { on: ['incident.*'], atLeast: 'info' } }));
    await switchOff();
    await notifier.round();
    await notifier.round();
    expect(received).toHaveLength(2);
    expect(bodyOf()).toMatchObject({ type: 'switch.created' });
    expect((await deliveries()).map(({ channel, state }) => [channel, state])).toEqual([
      ['other', 'delivered'],
      ['hook', 'delivered'],
    ]);
    expect([...(await kinds())].sort()).toEqual([
      'delivery.delivered',
      'delivery.delivered',
      'switch.created',
    ]);
  });

  test('a failure is tried again with the same message id, when its time has come', async () => {
    answers = [{ status: 500 }, { status: 200 }];
    await switchOff();
    await notifier.round();
    await notifier.round();
    expect(received).toHaveLength(1);
    expect(await deliveries()).toMatchObject([
      { state: 'pending', attempts: 1, lastStatus: 500, words: 'it answered 500' },
    ]);
    now += 5_000;
    await notifier.round();
    expect(await deliveries()).toMatchObject([{ state: 'delivered', attempts: 2 }]);
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id'] ?? '');
  });

  test('what is dead stays until a person sends it again', async () => {
    answers = [{ status: 410 }, { status: 200 }];
    await switchOff();
    await notifier.round();
    const [dead] = (await store.listDeliveries({ state: 'dead', limit: 10 })).items;
    expect(dead).toMatchObject({ attempts: 1, lastStatus: 410 });
    expect(await replayDelivery(dead?.id ?? '', 'mara', dependencies)).toMatchObject({ kind: 'done' });
    await notifier.round();
    expect(await deliveries()).toMatchObject([{ state: 'delivered' }]);
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id'] ?? '');
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
    answers = [{ status: 410 }];
    await switchOff();
    await notifier.round();
    now += 1_000;
    await switchOff();
    await notifier.round();
    expect(received).toHaveLength(1);
    expect(gone).toEqual(['hook']);
    expect((await kinds()).filter((kind) => kind === 'channel.gone')).toHaveLength(1);
    notifier = started();
    expect(await notifier.goneAt('hook')).not.toBeNull();
    now += 1_000;
    answers = [{ status: 200 }, { status: 200 }];
    await testChannel('hook', 'mara', { ...dependencies, notifier });
    expect(await notifier.goneAt('hook')).toBeNull();
    await switchOff();
    await notifier.round();
    expect(received).toHaveLength(3);
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
    answers = [{ status: 500 }];
    await switchOff();
    await notifier.round();
    channels.clear();
    now += 5_000;
    await switchOff();
    await notifier.round();
    expect(await deliveries()).toMatchObject([
      { state: 'dead', words: 'the channel is no longer configured' },
    ]);
    expect(await store.loadOutbox(10)).toEqual([]);
  });

  test('a test is sent at once and once, and says what came of it', async () => {
    expect(await testChannel('hook', 'mara', dependencies)).toMatchObject({ value: { state: 'delivered' } });
    expect(bodyOf()).toMatchObject({
      type: 'channel.test',
      data: { text: expect.stringContaining('mara') as string },
    });
    answers = [{ status: 503 }];
    expect(await testChannel('hook', 'mara', dependencies)).toMatchObject({
      value: { state: 'dead', attempts: 1, words: 'it answered 503' },
    });
    expect(await testChannel('hok', 'mara', dependencies)).toMatchObject({
      code: 'not_found',
      remedy: expect.stringContaining('hook') as string,
    });
  });
});
