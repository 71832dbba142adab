/** What the user agreed to, as far as a request may rely on it: a token it brought, or an agreement that still holds. */
import type { Agreement, ConsentRefusal, ConsentScope } from '../core/consent.ts';
import { consentRefusalWords } from '../core/consent.ts';
import type { RoutingDecision, RoutingRequest } from '../core/routing.ts';
import { modeFor } from '../core/rules.ts';
import { hopBetween } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import type { Consents, Redeemed } from './consent.ts';
import type { Exchange } from './exchange.ts';
import type { ErrorReply } from './reply.ts';

export type Agreed = {
  readonly scope: ConsentScope;
  /** The token in the hands of this request. */
  readonly redeemed: Redeemed | null;
  /** Why the token it brought is not taken. */
  readonly refusal: ConsentRefusal | null;
  readonly standing: readonly Agreement[];
};

export function agreementFor(exchange: Exchange, route: RoutingRequest['route'], consents: Consents): Agreed {
  const { key, feature, wishes, deadline } = exchange;
  const scope = {
    key: key?.id ?? null,
    feature: feature.name,
    user: wishes.user,
    session: wishes.session,
  };
  const nothing = { scope, redeemed: null, refusal: null };
  if (wishes.consent === null) return { ...nothing, standing: consents.agreed(scope, route) };
  const result = consents.redeem(wishes.consent, scope, route, deadline);
  return typeof result === 'string'
    ? { ...nothing, refusal: result, standing: [] }
    : { ...nothing, redeemed: result, standing: [] };
}

const consentHeader = 'x-breakwater-consent';

export function consentRefusedReply(refusal: ConsentRefusal): ErrorReply {
  return {
    code: 'invalid_request',
    param: consentHeader,
    message: consentRefusalWords(refusal),
    consent: refusal,
  };
}

/** The agreement an answer rested on; null when it needed none. */
export function agreementUsed(
  { redeemed, standing }: Agreed,
  exchange: Exchange,
  served: Target | null,
): Agreement | null {
  if (redeemed !== null) return redeemed;
  if (served === null || standing.length === 0) return null;
  const mode = modeFor(exchange.feature, hopBetween(exchange.preferred, served), exchange.wishes.fallback);
  return mode === 'ask' ? (standing.find(({ target }) => target === served.name) ?? null) : null;
}

/** Agreements until the end of an incident are over once the preferred target is in normal use again. */
export function noteNormal(exchange: Exchange, decision: RoutingDecision, consents: Consents): void {
  const { preferred, board } = exchange;
  if (decision.kind !== 'route' || decision.panic || decision.plan[0].name !== preferred.name) return;
  consents.ended(preferred.name, () => board.view(preferred).cell.health.state === 'healthy');
}
