/** Incidents: what is going on, what people say about it, whom it hit. */
import { z } from 'zod';

import {
  dismissInput,
  incidentInput,
  mergeInput,
  splitInput,
  updateInput,
} from '../control/incident-inputs.ts';
import type { IncidentRead } from '../control/incident-queries.ts';
import type { Incident, IncidentState } from '../core/incident.ts';
import { incidentStates } from '../core/incident.ts';
import { hitKinds } from '../core/incident-hits.ts';
import type { HitKind } from '../core/incident-hits.ts';
import { impactOf } from '../core/incident-impact.ts';
import type { Result } from '../control/verb.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { controlErrorReply, json } from './admin-error.ts';
import { cursor, limit, oneOf, pageSize, word } from './admin-query.ts';
import { notFound, revisionOf } from './admin-route.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { hitToWire, incidentReadToWire, totalsToWire } from './incident-view.ts';
import { listToWire } from './wire.ts';

const listQuery = z.strictObject({
  state: oneOf([...incidentStates, 'open']).optional(),
  cursor: cursor('inc').optional(),
  limit: limit.optional(),
});

const hitQuery = z.strictObject({
  how: oneOf(hitKinds).optional(),
  feature: word.optional(),
  cursor: cursor('req').optional(),
  limit: limit.optional(),
});

const openStates: readonly IncidentState[] = ['suspected', 'active', 'mitigated', 'restoring'];

function statesOf(asked: string | undefined): readonly IncidentState[] | null {
  if (asked === undefined) return null;
  return asked === 'open' ? openStates : [asked as IncidentState];
}

const missing = (): Response => notFound('such incident');

function reply(read: IncidentRead | null, status = 200): Response {
  if (read === null) return missing();
  return json(incidentReadToWire(read), status, { etag: `"${read.incident.rev}"` });
}

/** The answer of a verb: the incident as it is now. */
async function told(
  result: Result<Incident>,
  { incidents }: AdminDependencies,
  status = 200,
): Promise<Response> {
  return result.kind === 'error'
    ? controlErrorReply(result)
    : reply(await incidents.read(result.value.id), status);
}

const telling = ({
  parameters,
  body,
  request,
}: AdminCall): { id: string; input: unknown; rev: number | null } => ({
  id: parameters['id'] ?? '',
  input: body,
  rev: revisionOf(request),
});

export const incidentRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/incidents',
    role: 'viewer',
    summary: 'Incidents, newest first',
    query: listQuery,
    answer: 'IncidentList',
    handle: async ({ query }, { store, incidents }) => {
      const page = await store.listIncidents(
        statesOf(query['state']),
        query['cursor'] ?? null,
        pageSize(query['limit']),
      );
      const reads = await Promise.all(page.items.map(({ id }) => incidents.read(id)));
      const shown = reads.flatMap((read) => (read === null ? [] : [incidentReadToWire(read)]));
      return json(listToWire(shown, page.nextCursor));
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents',
    role: 'responder',
    summary: 'Open an incident; the class of failure is required',
    body: incidentInput,
    changes: 'incident',
    answer: 'Incident',
    status: 201,
    handle: async ({ body, actor }, dependencies) =>
      told(await dependencies.incidents.open(body, actor), dependencies, 201),
  },
  {
    method: 'GET',
    path: '/admin/v1/incidents/{id}',
    role: 'viewer',
    summary: 'One incident with its timeline and numbers',
    answer: 'Incident',
    handle: async ({ parameters }, { incidents }) => reply(await incidents.read(parameters['id'] ?? '')),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/updates',
    role: 'responder',
    summary: 'Say something about it: text, state, class, severity, times, roles',
    body: updateInput,
    changes: 'incident',
    answer: 'Incident',
    handle: async (call, dependencies) =>
      told(await dependencies.incidents.update(telling(call), call.actor), dependencies),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/merge',
    role: 'responder',
    summary: 'Make it part of another one; the answer is the other one',
    body: mergeInput,
    changes: 'incident',
    answer: 'Incident',
    handle: async (call, dependencies) =>
      told(await dependencies.incidents.merge(telling(call), call.actor), dependencies),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/split',
    role: 'responder',
    summary: 'Make some of its targets an incident of their own; the answer is the new one',
    body: splitInput,
    changes: 'incident',
    answer: 'Incident',
    status: 201,
    handle: async (call, dependencies) =>
      told(await dependencies.incidents.split(telling(call), call.actor), dependencies, 201),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/dismiss',
    role: 'responder',
    summary: 'It was nothing, or nothing of ours',
    body: dismissInput,
    changes: 'incident',
    answer: 'Incident',
    handle: async (call, dependencies) =>
      told(await dependencies.incidents.dismiss(telling(call), call.actor), dependencies),
  },
  {
    method: 'GET',
    path: '/admin/v1/incidents/{id}/requests',
    role: 'viewer',
    summary: 'Exactly the requests it hit, oldest first, each with how',
    query: hitQuery,
    answer: 'IncidentRequests',
    handle: async ({ parameters, query }, { store }) => {
      const incident = await store.findIncident(parameters['id'] ?? '');
      if (incident === null) return missing();
      const filter = {
        ...(query['how'] === undefined ? {} : { how: query['how'] as HitKind }),
        ...(query['feature'] === undefined ? {} : { feature: query['feature'] }),
      };
      const page = await store.listHits(
        incident.id,
        filter,
        query['cursor'] ?? null,
        pageSize(query['limit']),
      );
      const records = await Promise.all(page.items.map(({ request }) => store.findRecord(request)));
      const items = page.items.map((hit, index) => hitToWire(hit, records[index] ?? null));
      const { frozen } = incident;
      return json({
        ...listToWire(items, page.nextCursor),
        totals: totalsToWire(impactOf(await store.countHits(incident.id))),
        request_set:
          frozen === null
            ? null
            : { hash: frozen.hash, count: frozen.count, at: new Date(frozen.at).toISOString() },
      });
    },
  },
];
