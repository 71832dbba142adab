/**
 * Standard Webhooks 1.0: one message id for every repetition, a signature over id, time and body, and one signature per
 * key while keys change. https://github.com/standard-webhooks/standard-webhooks
 */
import type { Bulletin } from '../core/bulletin.ts';
import { momentText } from '../core/moment.ts';
import type { Secret } from '../core/secret.ts';
import type { Context } from './payload.ts';

export type Signed = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

function signature(secret: Secret, content: string): string {
  const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64');
  return `v1,${new Bun.CryptoHasher('sha256', key).update(content).digest('base64')}`;
}

function dataOf(bulletin: Bulletin, { link }: Context): Record<string, unknown> {
  return {
    id: bulletin.id,
    subject: bulletin.subject,
    stage: bulletin.stage,
    severity: bulletin.severity,
    title: bulletin.title,
    text: bulletin.text,
    facts: Object.fromEntries(bulletin.facts.map(({ name, value }) => [name, value])),
    url: link,
  };
}

/** The body: as the specification has it, or as a CloudEvents 1.0 envelope. */
function bodyOf(bulletin: Bulletin, format: 'standard' | 'cloudevents', context: Context): string {
  const at = momentText(bulletin.at);
  const data = dataOf(bulletin, context);
  return JSON.stringify(
    format === 'standard'
      ? { type: bulletin.type, timestamp: at, data }
      : {
          specversion: '1.0',
          id: bulletin.id,
          source: context.source,
          type: `dev.breakwater.${bulletin.type}`,
          subject: bulletin.subject,
          time: at,
          datacontenttype: 'application/json',
          data,
        },
  );
}

/** The headers that say which message it is, when it was sent, and by whom. */
export function signedHeaders(
  id: string,
  body: string,
  secrets: readonly Secret[],
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(now / 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map((secret) => signature(secret, `${id}.${timestamp}.${body}`)).join(' '),
  };
}

export function signedWebhook(
  bulletin: Bulletin,
  channel: { readonly secrets: readonly Secret[]; readonly format: 'standard' | 'cloudevents' },
  context: Context,
): Signed {
  const body = bodyOf(bulletin, channel.format, context);
  return {
    body,
    headers: {
      'content-type': channel.format === 'standard' ? 'application/json' : 'application/cloudevents+json',
      ...signedHeaders(bulletin.id, body, channel.secrets, context.now),
    },
  };
}
