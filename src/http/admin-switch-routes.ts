/** Switches: take a scope out, see who knows, bring it back. */
import type { Switch } from '../core/switches.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { previewInput, releaseInput, switchInput } from '../control/switches.ts';
import { json } from './admin-error.ts';
import { notFound, revisionOf, sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { previewToWire } from './preview-view.ts';
import { listToWire, switchToWire } from './wire.ts';
import type { Json } from './wire.ts';

/** With what it covers today, and who has it in force. */
function whole(entry: Switch, { expand, acks }: AdminDependencies['switches']): Json {
  const covered = expand(entry.scope);
  return { ...switchToWire(entry), expands_to: covered, matches: covered.length, acks: acks() };
}

export const switchRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/switches',
    role: 'viewer',
    summary: 'Switches that are not released',
    answer: 'SwitchList',
    handle: (_call, { switches }) =>
      Promise.resolve(json(listToWire(switches.list().map((entry) => whole(entry, switches))))),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches',
    role: 'responder',
    summary: 'Take a scope out; in force before the answer',
    body: switchInput,
    changes: 'switch',
    answer: 'Switch',
    status: 201,
    handle: async ({ body, actor }, { switches }) =>
      sent(await switches.create(body, actor), (entry) =>
        json(whole(entry, switches), 201, { etag: `"${entry.rev}"` }),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches/preview',
    role: 'viewer',
    summary: 'What a switch would do to the traffic of the last 15 minutes; nothing is changed',
    body: previewInput,
    answer: 'SwitchPreview',
    handle: async ({ body }, { switches }) =>
      sent(await switches.preview(body), (preview) => json(previewToWire(preview))),
  },
  {
    method: 'GET',
    path: '/admin/v1/switches/{id}',
    role: 'viewer',
    summary: 'One switch',
    answer: 'Switch',
    handle: async ({ parameters }, { switches }) => {
      const entry = await switches.find(parameters['id'] ?? '');
      return entry === null
        ? notFound('such switch')
        : json(whole(entry, switches), 200, { etag: `"${entry.rev}"` });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/switches/{id}/acks',
    role: 'viewer',
    summary: 'Which replicas have it in force',
    answer: 'AckList',
    handle: async ({ parameters }, { switches }) =>
      (await switches.find(parameters['id'] ?? '')) === null
        ? notFound('such switch')
        : json(listToWire(switches.acks())),
  },
  {
    method: 'POST',
    path: '/admin/v1/switches/{id}/release',
    role: 'responder',
    summary: 'Bring the scope back, by a ramp unless said otherwise',
    body: releaseInput,
    changes: 'switch',
    answer: 'Switch',
    handle: async ({ parameters, body, actor, request }, { switches }) =>
      sent(
        await switches.release({ id: parameters['id'] ?? '', input: body, rev: revisionOf(request) }, actor),
        (entry) => json(whole(entry, switches), 200, { etag: `"${entry.rev}"` }),
      ),
  },
];
