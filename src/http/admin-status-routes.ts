/** The status site as files, for a copy elsewhere. */
import { json } from './admin-error.ts';
import type { AdminRoute } from './admin-route.ts';

export const statusAdminRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/status/export',
    role: 'viewer',
    summary: 'A whole static copy of the status site, with relative links',
    answer: 'StatusCopy',
    handle: (_call, { statusCopy }) =>
      Promise.resolve(json({ files: [...statusCopy()].map(([path, text]) => ({ path, text })) })),
  },
];
