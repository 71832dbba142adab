/** Channels on real sockets: what arrives, in which form, signed how; and what an answer means. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import type { z } from 'zod';

import type { Channel } from '../src/core/configure-channels.ts';
import type { Bulletin } from '../src/core/bulletin.ts';
import { Secret } from '../src/core/secret.ts';
import { send } from '../src/notify/send.ts';
import { discordMessage, pagerDutyEvent, slackMessage, teamsMessage } from './payload-schemas.ts';
import { aChannel, aBulletin, webhookSecret } from './told-fixture.ts';
import { base, contextNow, startReceiver } from './notify-fixture.ts';
import type { Receiver } from './notify-fixture.ts';

let receiver: Receiver;
let url: string;
beforeEach(() => {
  receiver = startReceiver();
  ({ url } = receiver);
});
afterEach(() => receiver.stop());

describe('a webhook', () => {
  test('is signed as the official package checks it', async () => {
    const bulletin = aBulletin();
    expect(await send(bulletin, aChannel({ url }), contextNow())).toEqual({ kind: 'delivered', status: 200 });
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
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
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    for (const secret of [webhookSecret, other])
      expect(new Webhook(secret).verify(body, headers)).toBeObject();
  });

  test('can be a CloudEvent, signed the same', async () => {
    const bulletin = aBulletin();
    await send(bulletin, aChannel({ url, format: 'cloudevents' }), contextNow());
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
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
      expect(schema.safeParse(receiver.bodyOf(index)).error).toBeUndefined();
    }
  });

  test('nobody is called by what a text happens to say', async () => {
    await send(aBulletin(), { ...base, name: 's', kind: 'slack', url: new Secret(url) }, contextNow());
    expect(receiver.received[0]?.body).toContain('&lt;!channel&gt; &amp; more');
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
    expect([0, 1, 2].map((index) => receiver.bodyOf(index))).toMatchObject([
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
    receiver.answers = [{ status, headers }];
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
    expect(receiver.received).toHaveLength(2);
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
    expect(receiver.received).toEqual([]);
    const metadata = aChannel({ url: 'http://169.254.169.254/latest' });
    expect(await send(aBulletin(), metadata, contextNow())).toMatchObject({
      kind: 'failed',
      permanent: true,
    });
  });
});
