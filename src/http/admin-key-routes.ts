/** Callers' keys. */
import { keyInput } from '../control/keys.ts';
import { json } from './admin-error.ts';
import { sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { keyToWire, listToWire } from './wire.ts';

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
];
