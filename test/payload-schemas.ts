/**
 * What the services document of the messages they take, as schemas: names, kinds and bounds. Strict, so that a field that
 * is not documented is found.
 */
import { z } from 'zod';

const text = (max: number): z.ZodString => z.string().min(1).max(max);

/** https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
const plain = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: text(max), emoji: z.boolean().optional() });
const markdown = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: text(max) });
export const slackMessage = z.strictObject({
  text: text(40_000),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('header'), text: plain(150) }),
        z
          .strictObject({
            type: z.literal('section'),
            text: markdown(3_000).optional(),
            fields: z.array(markdown(2_000)).min(1).max(10).optional(),
          })
          .refine(({ text: said, fields }) => said !== undefined || fields !== undefined),
        z.strictObject({ type: z.literal('context'), elements: z.array(markdown(3_000)).min(1).max(10) }),
        z.strictObject({
          type: z.literal('actions'),
          elements: z
            .array(z.strictObject({ type: z.literal('button'), text: plain(75), url: z.url().max(3_000) }))
            .min(1)
            .max(25),
        }),
      ]),
    )
    .max(50),
});

/** https://adaptivecards.io/explorer and https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors */
export const teamsMessage = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5']),
        body: z
          .array(
            z.discriminatedUnion('type', [
              z.strictObject({
                type: z.literal('TextBlock'),
                text: z.string().min(1),
                weight: z.enum(['lighter', 'default', 'bolder']).optional(),
                size: z.enum(['small', 'default', 'medium', 'large', 'extraLarge']).optional(),
                color: z
                  .enum(['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention'])
                  .optional(),
                wrap: z.boolean().optional(),
                isSubtle: z.boolean().optional(),
              }),
              z.strictObject({
                type: z.literal('FactSet'),
                facts: z.array(z.strictObject({ title: z.string(), value: z.string() })).min(1),
              }),
            ]),
          )
          .min(1),
        actions: z
          .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() }))
          .optional(),
      }),
    }),
  ]),
});

/** https://discord.com/developers/docs/resources/webhook#execute-webhook and …/resources/message#embed-object */
export const discordMessage = z.strictObject({
  allowed_mentions: z.strictObject({ parse: z.array(z.enum(['roles', 'users', 'everyone'])) }),
  embeds: z
    .array(
      z.strictObject({
        title: text(256),
        description: z.string().max(4_096),
        url: z.url().optional(),
        color: z.int().min(0).max(0xff_ff_ff),
        timestamp: z.iso.datetime(),
        fields: z.array(z.strictObject({ name: text(256), value: text(1_024), inline: z.boolean() })).max(25),
        footer: z.strictObject({ text: text(2_048) }),
      }),
    )
    .min(1)
    .max(10),
});

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events */
export const pagerDutyEvent = z.strictObject({
  routing_key: z.string().length(32),
  event_action: z.enum(['trigger', 'acknowledge', 'resolve']),
  dedup_key: text(255),
  client: z.string().optional(),
  client_url: z.url().optional(),
  links: z.array(z.strictObject({ href: z.url(), text: z.string() })).optional(),
  payload: z.strictObject({
    summary: text(1_024),
    source: z.string().min(1),
    severity: z.enum(['critical', 'error', 'warning', 'info']),
    timestamp: z.iso.datetime().optional(),
    component: z.string().optional(),
    group: z.string().optional(),
    class: z.string().optional(),
    custom_details: z.record(z.string(), z.unknown()).optional(),
  }),
});
