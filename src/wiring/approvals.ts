/** Links by which a playbook's question is answered from a chat: signed for one step of one run. */
import { timingSafeEqual } from 'node:crypto';

import { keyOf } from '../core/playbook-run.ts';
import type { Approvals } from '../http/approve-routes.ts';
import type { PlaybookDesk } from './playbooks.ts';

export type ApprovalDesk = Approvals & {
  /** The page for a step, within the status site. */
  readonly pageOf: (step: string) => string;
};

/** `key` is a secret of the store; it signs for this purpose only. */
export function createApprovals(playbooks: PlaybookDesk['admin'], key: string): ApprovalDesk {
  const seal = (step: string): string =>
    new Bun.CryptoHasher('sha256', key).update(`answer a playbook\n${step}`).digest('base64url');
  const isSealed = (step: string, given: string): boolean => {
    const [a, b] = [Buffer.from(seal(step)), Buffer.from(given)];
    return a.length === b.length && timingSafeEqual(a, b);
  };
  return {
    pageOf: (step) => `/approve/${Buffer.from(step).toString('base64url')}.${seal(step)}`,
    asking: (token) => {
      const [encoded = '', given = ''] = token.split('.');
      const step = Buffer.from(encoded, 'base64url').toString('utf8');
      const run = playbooks
        .runs()
        .find((each) => keyOf(each) === step && each.state === 'asking' && each.answer === null);
      return Promise.resolve(isSealed(step, given) ? (run ?? null) : null);
    },
    answer: (run, input, actor) => playbooks.tell(run.id, 'answer', { input, actor, rev: null }),
  };
}
