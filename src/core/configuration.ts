/**
 * The configuration document: every setting, its form and its meaning, in one schema. The JSON Schema for editors is
 * generated from it, so the two cannot differ. What settings mean together is `policy.ts`.
 *
 * Unknown keys are errors: a misspelt safety setting that is quietly ignored is worse than none.
 */
import { z } from 'zod';

import { adaptSchema } from './configure-adapt.ts';
import { canariesSchema } from './configure-canaries.ts';
import { channelSchema } from './configure-channels.ts';
import {
  calledAddress,
  date,
  described,
  duration,
  form,
  percentage,
  secret,
  someTime,
  yesNo,
} from './configure-fields.ts';
import { gateSchema } from './configure-gates.ts';
import { messagesSchema } from './configure-messages.ts';
import { statusPageSchema } from './configure-status.ts';
import { auditSchema } from './configure-audit.ts';
import { durationMs, sizeBytes } from './duration.ts';
import { dialects, providerApis } from './target.ts';

const size = form((text) => sizeBytes(text) !== null, 'must be a size such as 32MiB');
const name = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores');
const modelName = z.string().min(1).max(128);
const cloudWord = z.string().regex(/^[a-z0-9][a-z0-9.:-]{0,62}$/, 'must be letters, digits and dashes');
const address = z.string().regex(/^(?:\[[\da-fA-F:]+\]|[\w.-]*):\d{1,5}$/, 'must be HOST:PORT');
const capability = z.enum(['tools', 'vision', 'documents', 'audio', 'structured_output', 'thinking']);
const dialect = z.enum(dialects);
const retention = form(
  (text) => text === 'none' || durationMs(text) !== null,
  'must be "none" or a duration such as 30d',
);

const terms = z.strictObject({
  entity: described(z.string().min(1).optional(), 'Legal entity that processes the content.'),
  regions: described(z.array(z.string().min(1)).min(1).optional(), 'Regions where content may be processed.'),
  retention: described(retention.optional(), 'How long content is kept there.'),
  training: described(yesNo.optional(), 'Whether content is used for training.'),
  agreement: described(z.string().optional(), 'Reference of the agreement.'),
  sla: described(percentage.optional(), 'The availability that the provider promises, such as 99.9%.'),
  reviewed: described(date.optional(), 'When these facts were last checked.'),
  expires: described(date.optional(), 'From this date on every fact counts as unknown.'),
});

const model = z.strictObject({
  upstream: described(modelName.optional(), 'The name the provider knows it by.'),
  vendor: z.string().min(1).optional(),
  family: z.string().min(1).optional(),
  context: described(z.int().positive().optional(), 'Context window in tokens.'),
  output: described(z.int().positive().optional(), 'Largest output in tokens.'),
  price: described(
    z.strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() }).optional(),
    'US dollars per million tokens.',
  ),
  aliases: described(z.array(modelName).optional(), 'Other names that lead to it.'),
  dialects: described(z.array(dialect).min(1).optional(), 'Formats it speaks, preferred first.'),
  capabilities: described(
    z.array(capability).optional(),
    'What it can do; default: what the catalogue says.',
  ),
  streaming: described(yesNo.optional(), 'Whether it can stream its answers; default yes.'),
});

const providerApi = z
  .enum([...providerApis, 'gemini'])
  .transform((api) => (api === 'gemini' ? 'google' : api));

const feedUrl = z.url({ protocol: /^https?$/ });

const provider = z.strictObject({
  api: described(providerApi, 'Which API it speaks; gemini and google are the same.'),
  baseUrl: described(calledAddress.optional(), "What the vendor's own SDK takes; default per api."),
  keys: described(z.array(secret).optional(), 'References to keys; none for a provider that needs none.'),
  region: described(cloudWord.optional(), 'bedrock, vertex: the region asked, such as us-east-1.'),
  project: described(cloudWord.optional(), 'vertex: the Google Cloud project.'),
  apiVersion: described(
    z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}(?:-preview)?$/, 'must be a date such as 2024-10-21')
      .optional(),
    'azure-openai: calls deployments with this api-version; without it the v1 API is spoken.',
  ),
  auth: described(
    z
      .string()
      .regex(
        /^(?:default|environment|profile:[\w.-]+|role:arn:[\w:/+=,.@-]+)$/,
        'must be default, environment, profile:NAME or role:ARN',
      )
      .optional(),
    "Clouds: the cloud's own credential source, instead of keys.",
  ),
  local: described(yesNo.optional(), 'A model on your own machines: its hops are "local".'),
  statusFeed: described(
    z
      .union([
        feedUrl,
        z.strictObject({
          url: feedUrl,
          allowPrivate: described(
            yesNo.optional(),
            'Whether its name may lead to a private address; default no.',
          ),
        }),
      ])
      .optional(),
    "The provider's own status feed; its form is found out.",
  ),
  terms: terms.optional(),
  models: described(
    z.record(modelName, model.nullable()).optional(),
    'Only what the catalogue does not know or gets wrong.',
  ),
  limits: z
    .strictObject({
      concurrency: described(z.int().positive().optional(), 'Most calls open at once.'),
      rpm: described(z.int().positive().optional(), 'Requests a minute that the provider allows you.'),
      tpm: described(z.int().positive().optional(), 'Input tokens a minute that the provider allows you.'),
      growth: described(
        z
          .strictObject({
            from: z.int().positive().optional(),
            share: percentage.optional(),
            per: someTime.optional(),
          })
          .optional(),
        'How fast its use may grow: above `from` input tokens a minute (default 1000000), by `share` (50%) every `per` (15m).',
      ),
    })
    .optional(),
});

const dataClass = z.strictObject({
  training: z.union([z.boolean(), z.enum(['no', 'any'])]).optional(),
  retention: described(
    form(
      (text) => text === 'any' || text === 'none' || durationMs(text) !== null,
      'must be "none", "any" or a duration such as 30d',
    ).optional(),
    'Longest retention accepted.',
  ),
  regions: z.array(z.string().min(1)).min(1).optional(),
  entities: z.array(z.string().min(1)).min(1).optional(),
  capture: described(yesNo.optional(), '"no": its content is never captured, whatever audit.capture says.'),
});

const dataRule = z.strictObject({
  match: z.strictObject({
    feature: z.string().optional(),
    tenant: z.string().optional(),
    key: described(z.string().optional(), 'Id or name of a key.'),
  }),
  dataClass: z.string(),
});

const mode = z.enum(['auto', 'notify', 'ask', 'never', 'reduce']);
const fallback = z.union([
  mode,
  z.strictObject({
    same_model: mode.optional(),
    same_vendor: mode.optional(),
    other_vendor: mode.optional(),
    local: mode.optional(),
  }),
]);

const expectation = z.union([
  z.strictObject({
    survives: z.strictObject({
      provider: z.string().optional(),
      vendor: z.string().optional(),
      family: z.string().optional(),
      model: z.string().optional(),
      region: z.string().optional(),
    }),
  }),
  z.strictObject({ never: z.strictObject({ leavesRegion: z.string() }) }),
]);

const feature = z.strictObject({
  title: described(z.string().min(1).max(80).optional(), 'What people see.'),
  route: described(
    z.array(z.string().regex(/^[^/\s]+\/\S+$/, 'must be PROVIDER/MODEL')).min(1),
    'Targets in order of preference.',
  ),
  fallback: described(
    fallback.optional(),
    'One word for all hops, or a map; a hop the map leaves out is "never".',
  ),
  dataClass: described(z.string().optional(), 'Class of a request that names none.'),
  models: described(
    z.array(modelName).optional(),
    'What a user may pick; default: every model of the route.',
  ),
  needs: z
    .strictObject({
      tools: yesNo.optional(),
      vision: yesNo.optional(),
      structuredOutput: yesNo.optional(),
      thinking: yesNo.optional(),
      context: z.int().positive().optional(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      connect: someTime.optional(),
      firstToken: someTime.optional(),
      stall: someTime.optional(),
      total: someTime.optional(),
    })
    .optional(),
  midStream: described(
    z.enum(['error', 'continue']).optional(),
    'continue: another target carries on after a cut; text only, once, never with tools.',
  ),
  priority: described(
    z.enum(['critical', 'normal', 'sheddable']).optional(),
    'Who goes first where there is not room for all; default normal.',
  ),
  warm: described(
    percentage.optional(),
    'Share of requests that goes to the first backup reached by "auto", so that it is known to work; default none.',
  ),
  hedge: described(
    z.strictObject({ after: duration, budget: percentage.optional() }).optional(),
    'Streams that are still silent after this time are asked of the next target too, for at most `budget` of the requests (5%).',
  ),
  equals: described(
    z.enum(['order', 'price', 'room']).optional(),
    'Which of several hosts of one model goes first: as in the route, the cheapest, or the one with most room.',
  ),
  adapt: described(
    z.record(z.string(), adaptSchema).optional(),
    'What is changed in a request before a target of the route gets it.',
  ),
  expect: z.array(expectation).optional(),
  sla: z
    .strictObject({
      availability: described(percentage.optional(), 'The availability you aim at, such as 99.9%.'),
      promised: described(percentage.optional(), 'The availability you promise your customers.'),
    })
    .optional(),
});

/** What `limits.attempts` may be raised to. */
export const attemptsLimitMax = 10;

const limits = z.strictObject({
  body: size.optional(),
  jsonDepth: z.int().positive().max(1_000).optional(),
  requests: described(z.int().positive().optional(), 'Most requests open at once.'),
  attempts: described(z.int().positive().max(attemptsLimitMax).optional(), 'Most attempts of one request.'),
  bodyPause: someTime.optional(),
  headers: described(duration.optional(), 'Fixed by the HTTP server at 10 to 15 s.'),
  answer: size.optional(),
  event: size.optional(),
  keepAlive: described(someTime.optional(), 'Silence after which a waiting stream gets a sign of life.'),
  holdHeaders: described(
    duration.optional(),
    'Longest wait for the commit point before the headers of a stream are sent.',
  ),
});

export const configurationSchema = z.strictObject({
  listen: described(address.optional(), 'Where to listen; default 127.0.0.1:4100.'),
  adminListen: address.optional(),
  statusListen: address.optional(),
  store: described(
    form((text) => /^(?:sqlite|postgres|postgresql):/.test(text), 'must be sqlite:PATH').optional(),
    'sqlite:PATH.',
  ),
  audit: auditSchema.optional(),
  providers: z.record(name, provider).optional(),
  dataClasses: z.record(name, dataClass.nullable()).optional(),
  dataRules: described(
    z.array(dataRule).optional(),
    'Classes that requests have whatever they say; every rule that matches is in force.',
  ),
  gates: z.array(gateSchema).optional(),
  canaries: described(
    canariesSchema.optional(),
    'Asks models fixed questions now and then, to notice one that changed under its name; default: nobody is asked.',
  ),
  features: z.record(name, feature).optional(),
  consent: z
    .strictObject({
      expires: described(someTime.optional(), 'How long an offer may be taken up; default 10m.'),
    })
    .optional(),
  retryAfterMax: duration.optional(),
  limits: limits.optional(),
  statusPage: statusPageSchema.optional(),
  messages: messagesSchema.optional(),
  channels: described(z.record(name, channelSchema).optional(), 'Whom to tell, and how.'),
  playbooks: described(z.string().optional(), 'Files of playbooks, such as ./playbooks/*.yaml.'),
});

export type Configuration = z.infer<typeof configurationSchema>;
export type ProviderConfiguration = NonNullable<Configuration['providers']>[string];
export type FeatureConfiguration = NonNullable<Configuration['features']>[string];

/** The JSON Schema that editors use. */
export function configurationJsonSchema(): unknown {
  return {
    $id: 'config.schema.json',
    title: 'Breakwater configuration',
    ...z.toJSONSchema(configurationSchema, { io: 'input' }),
  };
}

/** Names that a strict object at a path of a schema would accept, for suggestions. */
export function keysAt(root: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let schema: z.ZodType | undefined = root;
  for (const step of path) schema = schema === undefined ? undefined : inside(schema, step);
  return keysOf(schema);
}

function unwrapped(schema: z.ZodType): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unwrapped(option as z.ZodType));
  return [schema];
}

function inside(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  for (const each of unwrapped(schema)) {
    if (each instanceof z.ZodObject && typeof step === 'string' && step in each.shape)
      return each.shape[step] as z.ZodType;
    if (each instanceof z.ZodRecord) return each.valueType as z.ZodType;
    if (each instanceof z.ZodArray) return each.element as z.ZodType;
  }
  return undefined;
}

function keysOf(schema: z.ZodType | undefined): readonly string[] {
  if (schema === undefined) return [];
  return unwrapped(schema).flatMap((each) => (each instanceof z.ZodObject ? Object.keys(each.shape) : []));
}
