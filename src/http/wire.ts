/** Core values → the JSON of the admin API, by hand: snake_case, RFC 3339 times. Core types are never the JSON. */
import { scopeText } from '../core/switches.ts';
import type { Delivery } from '../core/delivery.ts';
import type { ApiKey } from '../core/keys.ts';
import { timeText } from '../core/moment.ts';
import { candidateToJson, recordToJson } from '../core/record-json.ts';
import type { Change, ChangeKind, RequestRecord } from '../core/record.ts';
import type { FeatureCoverage, LossCoverage } from '../core/coverage.ts';
import type { RuleSpoken } from '../core/rules.ts';
import type { Effect, Switch } from '../core/switches.ts';
import type { Leaf } from '../control/queries.ts';

export type Json = { readonly [key: string]: unknown };

export { candidateToJson as candidateToWire };

const lossToWire = ({ loss, verdict, by, hop, left }: LossCoverage): Json => ({
  loss: scopeText(loss),
  verdict,
  by,
  hop,
  left,
});

export function coverageToWire({
  feature,
  title,
  normal,
  losses,
  dataClasses,
  claims,
}: FeatureCoverage): Json {
  return {
    feature,
    title,
    normal,
    losses: losses.map(lossToWire),
    data_classes: dataClasses.map((each) => ({
      data_class: each.dataClass,
      normal: each.normal,
      by: each.by,
      losses: each.losses.map(lossToWire),
    })),
    claims: claims.map(({ claim, holds, why }) => ({ claim, holds, why })),
  };
}

export function ruleToWire({ rule, says, reason, words }: RuleSpoken): Json {
  return { rule, says, reason, words };
}

/**
 * `incidents`: those the store knows of now. What the leaf commits to is what was known when the request ended; some are
 * found later, and a story may be joined or parted.
 */
export function recordToWire(
  record: RequestRecord & { readonly leaf?: Leaf },
  incidents: readonly string[] = record.incidents,
): Json {
  return { ...recordToJson(record), incidents, leaf: record.leaf ?? null };
}

function effectToWire(effect: Effect): unknown {
  switch (effect.kind) {
    case 'off':
    case 'last_resort':
      return effect.kind;
    case 'shed':
      return { shed: effect.percent };
  }
}

export function switchToWire(entry: Switch): Json {
  return {
    id: entry.id,
    rev: entry.rev,
    scope: { ...entry.scope },
    effect: effectToWire(entry.effect),
    reason: entry.reason,
    failure_class: entry.failureClass,
    created_by: entry.actor,
    created_at: timeText(entry.createdAt),
    expires_at: timeText(entry.expiresAt),
    at_expiry: entry.atExpiry,
    in_flight: entry.inFlight,
    mode: entry.mode,
    released:
      entry.release === null
        ? null
        : {
            at: timeText(entry.release.at),
            by: entry.release.actor,
            reason: entry.release.reason,
            ramp: entry.release.ramp,
          },
  };
}

/** What a change says about a key: its terms, never its hash. */
function keyTermsToWire(terms: Partial<ApiKey>): Json {
  const { name, features, tenant, dataClassMax, rpm, budget, revokedAt } = terms;
  return {
    name,
    features,
    tenant,
    data_class_max: dataClassMax,
    rpm,
    budget,
    ...(revokedAt === undefined ? {} : { revoked_at: timeText(revokedAt) }),
  };
}

function isSwitch(value: object): value is Switch {
  return 'scope' in value && 'effect' in value && 'createdAt' in value && 'release' in value;
}

/** What was before or after, in the shape the API gives it elsewhere. */
function changedToWire(kind: ChangeKind, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? null;
  switch (kind) {
    case 'switch.created':
    case 'switch.released':
    case 'switch.expired':
    case 'switch.overdue':
      return isSwitch(value) ? switchToWire(value) : value;
    case 'key.created':
    case 'key.revoked':
      return keyTermsToWire(value);
    case 'gate.transition':
    case 'gate.held':
    case 'gate.returned':
    case 'config.loaded':
    case 'config.rejected':
    case 'admin_token.created':
    case 'provider.announced':
    case 'provider.resolved':
    case 'model.signal':
    case 'quality.warned':
    case 'quality.cleared':
    case 'incident.opened':
    case 'incident.updated':
    case 'incident.merged':
    case 'incident.split':
    case 'write.rejected':
    case 'message.published':
    case 'message.suppressed':
    case 'answer.withheld':
    case 'records.expired':
    case 'records.erased':
    case 'content.read':
    case 'content.refused':
    case 'content.expired':
    case 'content.erased':
    case 'hold.placed':
    case 'hold.released':
    case 'ledger.acknowledged':
    case 'delivery.delivered':
    case 'delivery.dead':
    case 'delivery.replayed':
    case 'channel.gone':
    case 'playbook.saved':
    case 'playbook.removed':
    case 'playbook.started':
    case 'playbook.step':
    case 'playbook.notified':
    case 'playbook.told':
    case 'playbook.ended':
      return value;
  }
}

export function deliveryToWire(delivery: Delivery): Json {
  const { bulletin } = delivery;
  return {
    id: delivery.id,
    channel: delivery.channel,
    message: bulletin.id,
    type: bulletin.type,
    subject: bulletin.subject,
    severity: bulletin.severity,
    title: bulletin.title,
    state: delivery.state,
    attempts: delivery.attempts,
    created_at: timeText(delivery.createdAt),
    next_at: timeText(delivery.nextAt),
    last_at: timeText(delivery.lastAt),
    last_status: delivery.lastStatus,
    words: delivery.words,
  };
}

export function changeToWire(change: Change): Json {
  return {
    id: change.id,
    at: timeText(change.at),
    kind: change.kind,
    actor: change.actor,
    subject: change.subject,
    reason: change.reason,
    before: changedToWire(change.kind, change.before),
    after: changedToWire(change.kind, change.after),
  };
}

export function keyToWire(key: ApiKey): Json {
  return {
    id: key.id,
    name: key.name,
    features: key.features === null ? null : [...key.features],
    tenant: key.tenant,
    data_class_max: key.dataClassMax,
    rpm: key.rpm,
    budget: key.budget,
    created_at: timeText(key.createdAt),
    revoked_at: timeText(key.revokedAt),
  };
}

export function listToWire(items: readonly Json[], nextCursor: string | null = null): Json {
  return { items, next_cursor: nextCursor };
}
