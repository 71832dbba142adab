/** The table of the admin API: each route with the role it requires and the schemas of what comes in and goes out. */
import { z } from 'zod';

import { keyInput } from '../control/keys.ts';
import { previewInput, releaseInput, switchInput } from '../control/switches.ts';
import type { Result } from '../control/verb.ts';
import { scopeText } from '../core/coverage.ts';
import { explainRecord } from '../core/explain.ts';
import { capabilities } from '../core/target.ts';
import type { AnswerName } from './admin-answers.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, controlErrorReply, json } from './admin-error.ts';
import { changeQuery, oneOf, pageSize, recordFilter, recordQuery, word } from './admin-query.ts';
import type { Query } from './admin-query.ts';
import { previewToWire } from './preview-view.ts';
import type { Role } from './roles.ts';
import { changeToWire, keyToWire, listToWire, recordToWire, switchToWire } from './wire.ts';

export type AdminCall = {
  readonly actor: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: unknown;
  readonly request: Request;
};

export type AdminRoute = {
  readonly method: 'GET' | 'POST';
  /** With `{id}` for what varies. */
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** A body of YAML or plain text stands for `{ "text": … }`. */
  readonly takesText?: true;
  /** What a verb of control changes. The verb parses the body itself, and what is rejected is written down. */
  readonly changes?: 'switch' | 'key';
  readonly answer: AnswerName;
  /** 200 unless said otherwise. */
  readonly status?: 201;
  readonly handle: (call: AdminCall, dependencies: AdminDependencies) => Promise<Response>;
};

function sent<T>(result: Result<T>, show: (value: T) => Response): Response {
  return result.kind === 'error' ? controlErrorReply(result) : show(result.value);
}

const notFound = (what: string): Response =>
  adminError({
    status: 404,
    code: 'not_found',
    message: `There is no ${what}.`,
    remedy: 'Check the id.',
    field: null,
  });

/** The revision in `If-Match`; null when there is none, NaN when it is not one. */
function revisionOf(request: Request): number | null {
  const text = request.headers.get('if-match');
  return text === null || text === '*' ? null : Number(/^(?:W\/)?"(\d+)"$/.exec(text)?.[1] ?? Number.NaN);
}

const explainInput = z.strictObject({
  feature: word.optional(),
  model: word.optional(),
  data_class: word.optional(),
  key: word.optional(),
  needs: z.array(oneOf(capabilities)).optional(),
  input_tokens: z.int().nonnegative().optional(),
});

export const adminRouteTable: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/state',
    role: 'viewer',
    summary: 'Targets, gates, features and switches now',
    answer: 'State',
    handle: (_call, { state }) => Promise.resolve(json(state())),
  },
  {
    method: 'GET',
    path: '/admin/v1/switches',
    role: 'viewer',
    summary: 'Switches that are not released',
    answer: 'SwitchList',
    handle: (_call, { switches }) => Promise.resolve(json(listToWire(switches.list().map(switchToWire)))),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches',
    role: 'responder',
    summary: 'Take a scope out; in force before the answer',
    body: switchInput,
    changes: 'switch',
    answer: 'SwitchCreated',
    status: 201,
    handle: async ({ body, actor }, { switches }) =>
      sent(await switches.create(body, actor), ({ entry, expandsTo }) =>
        json(
          { ...switchToWire(entry), expands_to: expandsTo, matches: expandsTo.length, acks: switches.acks() },
          201,
          { etag: `"${entry.rev}"` },
        ),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches/preview',
    role: 'viewer',
    summary: 'What a switch would do to the traffic of the last 15 minutes; nothing is changed',
    body: previewInput,
    answer: 'SwitchPreview',
    handle: async ({ body }, { switches }) =>
      sent(await switches.preview(body), (preview) => json(previewToWire(preview))),
  },
  {
    method: 'GET',
    path: '/admin/v1/switches/{id}',
    role: 'viewer',
    summary: 'One switch',
    answer: 'Switch',
    handle: async ({ parameters }, { switches }) => {
      const entry = await switches.find(parameters['id'] ?? '');
      return entry === null
        ? notFound('such switch')
        : json(switchToWire(entry), 200, { etag: `"${entry.rev}"` });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/switches/{id}/acks',
    role: 'viewer',
    summary: 'Which replicas have it in force',
    answer: 'AckList',
    handle: async ({ parameters }, { switches }) =>
      (await switches.find(parameters['id'] ?? '')) === null
        ? notFound('such switch')
        : json(listToWire(switches.acks())),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches/{id}/release',
    role: 'responder',
    summary: 'Bring the scope back, by a ramp unless said otherwise',
    body: releaseInput,
    changes: 'switch',
    answer: 'Switch',
    handle: async ({ parameters, body, actor, request }, { switches }) =>
      sent(
        await switches.release({ id: parameters['id'] ?? '', input: body, rev: revisionOf(request) }, actor),
        (entry) => json(switchToWire(entry), 200, { etag: `"${entry.rev}"` }),
      ),
  },
  {
    method: 'GET',
    path: '/admin/v1/requests',
    role: 'viewer',
    summary: 'Records, newest first',
    query: recordQuery,
    answer: 'RecordList',
    handle: async ({ query }, { store, now }) => {
      const page = await store.listRecords(recordFilter(query, now()));
      return json(listToWire(page.items.map(recordToWire), page.nextCursor));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/requests/{id}',
    role: 'viewer',
    summary: 'One record',
    answer: 'ExplainedRecord',
    handle: async ({ parameters }, { store }) => {
      const record = await store.findRecord(parameters['id'] ?? '');
      return record === null
        ? notFound('such record yet')
        : json({ ...recordToWire(record), words: explainRecord(record, new Date(record.at).toISOString()) });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/changes',
    role: 'viewer',
    summary: 'What people and the machine decided, newest first',
    query: changeQuery,
    answer: 'ChangeList',
    handle: async ({ query }, { store }) => {
      const page = await store.listChanges(query['cursor'] ?? null, pageSize(query['limit']));
      return json(listToWire(page.items.map(changeToWire), page.nextCursor));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/keys',
    role: 'admin',
    summary: "Callers' keys, without their secrets",
    answer: 'KeyList',
    handle: async (_call, { store }) => json(listToWire((await store.loadKeys()).map(keyToWire))),
  },
  {
    method: 'POST',
    path: '/admin/v1/keys',
    role: 'admin',
    summary: 'Make a key; the secret is shown once',
    body: keyInput,
    changes: 'key',
    answer: 'KeyCreated',
    status: 201,
    handle: async ({ body, actor }, { keys }) =>
      sent(await keys.create(body, actor), ({ key, secret, warnings }) =>
        json({ ...keyToWire(key), secret, warnings }, 201),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/keys/{id}/revoke',
    role: 'admin',
    summary: 'Make a key useless',
    changes: 'key',
    answer: 'KeyRevoked',
    handle: async ({ parameters, actor }, { keys }) =>
      sent(await keys.revoke(parameters['id'] ?? '', actor), (value) => json(value)),
  },
  {
    method: 'GET',
    path: '/admin/v1/config',
    role: 'viewer',
    summary: 'The configuration in force, without secrets',
    answer: 'Config',
    handle: (_call, { config }) => Promise.resolve(json(config.view())),
  },
  {
    method: 'POST',
    path: '/admin/v1/config/check',
    // It says whether files and variables that the configuration names are there: not for every viewer.
    role: 'operator',
    summary: 'Every problem of a configuration, with line and column',
    body: z.strictObject({ text: z.string() }),
    takesText: true,
    answer: 'ConfigChecked',
    handle: ({ body }, { config }) => Promise.resolve(json(config.check((body as { text: string }).text))),
  },
  {
    method: 'POST',
    path: '/admin/v1/explain',
    role: 'viewer',
    summary: 'Where a request would go now, and why',
    body: explainInput,
    answer: 'Explained',
    handle: ({ body }, { explain }) =>
      Promise.resolve(explained(explain(body as z.infer<typeof explainInput>))),
  },
  {
    method: 'GET',
    path: '/admin/v1/coverage',
    role: 'viewer',
    summary: 'What each feature can survive',
    answer: 'CoverageList',
    handle: (_call, { coverage }) =>
      Promise.resolve(
        json({
          items: coverage().map(({ losses, ...rest }) => ({
            ...rest,
            losses: losses.map((loss) => ({ ...loss, loss: scopeText(loss.loss) })),
          })),
          next_cursor: null,
        }),
      ),
  },
];

function explained(result: ReturnType<AdminDependencies['explain']>): Response {
  return result.kind === 'explained'
    ? json(result.value)
    : adminError({
        status: 400,
        code: 'invalid',
        message: result.message,
        remedy: 'Name a feature, or a model that is configured, and a key only if it is in use.',
        field: null,
      });
}
