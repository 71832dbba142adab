/** What is true now. */
import { json } from './admin-error.ts';
import type { AdminRoute } from './admin-route.ts';

export const stateRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/state',
    role: 'viewer',
    summary: 'Targets, gates, features and switches now',
    answer: 'State',
    handle: async (_call, { state, gates }) => {
      const shown = json(state());
      await gates.settled();
      return shown;
    },
  },
];
