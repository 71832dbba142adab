/** Callers' keys. */
import { keyInput, keyRevision, revokeInput } from '../control/keys.ts';
import type { ApiKey } from '../core/keys.ts';
import { json } from './admin-error.ts';
import { revisionOf, sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { keyToWire, listToWire } from './wire.ts';

const etagOf = (key: ApiKey): string => `"${keyRevision(key)}"`;

export const keyRoutes: readonly AdminRoute[] = [
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
        json({ ...keyToWire(key), secret, warnings }, 201, { etag: etagOf(key) }),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/keys/{id}/revoke',
    role: 'admin',
    summary: 'Make a key useless',
    body: revokeInput,
    bodyOptional: true,
    changes: 'key',
    answer: 'KeyRevoked',
    handle: async ({ parameters, body, request, actor }, { keys }) =>
      sent(
        await keys.revoke({ id: parameters['id'] ?? '', input: body, rev: revisionOf(request) }, actor),
        (key) => json(keyToWire(key), 200, { etag: etagOf(key) }),
      ),
  },
];
