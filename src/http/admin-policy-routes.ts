/** The policy in force: the configuration, what it would decide, what it survives. */
import { z } from 'zod';

import { capabilities } from '../core/target.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminError, json } from './admin-error.ts';
import { oneOf, word } from './admin-query.ts';
import { notFound } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { coverageToWire, listToWire } from './wire.ts';

const explainInput = z.strictObject({
  feature: word.optional(),
  model: word.optional(),
  data_class: word.optional(),
  key: word.optional(),
  /** As a list, or as a configuration writes it. */
  needs: z
    .union([z.array(oneOf(capabilities)), z.partialRecord(z.enum(capabilities), z.boolean())])
    .optional(),
  input_tokens: z.int().nonnegative().optional(),
});

async function snapshotAnswer(hash: string, config: AdminDependencies['config']): Promise<Response> {
  const found = await config.snapshot(hash);
  return found === null ? notFound('configuration with this hash') : json({ snapshot: hash, ...found });
}

export const policyRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/config',
    role: 'viewer',
    summary: 'The configuration in force, without secrets',
    answer: 'Config',
    handle: (_call, { config }) => Promise.resolve(json(config.view())),
  },
  {
    method: 'GET',
    path: '/admin/v1/config/snapshots/{hash}',
    role: 'viewer',
    summary: 'A configuration that was in force, as it was written; records name it by its hash',
    answer: 'ConfigSnapshot',
    handle: ({ parameters }, { config }) => snapshotAnswer(parameters['hash'] ?? '', config),
  },
  {
    method: 'GET',
    path: '/admin/v1/requests/{id}/policy',
    role: 'viewer',
    summary:
      'The configuration that a request was decided by, as it was written, and whether that is still its text',
    answer: 'ConfigSnapshot',
    handle: async ({ parameters }, { config, store }) => {
      const record = await store.findRecord(parameters['id'] ?? '');
      return record === null ? notFound('such record yet') : snapshotAnswer(record.snapshot, config);
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/config/check',
    // It says whether files and variables that the configuration names are there: not for every viewer.
    role: 'operator',
    summary: 'Every problem of a configuration, with line and column',
    body: z.strictObject({ text: z.string() }),
    takesText: true,
    answer: 'ConfigChecked',
    handle: ({ body }, { config }) => Promise.resolve(json(config.check((body as { text: string }).text))),
  },
  {
    method: 'POST',
    path: '/admin/v1/explain',
    role: 'viewer',
    summary: 'Where a request would go now, and why',
    body: explainInput,
    answer: 'Explained',
    handle: ({ body }, { explain }) =>
      Promise.resolve(explained(explain(body as z.infer<typeof explainInput>))),
  },
  {
    method: 'GET',
    path: '/admin/v1/coverage',
    role: 'viewer',
    summary: 'What each feature can survive',
    answer: 'CoverageList',
    handle: (_call, { coverage }) => Promise.resolve(json(listToWire(coverage().map(coverageToWire)))),
  },
];

function explained(result: ReturnType<AdminDependencies['explain']>): Response {
  return result.kind === 'explained'
    ? json(result.value)
    : adminError({
        status: 400,
        code: 'invalid',
        message: result.message,
        remedy: 'Name a feature, or a model that is configured, and a key only if it is in use.',
        field: null,
      });
}
