/**
 * The admin API: who has no role is refused before anything is read, and what is not in the table does not exist.
 */
import { parseInput } from '../control/verb.ts';
import { didYouMean } from '../core/nearest.ts';
import { readAdminBody } from './admin-body.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, controlErrorReply, invalidInput } from './admin-error.ts';
import type { Read } from './admin-error.ts';
import { adminRouteTable } from './admin-route-table.ts';
import type { AdminRoute } from './admin-route-table.ts';

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
  if (route.body !== undefined && route.parsedBy === undefined) {
    const parsed = parseInput(route.body, body.value);
    if (parsed.kind === 'error') return controlErrorReply(parsed);
  }
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
