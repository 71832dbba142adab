/**
 * The `channels` section: whom to tell, how, and of what. Part of `configuration.ts`. What an address or a key is worth
 * keeping secret is a reference; an address that holds none may be written out.
 */
import { z } from 'zod';

import type { SecretSource } from './compile-provider.ts';
import { isYes, secret, yesNo } from './configure-fields.ts';
import { bulletinSeverities, bulletinTypes } from './bulletin.ts';
import type { BulletinSeverity, Subscription } from './bulletin.ts';
import { Secret } from './secret.ts';
import type { Report } from './snapshot.ts';

const address = z.url({ protocol: /^https?$/ });
const secretAddress = z
  .union([secret, address])
  .describe('The address; it holds a key, so better a reference.');
const pattern = z
  .string()
  .refine(
    (text) =>
      bulletinTypes.some(
        (type) => type === text || (text.endsWith('*') && type.startsWith(text.slice(0, -1))),
      ),
    `must be one of ${bulletinTypes.join(', ')}, or the beginning of some as incident.*`,
  );

const common = {
  on: z.array(pattern).min(1).optional().describe('Of what it is told; default: what its kind is for.'),
  atLeast: z.enum(bulletinSeverities).optional().describe('Only from this severity on; default info.'),
  allowPrivate: yesNo.optional().describe('Whether it may lead to a private address; default no.'),
};

const mailbox = z
  .string()
  .regex(/^(?:[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must be an address of e-mail');

export const channelSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    url: address.describe('Where to post.'),
    secret: z
      .union([secret, z.array(secret).min(1).max(5)])
      .describe('whsec_…; several while one replaces another: each signs.'),
    format: z
      .enum(['standard', 'cloudevents'])
      .optional()
      .describe('The body: Standard Webhooks (default) or CloudEvents 1.0; signed the same.'),
    ...common,
  }),
  z.strictObject({ kind: z.literal('slack'), url: secretAddress, ...common }),
  z.strictObject({ kind: z.literal('teams'), url: secretAddress, ...common }),
  z.strictObject({ kind: z.literal('discord'), url: secretAddress, ...common }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    routingKey: secret.describe("The integration's key, Events API v2."),
    url: address.optional().describe('Default https://events.pagerduty.com/v2/enqueue.'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('smtp'),
    host: z.string().min(1),
    port: z.int().positive().max(65_535).optional().describe('Default 587, 465 with tls: implicit.'),
    tls: z
      .enum(['required', 'implicit', 'none'])
      .optional()
      .describe(
        'required: STARTTLS (default); implicit: from the first byte; none: only inside one machine.',
      ),
    user: z.string().optional(),
    password: secret.optional(),
    from: mailbox,
    to: z.array(mailbox).min(1).max(50),
    ...common,
  }),
]);

type ChannelConfiguration = z.infer<typeof channelSchema>;
export type ChannelKind = ChannelConfiguration['kind'];

export type Channel = {
  readonly name: string;
  readonly wants: Subscription;
  readonly allowPrivate: boolean;
} & (
  | {
      readonly kind: 'webhook';
      readonly url: string;
      /** The keys that sign, in order. */
      readonly secrets: readonly Secret[];
      readonly format: 'standard' | 'cloudevents';
    }
  | { readonly kind: 'slack' | 'teams' | 'discord'; readonly url: Secret }
  | { readonly kind: 'pagerduty'; readonly url: string; readonly routingKey: Secret }
  | {
      readonly kind: 'smtp';
      readonly host: string;
      readonly port: number;
      readonly tls: 'required' | 'implicit' | 'none';
      readonly login: { readonly user: string; readonly password: Secret } | null;
      readonly from: string;
      readonly to: readonly string[];
    }
);

const talk: readonly string[] = ['incident.*', 'message.*', 'switch.*', 'playbook.*', 'quality.*', 'model.*'];
const usual: Readonly<Record<ChannelKind, readonly string[]>> = {
  webhook: ['*'],
  slack: talk,
  teams: talk,
  discord: talk,
  pagerduty: ['incident.*', 'playbook.*'],
  smtp: ['incident.*', 'message.*', 'playbook.*', 'quality.*', 'model.*'],
};

const isWebhookSecret = (found: Secret): boolean =>
  /^(?:whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/.test(found.reveal());

type Found = (references: readonly string[], field: string) => readonly Secret[] | null;

/** Finds the texts behind references; null when one is missing, which is reported. */
function finder(name: string, secrets: SecretSource, report: Report): Found {
  return (references, field) => {
    const found = references.map((reference) =>
      /^(?:env|file):/.test(reference) ? secrets(reference) : new Secret(reference),
    );
    for (const each of found)
      if ('why' in each)
        report({
          path: ['channels', name, field],
          message: each.why,
          remedy: 'set it, or remove the channel',
          severity: each.severity,
        });
    return found.every((each): each is Secret => !('why' in each)) ? found : null;
  };
}

function withAddress(found: readonly Secret[] | null, name: string, report: Report): Secret | null {
  const [url] = found ?? [];
  if (url === undefined) return null;
  if (URL.canParse(url.reveal()) && /^https?:/.test(url.reveal())) return url;
  report({
    path: ['channels', name, 'url'],
    message: 'does not lead to an address of the web',
    remedy: 'put the whole address there, https://…',
    severity: 'error',
  });
  return null;
}

type Parts = Pick<Channel, 'name' | 'wants' | 'allowPrivate'>;

function webhook(
  given: Extract<ChannelConfiguration, { kind: 'webhook' }>,
  parts: Parts,
  find: Found,
  report: Report,
): Channel | null {
  const secrets = find([given.secret].flat(), 'secret');
  if (secrets === null) return null;
  if (!secrets.every((each) => isWebhookSecret(each))) {
    report({
      path: ['channels', parts.name, 'secret'],
      message: 'does not hold a secret of Standard Webhooks',
      remedy: 'use whsec_ and 24 to 64 random bytes in base64: echo "whsec_$(openssl rand -base64 32)"',
      severity: 'error',
    });
    return null;
  }
  return { ...parts, kind: 'webhook', url: given.url, secrets, format: given.format ?? 'standard' };
}

function smtp(
  given: Extract<ChannelConfiguration, { kind: 'smtp' }>,
  parts: Parts,
  find: Found,
): Channel | null {
  const tls = given.tls ?? 'required';
  const passwords = given.password === undefined ? [] : find([given.password], 'password');
  if (passwords === null) return null;
  const [password] = passwords;
  return {
    ...parts,
    kind: 'smtp',
    host: given.host,
    port: given.port ?? (tls === 'implicit' ? 465 : 587),
    tls,
    login: given.user === undefined || password === undefined ? null : { user: given.user, password },
    from: given.from,
    to: given.to,
  };
}

function channelOf(
  name: string,
  given: ChannelConfiguration,
  secrets: SecretSource,
  report: Report,
): Channel | null {
  const find = finder(name, secrets, report);
  const parts: Parts = {
    name,
    wants: {
      on: given.on ?? usual[given.kind],
      atLeast: given.atLeast ?? ('info' satisfies BulletinSeverity),
    },
    allowPrivate: isYes(given.allowPrivate),
  };
  switch (given.kind) {
    case 'webhook':
      return webhook(given, parts, find, report);
    case 'slack':
    case 'teams':
    case 'discord': {
      const url = withAddress(find([given.url], 'url'), name, report);
      return url === null ? null : { ...parts, kind: given.kind, url };
    }
    case 'pagerduty': {
      const [routingKey] = find([given.routingKey], 'routingKey') ?? [];
      const url = given.url ?? 'https://events.pagerduty.com/v2/enqueue';
      return routingKey === undefined ? null : { ...parts, kind: 'pagerduty', url, routingKey };
    }
    case 'smtp':
      return smtp(given, parts, find);
  }
}

export function compileChannels(
  given: Readonly<Record<string, ChannelConfiguration>>,
  secrets: SecretSource,
  report: Report,
): ReadonlyMap<string, Channel> {
  const channels = Object.entries(given).flatMap(
    ([name, each]) => channelOf(name, each, secrets, report) ?? [],
  );
  return new Map(channels.map((channel) => [channel.name, channel]));
}
