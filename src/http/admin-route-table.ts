/** The table of the admin API: each route with the role it requires and the schemas that parse what comes in. */
import { z } from 'zod';

import { keyInput } from '../control/keys.ts';
import { pageSizeMax } from '../control/queries.ts';
import type { RecordFilter } from '../control/queries.ts';
import { releaseInput, switchInput } from '../control/switches.ts';
import type { Result } from '../control/verb.ts';
import { scopeText } from '../core/coverage.ts';
import { durationMs } from '../core/duration.ts';
import { explainRecord } from '../core/explain.ts';
import { instant } from '../core/ids.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, controlErrorReply, json } from './admin-error.ts';
import { changeToWire, keyToWire, listToWire, recordToWire, switchToWire } from './wire.ts';

export type Role = 'viewer' | 'responder' | 'operator' | 'comms' | 'auditor' | 'admin';

export type AdminCall = {
  readonly actor: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
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
  /** `verb`: the verb of control parses the body itself, so that a rejection is written down. */
  readonly parsedBy?: 'verb';
  readonly handle: (call: AdminCall, dependencies: AdminDependencies) => Promise<Response>;
};

const word = z.string().min(1).max(200);
const time = z
  .string()
  .refine(
    (text) => durationMs(text) !== null || !Number.isNaN(Date.parse(text)),
    'must be a time such as 2026-06-07T08:00:00Z, or a duration back from now such as 1h',
  );
const pageQuery = {
  cursor: word.optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be 1 to ${pageSizeMax}`)
    .optional(),
};

const recordQuery = z.strictObject({
  feature: word.optional(),
  target: word.optional(),
  attempted: word.optional(),
  requested: word.optional(),
  hop: z.enum(['same_model', 'same_vendor', 'other_vendor', 'local']).optional(),
  boundary: z.enum(['entity', 'region', 'retention']).optional(),
  failure: word.optional(),
  outcome: z.enum(['answered', 'partial', 'refused', 'failed', 'cancelled']).optional(),
  tenant: word.optional(),
  user: word.optional(),
  key: word.optional(),
  since: time.optional(),
  until: time.optional(),
  ...pageQuery,
});

const defaultPageSize = 50;

function pageSize(text: string | undefined): number {
  return Math.min(pageSizeMax, Math.max(1, Number(text ?? defaultPageSize)));
}

function recordFilter(query: Readonly<Record<string, string>>, now: number): RecordFilter {
  const { limit, since, until, ...names } = query;
  const at = (text: string): number => {
    const back = durationMs(text);
    return back === null ? Date.parse(text) : now - back;
  };
  return {
    ...names,
    ...(since === undefined ? {} : { since: instant(at(since)) }),
    ...(until === undefined ? {} : { until: instant(at(until)) }),
    limit: pageSize(limit),
  };
}

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
  needs: z.array(word).optional(),
  input_tokens: z.int().nonnegative().optional(),
});

export const adminRouteTable: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/state',
    role: 'viewer',
    summary: 'Targets, gates, features and switches now',
    handle: (_call, { state }) => Promise.resolve(json(state())),
  },
  {
    method: 'GET',
    path: '/admin/v1/switches',
    role: 'viewer',
    summary: 'Switches that are not released',
    handle: (_call, { switches }) => Promise.resolve(json(listToWire(switches.list().map(switchToWire)))),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches',
    role: 'responder',
    summary: 'Take a scope out; in force before the answer',
    body: switchInput,
    parsedBy: 'verb',
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
    method: 'GET',
    path: '/admin/v1/switches/{id}',
    role: 'viewer',
    summary: 'One switch',
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
    handle: (_call, { switches }) => Promise.resolve(json({ items: switches.acks(), next_cursor: null })),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches/{id}/release',
    role: 'responder',
    summary: 'Bring the scope back, by a ramp unless said otherwise',
    body: releaseInput,
    parsedBy: 'verb',
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
    query: z.strictObject(pageQuery),
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
    handle: async (_call, { store }) => json(listToWire((await store.loadKeys()).map(keyToWire))),
  },
  {
    method: 'POST',
    path: '/admin/v1/keys',
    role: 'admin',
    summary: 'Make a key; the secret is shown once',
    body: keyInput,
    parsedBy: 'verb',
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
    handle: async ({ parameters, actor }, { keys }) =>
      sent(await keys.revoke(parameters['id'] ?? '', actor), (value) => json(value)),
  },
  {
    method: 'GET',
    path: '/admin/v1/config',
    role: 'viewer',
    summary: 'The configuration in force, without secrets',
    handle: (_call, { config }) => Promise.resolve(json(config.view())),
  },
  {
    method: 'POST',
    path: '/admin/v1/config/check',
    role: 'viewer',
    summary: 'Every problem of a configuration, with line and column',
    body: z.strictObject({ text: z.string() }),
    handle: ({ body }, { config }) => Promise.resolve(json(config.check((body as { text: string }).text))),
  },
  {
    method: 'POST',
    path: '/admin/v1/explain',
    role: 'viewer',
    summary: 'Where a request would go now, and why',
    body: explainInput,
    handle: ({ body }, { explain }) =>
      Promise.resolve(explained(explain(body as z.infer<typeof explainInput>))),
  },
  {
    method: 'GET',
    path: '/admin/v1/coverage',
    role: 'viewer',
    summary: 'What each feature can survive',
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
        remedy: 'Name a feature, or a model that is configured.',
        field: null,
      });
}
