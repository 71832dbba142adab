/** The ledger: checkpoints, proofs, exports, and what a person may say to it. */
import { z } from 'zod';

import { acknowledgeInput, eraseInput, standingWords } from '../control/ledger.ts';
import { exportFormats } from '../core/record-export.ts';
import { json } from './admin-error.ts';
import { oneOf } from './admin-query.ts';
import { exportFormatOf, recordExport } from './admin-record-export.ts';
import { notFound, sent, streamed } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';

/** Text as its standard has it, or within JSON for who asks for that. */
function text(name: string, body: string, request: Request): Response {
  if (request.headers.get('accept')?.includes('application/json') === true) return json({ [name]: body });
  return new Response(body, {
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  });
}

const from = z.string().regex(/^\d{1,15}$/, 'must be the size of an older checkpoint');

export const ledgerRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/audit',
    role: 'viewer',
    summary: 'Whether the ledger is the one that was signed',
    answer: 'LedgerStanding',
    handle: (_call, { ledger }) => {
      const { kind, words } = ledger.standing();
      return Promise.resolve(json({ standing: kind, words, key: ledger.key }));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/audit/checkpoint',
    role: 'viewer',
    summary: 'A signed checkpoint of the ledger as it is now',
    answer: 'Checkpoint',
    media: 'text/plain',
    handle: async ({ request }, { ledger }) => text('checkpoint', await ledger.checkpoint(), request),
  },
  {
    method: 'GET',
    path: '/admin/v1/audit/proof/{id}',
    role: 'auditor',
    summary: 'That a record or a change is in the ledger, to be verified without us',
    answer: 'LedgerProof',
    media: 'text/plain',
    handle: async ({ parameters, request }, { ledger }) => {
      const proof = await ledger.prove(parameters['id'] ?? '');
      return proof === null
        ? notFound('record or change with this id in the ledger')
        : text('proof', proof.text, request);
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/audit/consistency',
    role: 'viewer',
    summary: 'That the ledger of today begins with the one of an older checkpoint',
    query: z.strictObject({ from }),
    answer: 'ConsistencyProof',
    media: 'text/plain',
    handle: async ({ query, request }, { ledger }) => {
      const proof = await ledger.proveConsistency(Number(query['from']));
      return proof === null ? notFound('ledger of this size') : text('proof', proof, request);
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/audit/export',
    role: 'auditor',
    summary:
      'Everything, to be verified without us; or the records alone, as CSV, OCSF API Activity or CloudEvents',
    query: z.strictObject({ format: oneOf(exportFormats).optional() }),
    answer: 'LedgerExport',
    media: 'application/x-ndjson',
    handle: ({ query }, dependencies) => {
      const format = exportFormatOf(query);
      return Promise.resolve(
        format === 'ndjson'
          ? streamed(dependencies.ledger.exportLedger(), 'application/x-ndjson')
          : recordExport(format, {}, dependencies),
      );
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/audit/acknowledge',
    role: 'admin',
    summary: 'Go on with a ledger that is not the one that was signed',
    body: acknowledgeInput,
    changes: 'ledger',
    answer: 'LedgerStanding',
    handle: async ({ body, actor }, { ledger }) =>
      sent(await ledger.acknowledge(body, actor), (before) =>
        json({ standing: 'sound', words: `Acknowledged: ${standingWords(before)}`, key: ledger.key }),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/audit/erase',
    role: 'admin',
    summary: 'Erase every record of one user, and what was captured; leaves of the ledger stay',
    body: eraseInput,
    neverKept: ['user'],
    changes: 'records',
    answer: 'RecordsErased',
    handle: async ({ body, actor }, { ledger }) =>
      sent(await ledger.eraseUser(body, actor), ({ records, contents }) => json({ records, contents })),
  },
];
