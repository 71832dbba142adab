/** The shapes of the ledger's answers. Checkpoints, proofs and exports are text, in the forms of their standards. */
import { z } from 'zod';

const count = z.int().nonnegative();

export const ledgerAnswers = {
  Checkpoint: z.string().describe('a signed note with a tlog-checkpoint (C2SP)'),
  LedgerProof: z.string().describe('a tlog-proof (C2SP); "extra" is the entry'),
  ConsistencyProof: z.string().describe('as a witness is asked (tlog-witness): old size, proof, checkpoint'),
  LedgerExport: z.string().describe('one JSON object a line: the head, every entry, every checkpoint'),
  LedgerStanding: z.object({
    standing: z.enum(['sound', 'truncated', 'forked', 'unwritable', 'damaged']),
    words: z.string(),
    /** As tools for signed notes take it. */
    key: z.string(),
  }),
  RecordsErased: z.object({ records: count, contents: count }),
} as const satisfies Record<string, z.ZodType>;
