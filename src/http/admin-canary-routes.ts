/** Canaries: whom we ask fixed questions, how far each is, and what was found. */
import { referenceRounds, sampleRounds } from '../core/canary.ts';
import { timeText } from '../core/moment.ts';
import { json } from './admin-error.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { AdminRoute } from './admin-route.ts';
import { listToWire } from './wire.ts';
import type { Json } from './wire.ts';

type View = ReturnType<AdminDependencies['canaries']>[number];

const canaryToWire = ({ target, canary, dueAt }: View): Json => ({
  target,
  reference: { rounds: canary.reference.length, of: referenceRounds, since: timeText(canary.since) },
  sample: { rounds: canary.recent.length, of: sampleRounds },
  asked_at: timeText(canary.askedAt),
  due_at: timeText(dueAt),
  finding: canary.finding === null ? null : { at: timeText(canary.finding.at), words: canary.finding.words },
});

export const canaryRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/canaries',
    role: 'viewer',
    summary: 'Whom we ask fixed questions to notice a model that changed under its name, and what was found',
    answer: 'CanaryList',
    handle: (_call, { canaries }) => Promise.resolve(json(listToWire(canaries().map(canaryToWire)))),
  },
];
