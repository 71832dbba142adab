/**
 * The admin API: one table of routes, each with the role it requires and the schemas that parse what comes in. What is
 * not in the table does not exist; who has no role is refused before anything is read.
 */
import { z } from 'zod';

import type { Result } from '../control/verb.ts';
import { adminError, controlErrorReply, invalidInput, json } from './admin-error.ts';
import type { Read } from './admin-error.ts';
import { readAdminBody } from './admin-body.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { changeToWire, keyToWire, listToWire, recordToWire, switchToWire } from './wire.ts';
import { didYouMean } from '../core/nearest.ts';
import { durationMs } from '../core/duration.ts';
import { instant } from '../core/ids.ts';
import { explainRecord } from '../core/explain.ts';
import { scopeText } from '../core/coverage.ts';
import { keyInput } from '../control/keys.ts';
import { releaseInput, switchInput } from '../control/switches.ts';
import { pageSizeMax } from '../store/store.ts';
import type { RecordFilter } from '../store/store.ts';

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

type Matched = { readonly route: AdminRoute; readonly parameters: Readonly<Record<string, string>> };

/** Routes of the table at a path, whatever their method. */
function routesAt(path: string): readonly Matched[] {
  const steps = path.split('/');
  return adminRouteTable.flatMap((route): Matched[] => {
    const pattern = route.path.split('/');
    if (pattern.length !== steps.length) return [];
    const parameters: Record<string, string> = {};
    const fits = pattern.every((step, index) => {
      const given = steps[index] ?? '';
      if (!step.startsWith('{')) return step === given;
      parameters[step.slice(1, -1)] = given;
      return given !== '';
    });
    return fits ? [{ route, parameters }] : [];
  });
}

/** Query parameters by the route's schema; a parameter that is not known is an error. */
function readQuery(route: AdminRoute, url: URL): Read<Readonly<Record<string, string>>> {
  const given: Record<string, string> = {};
  for (const [name, value] of url.searchParams) given[name] = value;
  const known = route.query === undefined ? [] : Object.keys(route.query.shape);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const remedy =
      didYouMean(unknown, known) ||
      (known.length === 0 ? 'This address takes none.' : `Known parameters are ${known.join(', ')}.`);
    return invalidInput(`Unknown query parameter "${unknown.slice(0, 100)}".`, remedy, unknown.slice(0, 100));
  }
  const read = route.query?.safeParse(given);
  const issue = read?.error?.issues[0];
  if (issue === undefined) return { kind: 'read', value: given };
  return invalidInput(
    `${issue.path.join('.')}: ${issue.message}`,
    'Correct the value.',
    issue.path.join('.'),
  );
}

function actorOf(request: Request): string {
  const named = request.headers.get('x-breakwater-actor');
  return named !== null && /^[\w.@ -]{1,64}$/.test(named) ? named : 'admin';
}

function tokenOf(request: Request): string | null {
  return /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}

async function serve(request: Request, url: URL, dependencies: AdminDependencies): Promise<Response> {
  const token = tokenOf(request);
  if (token === null || !dependencies.verify(token)) {
    return adminError({
      status: 401,
      code: 'unauthenticated',
      message: 'The admin token is missing or wrong.',
      remedy: 'Send it as "Authorization: Bearer …".',
      field: null,
    });
  }
  const matches = routesAt(url.pathname);
  const matched = matches.find(({ route }) => route.method === request.method);
  if (matched === undefined) {
    const methods = matches.map(({ route }) => route.method).join(', ');
    return adminError({
      status: matches.length === 0 ? 404 : 405,
      code: 'not_found',
      message: matches.length === 0 ? 'There is nothing at this address.' : `This address takes ${methods}.`,
      remedy: 'See contract/openapi.json.',
      field: null,
    });
  }
  const { route, parameters } = matched;
  const query = readQuery(route, url);
  if (query.kind === 'error') return adminError(query.error);
  const body = await readAdminBody(request, route.body ?? null);
  if (body.kind === 'error') return adminError(body.error);
  return route.handle(
    { actor: actorOf(request), parameters, query: query.value, body: body.value, request },
    dependencies,
  );
}

export function adminRoutes(dependencies: AdminDependencies): {
  handle(request: Request, url: URL): Promise<Response>;
} {
  return {
    async handle(request, url) {
      try {
        return await serve(request, url, dependencies);
      } catch (error) {
        dependencies.onBug(error);
        return adminError({
          status: 503,
          code: 'unavailable',
          message: 'The store cannot be read right now.',
          remedy: 'See the server log, then try again.',
          field: null,
        });
      }
    },
  };
}
