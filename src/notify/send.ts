/** One attempt to tell one channel: makes what the service wants, sends it, and says what came of it. */
import type { Channel } from '../core/configure-channels.ts';
import type { DeliveryAnswer } from '../core/delivery.ts';
import type { Bulletin } from '../core/bulletin.ts';
import { guardedFetch, privateToo, publicOnly } from '../outbound/guarded-fetch.ts';
import type { Fetched } from '../outbound/guarded-fetch.ts';
import { sendMail } from './mail.ts';
import { discordPayload, pagerDutyPayload, slackPayload, teamsPayload } from './payload.ts';
import type { Context } from './payload.ts';
import { signedWebhook } from './standard-webhook.ts';

const limitMs = 15_000;
/** Nobody's answer is read beyond this. */
const answerBytesMax = 65_536;

/** For a webhook only 410 is final: its receiver is a program that may be mended. A service's refusal of what we sent is. */
const finalStatuses: Readonly<Record<Channel['kind'], ReadonlySet<number>>> = {
  webhook: new Set([410]),
  slack: new Set([400, 403, 404, 410]),
  teams: new Set([400, 401, 403, 404, 410]),
  discord: new Set([400, 401, 403, 404]),
  pagerduty: new Set([400]),
  smtp: new Set(),
};

function retryAfterMs(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

function answerOf(fetched: Fetched, kind: Channel['kind'], now: number): DeliveryAnswer {
  if (fetched.kind === 'failed')
    return {
      kind: 'failed',
      status: null,
      words: `the address ${fetched.words}`,
      retryAfterMs: null,
      permanent: fetched.trouble === 'address_refused' || fetched.trouble === 'not_an_address',
    };
  const { status, headers } = fetched;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  return {
    kind: 'failed',
    status,
    words: `it answered ${status}`,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
    permanent: finalStatuses[kind].has(status),
  };
}

type Post = {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

function postOf(bulletin: Bulletin, channel: Exclude<Channel, { kind: 'smtp' }>, context: Context): Post {
  switch (channel.kind) {
    case 'webhook':
      return { url: channel.url, ...signedWebhook(bulletin, channel, context) };
    case 'slack':
      return { url: channel.url.reveal(), body: JSON.stringify(slackPayload(bulletin, context)) };
    case 'teams':
      return { url: channel.url.reveal(), body: JSON.stringify(teamsPayload(bulletin, context)) };
    case 'discord':
      return { url: channel.url.reveal(), body: JSON.stringify(discordPayload(bulletin, context)) };
    case 'pagerduty': {
      const payload = pagerDutyPayload(bulletin, channel.routingKey.reveal(), context);
      return { url: channel.url, body: JSON.stringify(payload) };
    }
  }
}

export async function send(bulletin: Bulletin, channel: Channel, context: Context): Promise<DeliveryAnswer> {
  const guard = channel.allowPrivate ? privateToo : publicOnly;
  if (channel.kind === 'smtp') return sendMail(bulletin, channel, guard, context);
  const { url, body, headers } = postOf(bulletin, channel, context);
  const fetched = await guardedFetch({
    url,
    guard,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Breakwater', ...headers },
    body,
    limitMs,
    bytesMax: answerBytesMax,
  });
  return answerOf(fetched, channel.kind, context.now);
}
