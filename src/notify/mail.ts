/** Sends a bulletin by e-mail. The server's address is judged before it is connected to, and the judged one is used. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { Channel } from '../core/configure-channels.ts';
import type { DeliveryAnswer } from '../core/delivery.ts';
import type { Bulletin } from '../core/bulletin.ts';
import type { Guard } from '../outbound/guarded-fetch.ts';
import { mailOf } from './payload.ts';
import type { Context } from './payload.ts';

type MailChannel = Extract<Channel, { kind: 'smtp' }>;

const limitMs = 15_000;

const failed = (words: string, status: number | null = null, permanent = false): DeliveryAnswer => ({
  kind: 'failed',
  status,
  words,
  retryAfterMs: null,
  permanent,
});

async function judgedAddress(host: string, guard: Guard): Promise<string | DeliveryAnswer> {
  const found = isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host }];
  const [first] = found;
  if (first === undefined) return failed(`${host} cannot be found`);
  return found.every(({ address }) => guard(host, address))
    ? first.address
    : failed(`${host} leads to a private address; set allowPrivate if that is meant`, null, true);
}

/** Servers answer 5xx for what will never work and 4xx for what may later. */
function troubleOf(error: unknown): DeliveryAnswer {
  const { responseCode, code } = error as { readonly responseCode?: number; readonly code?: string };
  if (responseCode !== undefined)
    return failed(`the mail server answered ${responseCode}`, responseCode, responseCode >= 500);
  return failed(`the mail server cannot be used (${code ?? 'unknown trouble'})`);
}

export async function sendMail(
  bulletin: Bulletin,
  channel: MailChannel,
  guard: Guard,
  context: Context,
): Promise<DeliveryAnswer> {
  const { host, port, tls, login } = channel;
  const address = await judgedAddress(host, guard);
  if (typeof address !== 'string') return address;
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: address,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    tls: { servername: host },
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password.reveal() } }),
  });
  try {
    await transport.sendMail({
      from: channel.from,
      to: [...channel.to],
      ...mailOf(bulletin, context),
      messageId: `<${bulletin.id}@breakwater>`,
      // What belongs to one story is one thread.
      references: [`<${bulletin.subject}@breakwater>`],
      inReplyTo: `<${bulletin.subject}@breakwater>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    return { kind: 'delivered', status: 250 };
  } catch (error) {
    return troubleOf(error);
  } finally {
    transport.close();
  }
}
