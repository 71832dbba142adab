/**
 * What a user's agreement is worth: whether a token may be taken up by this request, and for how long an agreement
 * lasts when it was given for longer than one.
 *
 * A token says who offered what to whom. It holds for the same key, feature and user, for the same target under the
 * same terms, until it expires, and once. An agreement for a session or an incident is made by taking up a token; it
 * lets a hop that would ask go ahead, and nothing else: no other rule of routing bends to it.
 *
 * "Until the incident ends" means the incident of the preferred target: a gate that lets it back in for a while ends
 * nothing. Where no incident is open when the user agrees, the agreement is for the episode: it ends when the preferred
 * target is in normal use again, unless an incident opens before, which it then follows.
 *
 * It refuses to read anything into silence: what does not match in every part is no agreement.
 */
import type { Instant, KeyId, RequestId, TargetName } from './ids.ts';

/** Who is asked, and who may take it up. */
export type ConsentScope = {
  readonly key: KeyId | null;
  readonly feature: string;
  readonly user: string | null;
  readonly session: string | null;
};

/** How long the user's answer is to hold. */
export type ConsentSpan =
  | { readonly kind: 'request' }
  | { readonly kind: 'session'; readonly minutes: number }
  | { readonly kind: 'incident' };

export type ConsentClaims = {
  readonly nonce: string;
  readonly target: TargetName;
  readonly feature: string;
  readonly key: KeyId | null;
  /** A keyed hash; null when no user was named. */
  readonly user: string | null;
  /** A hash of what was offered: company, region, retention and hop. */
  readonly terms: string;
  readonly expiresAt: number;
  /** The request that was answered with the offer. */
  readonly offeredIn: RequestId;
};

export const consentRefusals = [
  'forged',
  'expired',
  'used',
  'moved',
  'changed',
  'session_missing',
  'user_missing',
] as const;
export type ConsentRefusal = (typeof consentRefusals)[number];

/** An agreement that outlives its request. `episode`: until the incident ends, while there is none yet. */
export type ConsentGrant = {
  readonly span: 'session' | 'episode' | 'incident';
  readonly key: KeyId | null;
  readonly feature: string;
  readonly user: string | null;
  readonly session: string | null;
  /** Whose absence was agreed to, and who may answer meanwhile. */
  readonly preferred: TargetName;
  readonly target: TargetName;
  readonly terms: string;
  readonly until: Instant;
  readonly offeredIn: RequestId;
};

/** What is kept of a token that was used, until nobody could present it again. */
export type KeptConsent = {
  readonly nonce: string;
  readonly until: Instant;
  readonly grant: ConsentGrant | null;
};

/** What became of a token or an agreement in a request. */
export type Agreement = {
  readonly basis: 'token' | 'session' | 'incident';
  readonly target: TargetName;
  readonly offeredIn: RequestId;
};

/** Longest agreement for a session. */
export const sessionMinutesMax = 480;
export const sessionMinutesDefault = 30;
/** Agreements end by then even when nobody saw the end of the episode, or of the incident. */
export const episodeMsMax = 86_400_000;
export const incidentMsMax = 30 * 86_400_000;

export type Presented = {
  readonly scope: ConsentScope;
  /** The user of this request, hashed as in the token. */
  readonly user: string | null;
  readonly span: ConsentSpan;
  /** What would be offered for the token's target now; null when it is not in the route any more. */
  readonly terms: string | null;
  readonly isUsed: boolean;
  readonly now: Instant;
};

/** Why a genuine token may not be taken up by this request; null when it may. */
export function consentObjection(claims: ConsentClaims, presented: Presented): ConsentRefusal | null {
  const { scope, user, span, terms, isUsed, now } = presented;
  if (now >= claims.expiresAt) return 'expired';
  if (isUsed) return 'used';
  if (claims.feature !== scope.feature || claims.key !== scope.key || claims.user !== user) return 'moved';
  if (claims.terms !== terms) return 'changed';
  if (span.kind === 'session' && scope.session === null) return 'session_missing';
  return span.kind === 'incident' && scope.user === null ? 'user_missing' : null;
}

/** Whose absence is agreed to, and whether an incident of it is open. */
export type Preferred = { readonly name: TargetName; readonly inIncident: boolean };

function lastingIncident(inIncident: boolean, now: Instant): Pick<ConsentGrant, 'span' | 'until'> {
  return inIncident
    ? { span: 'incident', until: (now + incidentMsMax) as Instant }
    : { span: 'episode', until: (now + episodeMsMax) as Instant };
}

/** An agreement as incidents stand now; null when it is over with the incident it was for. */
export function followIncident(grant: ConsentGrant, inIncident: boolean, now: Instant): ConsentGrant | null {
  switch (grant.span) {
    case 'session':
      return grant;
    case 'episode':
      return inIncident ? { ...grant, ...lastingIncident(true, now) } : grant;
    case 'incident':
      return inIncident ? grant : null;
  }
}

/** The agreement that a token leaves behind; null when it was for one request. */
export function grantOf(
  claims: ConsentClaims,
  scope: ConsentScope,
  span: ConsentSpan,
  preferred: Preferred,
  now: Instant,
): ConsentGrant | null {
  if (span.kind === 'request') return null;
  const lasting =
    span.kind === 'session'
      ? { span: span.kind, until: (now + span.minutes * 60_000) as Instant }
      : lastingIncident(preferred.inIncident, now);
  return {
    ...lasting,
    key: scope.key,
    feature: scope.feature,
    user: scope.user,
    session: span.kind === 'session' ? scope.session : null,
    preferred: preferred.name,
    target: claims.target,
    terms: claims.terms,
    offeredIn: claims.offeredIn,
  };
}

/** Whether an agreement covers a request whose preferred target is `preferred`. */
export function grantCovers(
  grant: ConsentGrant,
  scope: ConsentScope,
  preferred: TargetName,
  now: Instant,
): boolean {
  return (
    now < grant.until &&
    grant.feature === scope.feature &&
    grant.key === scope.key &&
    grant.user === scope.user &&
    grant.preferred === preferred &&
    (grant.span !== 'session' || grant.session === scope.session)
  );
}

const refusalWords: Readonly<Record<ConsentRefusal, string>> = {
  forged: 'This consent token was not made here. Send the request without it to get a new offer.',
  expired: 'This offer has expired. Send the request without the token to get a new one.',
  used: 'This consent token is used up: each is good for one answer. Send the request without it to get a new offer.',
  moved:
    'This consent token was given for another key, feature or user. Send it exactly as the request it was offered to.',
  changed:
    'What the user agreed to is not what would be used now: the terms or the route have changed. Send the request without the token to get a new offer.',
  session_missing:
    'An agreement for a session needs x-breakwater-session. Name the session, or leave scope out.',
  user_missing:
    'An agreement until the incident ends needs x-breakwater-user. Name the user, or leave scope out.',
};

export function consentRefusalWords(refusal: ConsentRefusal): string {
  return refusalWords[refusal];
}
