/** Legal holds: what must not be erased until somebody releases it. */
import { z } from 'zod';

import { holdInput, holdReleaseInput, holdRevision } from '../control/holds.ts';
import type { Hold } from '../core/hold.ts';
import { momentText, timeText } from '../core/moment.ts';
import { json } from './admin-error.ts';
import { cursor, limit, pageSize } from './admin-query.ts';
import { revisionOf, sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { listToWire } from './wire.ts';
import type { Json } from './wire.ts';

export const holdToWire = ({ id, scope, reason, placedAt, placedBy, release }: Hold): Json => ({
  id,
  scope: {
    tenant: scope.tenant,
    user: scope.user,
    incident: scope.incident,
    since: timeText(scope.since),
    until: timeText(scope.until),
  },
  reason,
  placed_at: momentText(placedAt),
  placed_by: placedBy,
  in_force: release === null,
  released: release === null ? null : { at: momentText(release.at), by: release.by, reason: release.reason },
});

const etagOf = (hold: Hold): string => `"${holdRevision(hold)}"`;

export const holdRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/holds',
    role: 'auditor',
    summary: 'Legal holds, newest first',
    query: z.strictObject({ cursor: cursor('hold').optional(), limit: limit.optional() }),
    answer: 'HoldList',
    handle: async ({ query }, { holds }) => {
      const page = await holds.list(query['cursor'] ?? null, pageSize(query['limit']));
      return json(listToWire(page.items.map(holdToWire), page.nextCursor));
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/holds',
    role: 'auditor',
    summary: 'Place a legal hold: what it covers is not erased until it is released',
    body: holdInput,
    changes: 'hold',
    answer: 'Hold',
    status: 201,
    handle: async ({ body, actor }, { holds }) =>
      sent(await holds.place(body, actor), (hold) => json(holdToWire(hold), 201, { etag: etagOf(hold) })),
  },
  {
    method: 'POST',
    path: '/admin/v1/holds/{id}/release',
    role: 'admin',
    summary: 'Release a legal hold: retention and erasure go on as before',
    body: holdReleaseInput,
    changes: 'hold',
    answer: 'Hold',
    handle: async ({ parameters, body, request, actor }, { holds }) =>
      sent(
        await holds.release({ id: parameters['id'] ?? '', input: body, rev: revisionOf(request) }, actor),
        (hold) => json(holdToWire(hold), 200, { etag: etagOf(hold) }),
      ),
  },
];
