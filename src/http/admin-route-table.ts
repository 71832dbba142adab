/** The table of the admin API, area by area: each route with the role it requires and the schemas of what comes in and goes out. */
import { statusAdminRoutes } from './admin-status-routes.ts';
import { messageRoutes } from './admin-message-routes.ts';
import { canaryRoutes } from './admin-canary-routes.ts';
import { contentRoutes } from './admin-content-routes.ts';
import { channelRoutes } from './admin-channel-routes.ts';
import { eventRoutes } from './admin-event-routes.ts';
import { evidenceRoutes } from './admin-evidence-routes.ts';
import { gateRoutes } from './admin-gate-routes.ts';
import { holdRoutes } from './admin-hold-routes.ts';
import { incidentRoutes } from './admin-incident-routes.ts';
import { insightRoutes } from './admin-insight-routes.ts';
import { keyRoutes } from './admin-key-routes.ts';
import { playbookRoutes } from './admin-playbook-routes.ts';
import { ledgerRoutes } from './admin-ledger-routes.ts';
import { policyRoutes } from './admin-policy-routes.ts';
import type { AdminRoute } from './admin-route.ts';
import { stateRoutes } from './admin-state-routes.ts';
import { reportRoutes } from './admin-report-routes.ts';
import { statisticsRoutes } from './admin-statistics-routes.ts';
import { switchRoutes } from './admin-switch-routes.ts';

export const adminRouteTable: readonly AdminRoute[] = [
  ...stateRoutes,
  ...eventRoutes,
  ...switchRoutes,
  ...incidentRoutes,
  ...insightRoutes,
  ...canaryRoutes,
  ...statisticsRoutes,
  ...reportRoutes,
  ...evidenceRoutes,
  ...ledgerRoutes,
  ...contentRoutes,
  ...holdRoutes,
  ...gateRoutes,
  ...keyRoutes,
  ...policyRoutes,
  ...playbookRoutes,
  ...channelRoutes,
  ...messageRoutes,
  ...statusAdminRoutes,
];
