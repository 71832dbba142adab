/**
 * Consent tokens and the agreements they leave behind. A token is signed with a key of the store, so that it needs no
 * memory until it is used and outlives a restart; what was used and what was agreed to is kept in memory and written to
 * the store, off the request's path. What a user may agree to, and for how long, is `core/consent.ts`.
 *
 * A token in the hands of a request is reserved, so that two requests cannot both be answered on it; it is used up when
 * an answer is committed, and free again when there was none.
 */
import { consentObjection, followIncident, grantCovers, grantOf } from '../core/consent.ts';
import type {
  Agreement,
  ConsentClaims,
  ConsentGrant,
  ConsentRefusal,
  ConsentScope,
  ConsentSpan,
  KeptConsent,
} from '../core/consent.ts';
import { timingSafeEqual } from 'node:crypto';

import type { Instant, KeyId, RequestId, TargetName } from '../core/ids.ts';
import { hopBetween, retentionWords, termsAt } from '../core/target.ts';
import type { Target } from '../core/target.ts';

export type ConsentWish = { readonly token: string; readonly span: ConsentSpan };

/** A token that a request holds; settled exactly once. */
export type Redeemed = Agreement & {
  /** An answer was committed: the token is used up, and what it was taken up for begins. */
  readonly use: () => void;
  /** There was no answer: it may be presented again. */
  readonly release: () => void;
};

export type Consents = {
  offer(scope: ConsentScope, preferred: Target, target: Target, offeredIn: RequestId): string;
  redeem(
    wish: ConsentWish,
    scope: ConsentScope,
    route: readonly [Target, ...Target[]],
    until: Instant,
  ): Redeemed | ConsentRefusal;
  /** Agreements for longer than a request that cover this one. */
  agreed(scope: ConsentScope, route: readonly [Target, ...Target[]]): readonly Agreement[];
  /** The preferred target answers again: agreements for its episode are over. */
  ended(preferred: TargetName, isNormal: () => boolean): void;
  /** Targets with an open incident, whenever that has changed: agreements follow it. */
  incidents(open: ReadonlySet<TargetName>): void;
};

export type ConsentOptions = {
  readonly now: () => Instant;
  /** How long an offer may be taken up. */
  readonly offerMs: () => number;
  /** Made once per store; signs the tokens. */
  readonly key: string;
  readonly kept: readonly KeptConsent[];
  readonly keep: (entry: KeptConsent) => void;
};

/** Uses and agreements held; the oldest go first. */
export const keptMax = 50_000;
const nonceBytes = 12;
const hashLength = 16;
const tokenShape = /^cns_([\w-]{20,900})\.([\w-]{43})$/;

type Sealed = readonly [string, string, string, string | null, string | null, string, number, string];

class TokenSeal {
  readonly #keyed: Bun.CryptoHasher;

  constructor(key: string) {
    this.#keyed = new Bun.CryptoHasher('sha256', `consent:${key}`);
  }

  #digest(text: string): string {
    return this.#keyed.copy().update(text).digest('base64url');
  }

  hash(text: string): string {
    return this.#digest(`value:${text}`).slice(0, hashLength);
  }

  close(claims: ConsentClaims): string {
    const { nonce, target, feature, key, user, terms, expiresAt, offeredIn } = claims;
    const sealed: Sealed = [nonce, target, feature, key, user, terms, expiresAt, offeredIn];
    const payload = Buffer.from(JSON.stringify(sealed)).toString('base64url');
    return `cns_${payload}.${this.#digest(`token:${payload}`)}`;
  }

  /** The claims of a token that was made here; null for any other text. */
  open(token: string): ConsentClaims | null {
    const [, payload = '', signature = ''] = tokenShape.exec(token) ?? [];
    const expected = Buffer.from(this.#digest(`token:${payload}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [nonce, target, feature, key, user, terms, expiresAt, offeredIn] = JSON.parse(
      Buffer.from(payload, 'base64url').toString(),
    ) as Sealed;
    return {
      nonce,
      target: target as TargetName,
      feature,
      key: key as KeyId | null,
      user,
      terms,
      expiresAt,
      offeredIn: offeredIn as RequestId,
    };
  }
}

class ConsentDesk implements Consents {
  readonly #options: ConsentOptions;
  readonly #seal: TokenSeal;
  readonly #used = new Map<string, Instant>();
  /** Tokens in the hands of requests, and until when. */
  readonly #reserved = new Map<string, Instant>();
  readonly #grants = new Map<string, ConsentGrant>();
  /** Targets with an open incident; null while nobody has said. */
  #inIncident: ReadonlySet<TargetName> | null = null;

  constructor(options: ConsentOptions) {
    this.#options = options;
    this.#seal = new TokenSeal(options.key);
    for (const entry of options.kept) this.#hold(entry);
  }

  #hold({ nonce, until, grant }: KeptConsent): void {
    const now = this.#options.now();
    for (const held of [this.#used, this.#reserved])
      if (held.size >= keptMax)
        for (const [old, end] of held) if (end <= now || held.size >= keptMax) held.delete(old);
    for (const [old, { until: end }] of this.#grants)
      if (end <= now || this.#grants.size >= keptMax) this.#grants.delete(old);
    this.#used.set(nonce, until);
    if (grant !== null) this.#grants.set(nonce, grant);
  }

  #termsOf(preferred: Target, target: Target | undefined): string | null {
    if (target === undefined) return null;
    const { entity, regions, ...rest } = termsAt(target.provider.terms, this.#options.now());
    const hop = hopBetween(preferred, target);
    return this.#seal.hash(
      JSON.stringify([target.name, entity, regions, retentionWords({ entity, regions, ...rest }), hop]),
    );
  }

  #userHash({ user }: ConsentScope): string | null {
    return user === null ? null : this.#seal.hash(user);
  }

  offer(scope: ConsentScope, preferred: Target, target: Target, offeredIn: RequestId): string {
    return this.#seal.close({
      nonce: Buffer.from(crypto.getRandomValues(new Uint8Array(nonceBytes))).toString('base64url'),
      target: target.name,
      feature: scope.feature,
      key: scope.key,
      user: this.#userHash(scope),
      terms: this.#termsOf(preferred, target) ?? '',
      expiresAt: this.#options.now() + this.#options.offerMs(),
      offeredIn,
    });
  }

  redeem(
    { token, span }: ConsentWish,
    scope: ConsentScope,
    route: readonly [Target, ...Target[]],
    until: Instant,
  ): Redeemed | ConsentRefusal {
    const claims = this.#seal.open(token);
    if (claims === null) return 'forged';
    const now = this.#options.now();
    const [preferred] = route;
    const objection = consentObjection(claims, {
      scope,
      user: this.#userHash(scope),
      span,
      terms: this.#termsOf(
        preferred,
        route.find(({ name }) => name === claims.target),
      ),
      isUsed: this.#used.has(claims.nonce) || (this.#reserved.get(claims.nonce) ?? 0) > now,
      now,
    });
    if (objection !== null) return objection;
    this.#reserved.set(claims.nonce, until);
    return {
      basis: 'token',
      target: claims.target,
      offeredIn: claims.offeredIn,
      release: () => void this.#reserved.delete(claims.nonce),
      use: () => {
        this.#reserved.delete(claims.nonce);
        const { name } = preferred;
        const inIncident = this.#inIncident?.has(name) ?? false;
        const grant = grantOf(claims, scope, span, { name, inIncident }, this.#options.now());
        const end = Math.max(claims.expiresAt, grant?.until ?? 0) as Instant;
        this.#hold({ nonce: claims.nonce, until: end, grant });
        this.#options.keep({ nonce: claims.nonce, until: end, grant });
      },
    };
  }

  agreed(scope: ConsentScope, route: readonly [Target, ...Target[]]): readonly Agreement[] {
    if (this.#grants.size === 0) return none;
    const now = this.#options.now();
    const [preferred] = route;
    return [...this.#grants.values()].flatMap((grant): Agreement[] => {
      if (!grantCovers(grant, scope, preferred.name, now)) return [];
      const target = route.find(({ name }) => name === grant.target);
      return this.#termsOf(preferred, target) === grant.terms
        ? [{ basis: basisOf(grant), target: grant.target, offeredIn: grant.offeredIn }]
        : [];
    });
  }

  ended(preferred: TargetName, isNormal: () => boolean): void {
    for (const [nonce, grant] of this.#grants) {
      if (grant.span !== 'episode' || grant.preferred !== preferred) continue;
      if (!isNormal()) return;
      this.#replace(nonce, grant, null);
    }
  }

  incidents(open: ReadonlySet<TargetName>): void {
    if (this.#inIncident?.symmetricDifference(open).size === 0) return;
    this.#inIncident = open;
    const now = this.#options.now();
    for (const [nonce, grant] of this.#grants) {
      const next = followIncident(grant, open.has(grant.preferred), now);
      if (next !== grant) this.#replace(nonce, grant, next);
    }
  }

  #replace(nonce: string, before: ConsentGrant, grant: ConsentGrant | null): void {
    const until = grant?.until ?? this.#used.get(nonce) ?? before.until;
    this.#used.set(nonce, until);
    if (grant === null) this.#grants.delete(nonce);
    else this.#grants.set(nonce, grant);
    this.#options.keep({ nonce, until, grant });
  }
}

const basisOf = ({ span }: ConsentGrant): Agreement['basis'] => (span === 'episode' ? 'incident' : span);

const none: readonly Agreement[] = [];

export function createConsents(options: ConsentOptions): Consents {
  return new ConsentDesk(options);
}
