/** What policy must remember ↔ rows, by hand in both directions. */
import type { Spent } from '../core/budget.ts';
import type { ConsentGrant, KeptConsent } from '../core/consent.ts';
import { instant, keyId } from '../core/ids.ts';

export type ConsentRow = { readonly nonce: string; readonly until: number; readonly body: string | null };

const storedGrant = (grant: ConsentGrant) => ({
  form: 2,
  span: grant.span,
  key: grant.key,
  feature: grant.feature,
  user: grant.user,
  session: grant.session,
  preferred: grant.preferred,
  target: grant.target,
  terms: grant.terms,
  until: grant.until,
  offeredIn: grant.offeredIn,
});

function grantFromBody(body: string): ConsentGrant {
  const stored = JSON.parse(body) as ReturnType<typeof storedGrant>;
  return {
    // In the first form no agreement followed an incident.
    span: stored.form < 2 && stored.span === 'incident' ? 'episode' : stored.span,
    key: stored.key,
    feature: stored.feature,
    user: stored.user,
    session: stored.session,
    preferred: stored.preferred,
    target: stored.target,
    terms: stored.terms,
    until: stored.until,
    offeredIn: stored.offeredIn,
  };
}

export const consentRow = ({ nonce, until, grant }: KeptConsent): ConsentRow => ({
  nonce,
  until,
  body: grant === null ? null : JSON.stringify(storedGrant(grant)),
});

export const consentFromRow = ({ nonce, until, body }: ConsentRow): KeptConsent => ({
  nonce,
  until: instant(until),
  grant: body === null ? null : grantFromBody(body),
});

export type SpentRow = { readonly key: string; readonly period_start: number; readonly usd: number };

export const spentRow = ({ key, periodStart, usd }: Spent): SpentRow => ({
  key,
  period_start: periodStart,
  usd,
});

export const spentFromRow = (row: SpentRow): Spent => ({
  key: keyId(row.key),
  periodStart: row.period_start,
  usd: row.usd,
});
