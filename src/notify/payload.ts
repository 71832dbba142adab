/** A bulletin as each service for people wants it. Bounds are those the services document; a bulletin is shorter than all of them. */
import type { Instant } from '../core/ids.ts';
import { momentText } from '../core/moment.ts';
import type { Bulletin, BulletinSeverity } from '../core/bulletin.ts';
import { momentWords } from '../core/words.ts';

/** What a payload says besides the bulletin. */
export type Context = {
  readonly now: Instant;
  /** Where to read on; null when no address is configured. */
  readonly link: string | null;
  /** Which installation speaks. */
  readonly source: string;
};
type Json = Readonly<Record<string, unknown>>;

const whenWords = (bulletin: Bulletin): string => momentWords(momentText(bulletin.at));

/** Slack reads `&`, `<` and `>` as markup, and a link could call everybody. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function slackPayload(bulletin: Bulletin, { link, source }: Context): Json {
  const fields = bulletin.facts.map(({ name, value }) => ({
    type: 'mrkdwn',
    text: `*${slackText(name)}*\n${slackText(value)}`,
  }));
  const text = bulletin.text === '' ? bulletin.title : bulletin.text;
  return {
    text: slackText(bulletin.title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: bulletin.title, emoji: false } },
      { type: 'section', text: { type: 'mrkdwn', text: slackText(text) } },
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
      {
        type: 'context',
        elements: [
          { type: 'mrkdwn', text: slackText(`${whenWords(bulletin)} · ${source} · ${bulletin.id}`) },
        ],
      },
      ...(link === null
        ? []
        : [
            {
              type: 'actions',
              elements: [{ type: 'button', text: { type: 'plain_text', text: 'Read on' }, url: link }],
            },
          ]),
    ],
  };
}

const cardColors: Readonly<Record<BulletinSeverity, string>> = {
  info: 'default',
  warning: 'warning',
  error: 'attention',
  critical: 'attention',
};

/** An Adaptive Card in the envelope that Teams' Workflows take. */
export function teamsPayload(bulletin: Bulletin, { link, source }: Context): Json {
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      {
        type: 'TextBlock',
        text: bulletin.title,
        weight: 'bolder',
        size: 'medium',
        wrap: true,
        color: cardColors[bulletin.severity],
      },
      ...(bulletin.text === '' ? [] : [{ type: 'TextBlock', text: bulletin.text, wrap: true }]),
      ...(bulletin.facts.length === 0
        ? []
        : [
            {
              type: 'FactSet',
              facts: bulletin.facts.map(({ name, value }) => ({ title: name, value })),
            },
          ]),
      {
        type: 'TextBlock',
        text: `${whenWords(bulletin)} · ${source} · ${bulletin.id}`,
        isSubtle: true,
        size: 'small',
        wrap: true,
      },
    ],
    ...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Read on', url: link }] }),
  };
  return {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
}

const embedColors: Readonly<Record<BulletinSeverity, number>> = {
  info: 0x1d_4f_91,
  warning: 0x8a_4b_00,
  error: 0xa4_16_1a,
  critical: 0xa4_16_1a,
};

export function discordPayload(bulletin: Bulletin, { link, source }: Context): Json {
  return {
    // Nobody is called by a name that happens to be in a text.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: bulletin.title,
        description: bulletin.text,
        color: embedColors[bulletin.severity],
        timestamp: momentText(bulletin.at),
        ...(link === null ? {} : { url: link }),
        fields: bulletin.facts.map(({ name, value }) => ({ name, value, inline: true })),
        footer: { text: `${source} · ${bulletin.id}` },
      },
    ],
  };
}

const pagerActions = { begins: 'trigger', goes_on: 'trigger', ends: 'resolve' } as const;

/** Events v2. The story's id is the key that joins its events, so that its end resolves its beginning. */
export function pagerDutyPayload(bulletin: Bulletin, routingKey: string, { link, source }: Context): Json {
  return {
    routing_key: routingKey,
    event_action: pagerActions[bulletin.stage],
    dedup_key: bulletin.subject,
    client: 'Breakwater',
    ...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'Status page' }] }),
    payload: {
      summary: bulletin.title,
      source,
      severity: bulletin.severity,
      timestamp: momentText(bulletin.at),
      class: bulletin.type,
      custom_details: {
        text: bulletin.text,
        message_id: bulletin.id,
        ...Object.fromEntries(bulletin.facts.map(({ name, value }) => [name, value])),
      },
    },
  };
}

export type Mail = { readonly subject: string; readonly text: string };

export function mailOf(bulletin: Bulletin, { link, source }: Context): Mail {
  const facts = bulletin.facts.map(({ name, value }) => `${name}: ${value}`);
  return {
    subject: bulletin.title.replaceAll(/[\r\n]+/g, ' '),
    text: [
      bulletin.text,
      ...(facts.length === 0 ? [] : [facts.join('\n')]),
      ...(link === null ? [] : [link]),
      `--\n${whenWords(bulletin)} · ${source} · ${bulletin.id}`,
    ].join('\n\n'),
  };
}
