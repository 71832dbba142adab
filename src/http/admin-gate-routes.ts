/** Gates: what each target's agreement says and where it stands; hold one out, give one back. */
import { holdInput, returnInput, testInput } from '../control/gates.ts';
import type { Target } from '../core/target.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { json } from './admin-error.ts';
import { sent } from './admin-route.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { gateTestToWire } from './gate-view.ts';
import { listToWire } from './wire.ts';

const named = ({ parameters, body }: AdminCall): { readonly name: string; readonly input: unknown } => ({
  name: parameters['target'] ?? '',
  input: body,
});

const shown =
  ({ gates }: AdminDependencies) =>
  (target: Target): Response =>
    json(gates.view(target));

export const gateRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/gates',
    role: 'viewer',
    summary: 'Gates of all targets, with what was agreed',
    answer: 'GateList',
    handle: async (_call, { gates }) => {
      const shown = json(listToWire(gates.list()));
      await gates.settled();
      return shown;
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/gates/test',
    role: 'viewer',
    summary: 'What the gates, or a proposed one, would have done with stored traffic; nothing is changed',
    body: testInput,
    answer: 'GateTested',
    handle: async ({ body }, { gates }) =>
      sent(await gates.test(body), (tested) => json(gateTestToWire(tested))),
  },
  {
    method: 'POST',
    path: '/admin/v1/gates/{target}/hold',
    role: 'responder',
    summary: 'Keep a target out whatever its probes say; in force before the answer',
    body: holdInput,
    changes: 'gate',
    answer: 'Gate',
    handle: async (call, dependencies) =>
      sent(await dependencies.gates.hold(named(call), call.actor), shown(dependencies)),
  },
  {
    method: 'POST',
    path: '/admin/v1/gates/{target}/return',
    role: 'responder',
    summary: 'Give a target back to its gate: probes, then a ramp',
    body: returnInput,
    changes: 'gate',
    answer: 'Gate',
    handle: async (call, dependencies) =>
      sent(await dependencies.gates.giveBack(named(call), call.actor), shown(dependencies)),
  },
];
