/**
 * The body that a target gets: the caller's own bytes with the model's name changed where both speak the same dialect,
 * a translation otherwise, and in either case with the changes that the configuration wants for that target.
 */
import { adaptationFor, isLimited } from '../core/adaptation.ts';
import type { AttemptRecord, ExclusionReason } from '../core/record.ts';
import type { Dialect, Target } from '../core/target.ts';
import { adaptRequest } from '../dialects/adapt-request.ts';
import type { Change } from '../dialects/adapt-request.ts';
import { continuedConversation } from '../dialects/continued.ts';
import { conversationPlaces } from '../dialects/conversation-places.ts';
import type { Conversation } from '../dialects/conversation.ts';
import type { InvalidRequest, ModelTraits } from '../dialects/dialect.ts';
import { exactTurns } from '../dialects/exact-json.ts';
import { replaceTopLevel } from '../dialects/json-text.ts';
import { without } from '../dialects/json-value.ts';
import { codecFor } from '../dialects/registry.ts';
import { adapterFor } from '../providers/registry.ts';
import { dialectFor } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { hasMediaUrls, withInlineMedia } from './media-fetch.ts';

export type Payload =
  | {
      readonly kind: 'ready';
      readonly body: string;
      readonly dialect: Dialect;
      readonly warnings: readonly string[];
      readonly adapted: AttemptRecord['adapted'];
    }
  | {
      readonly kind: 'unfit';
      readonly reason: Extract<ExclusionReason, 'lacks_capability' | 'data_policy'>;
      readonly rule: string;
    }
  | { readonly kind: 'invalid'; readonly problem: InvalidRequest };

const lacking = (capability: string): Payload => ({
  kind: 'unfit',
  reason: 'lacks_capability',
  rule: capability,
});

export function traitsOf(target: Target): ModelTraits {
  return {
    upstream: target.upstream,
    vendor: target.model.vendor,
    family: target.model.family,
    outputTokens: target.model.outputTokens,
    compatible: target.provider.api === 'openai-compatible',
    thinking: target.model.capabilities.has('thinking'),
  };
}

/** What is to be changed for a target; null when nothing is, which is the rule. */
function changeFor({ feature, preferred, facts }: Exchange, target: Target): Change | null {
  const adaptation = adaptationFor(feature, preferred, target);
  if (adaptation === null) return null;
  return {
    adaptation,
    values: { feature: feature.title, requested: facts.model, model: target.model.name },
    traits: traitsOf(target),
    callsTools: target.model.capabilities.has('tools'),
  };
}

function adaptedWord(
  { feature, preferred }: Exchange,
  target: Target,
  change: Change | null,
): AttemptRecord['adapted'] {
  if (isLimited(feature, preferred, target)) return 'limited';
  return change === null ? 'no' : 'adapted';
}

const adaptedWarnings: Readonly<Record<AttemptRecord['adapted'], readonly string[]>> = {
  no: [],
  adapted: ['adapted'],
  limited: ['limited_mode'],
};

/** The caller's own text, with the model's name changed where it differs; rewritten only when something of ours must come out. */
function ownText({ codec, text, body, facts, spans }: Exchange, target: Target): string {
  if (codec.addressed === true) {
    const named = codec.readdress?.(body, target.upstream) ?? null;
    return named === null ? text : JSON.stringify(without(named, 'model', 'stream'));
  }
  const scrubbed = codec.scrub(text, () => exactTurns(text, body));
  if (scrubbed !== null) return JSON.stringify({ ...scrubbed, model: target.upstream });
  return facts.model === target.upstream
    ? text
    : replaceTopLevel(text, spans, 'model', JSON.stringify(target.upstream));
}

/** A backup is not asked for a longer answer than it can give: it would refuse what the preferred model takes. */
function exceedsOutput({ facts, preferred }: Exchange, { name, model }: Target): boolean {
  return (
    facts.outputTokensMax !== null &&
    model.outputKnown &&
    name !== preferred.name &&
    facts.outputTokensMax > model.outputTokens
  );
}

/** The caller's own request, changed in place where something must change; fields that nobody mentions stay. */
function sameDialect(exchange: Exchange, target: Target, change: Change | null): Payload {
  const { codec, body, text } = exchange;
  const adapted = adaptedWord(exchange, target, change);
  const warnings = [...adaptedWarnings[adapted]];
  const isTooLong = exceedsOutput(exchange, target);
  const ready = (made: string): Payload => ({
    kind: 'ready',
    body: made,
    dialect: codec.name,
    warnings,
    adapted,
  });
  if (change === null && !isTooLong) return ready(ownText(exchange, target));
  const exact = exactTurns(text, body);
  let made = codec.scrub(text, () => exact) ?? exact;
  if (isTooLong) {
    made = codec.places.withOutputTokensMax(made, target.model.outputTokens, traitsOf(target));
    warnings.push('max_tokens');
  }
  if (change !== null) {
    const changed = adaptRequest(made, codec.places, change);
    if (changed.kind === 'lacks') return lacking(changed.capability);
    made = changed.request;
    warnings.push(...changed.warnings);
  }
  // Where the address says the model, the body has no place for it.
  return ready(
    JSON.stringify(
      codec.addressed === true ? without(made, 'model', 'stream') : { ...made, model: target.upstream },
    ),
  );
}

/** What a caller turns on by header belongs to its dialect, and stays behind like a field that has no place elsewhere. */
const betaHeaders = ['anthropic-beta', 'openai-beta'] as const;

function translated(
  exchange: Exchange,
  conversation: Conversation,
  target: Target,
  dialect: Dialect,
): Payload {
  const change = changeFor(exchange, target);
  const changed =
    change === null
      ? { kind: 'adapted' as const, request: conversation, warnings: [] }
      : adaptRequest(conversation, conversationPlaces, change);
  if (changed.kind === 'lacks') return lacking(changed.capability);
  const encoded = codecFor(dialect).encodeRequest(changed.request, traitsOf(target));
  if (encoded.kind === 'lacks') return lacking(encoded.capability);
  const adapted = adaptedWord(exchange, target, change);
  const left =
    dialect === exchange.codec.name ? [] : betaHeaders.filter((name) => exchange.headers.has(name));
  return {
    kind: 'ready',
    body: JSON.stringify(encoded.body),
    dialect,
    warnings: [...new Set([...adaptedWarnings[adapted], ...changed.warnings, ...encoded.warnings, ...left])],
    adapted,
  };
}

function decoded({ codec, text, body }: Exchange): Conversation | InvalidRequest {
  return codec.decodeRequest(exactTurns(text, body));
}

function acrossDialects(exchange: Exchange, target: Target, dialect: Dialect): Payload | Promise<Payload> {
  exchange.conversation ??= decoded(exchange);
  if ('kind' in exchange.conversation) return { kind: 'invalid', problem: exchange.conversation };
  const { conversation } = exchange;
  if (codecFor(dialect).inlineMedia !== true || !hasMediaUrls(conversation))
    return translated(exchange, conversation, target, dialect);
  // An address names a host of whose terms nothing is known, and unknown counts as worst.
  if (exchange.demand.dataClass !== null)
    return {
      kind: 'unfit',
      reason: 'data_policy',
      rule: `${exchange.demand.name ?? ''}: pictures by address are not fetched`,
    };
  return withInlineMedia(conversation, exchange.fetchMedia).then((inline) =>
    translated(exchange, inline, target, dialect),
  );
}

/** What is asked of a target that goes on with the answer of another: always made anew, the beginning included. */
function continued(exchange: Exchange, said: string, target: Target, dialect: Dialect): Payload {
  exchange.conversation ??= decoded(exchange);
  if ('kind' in exchange.conversation) return { kind: 'invalid', problem: exchange.conversation };
  const goingOn = continuedConversation(exchange.conversation, said, traitsOf(target));
  // Pictures by address would have to be fetched while the caller waits in the middle of a sentence.
  if (codecFor(dialect).inlineMedia === true && hasMediaUrls(goingOn)) return lacking('media by address');
  return fitting(translated(exchange, goingOn, target, dialect), target);
}

/** The payload, unless the target's API has no place for something in it. */
function fitting(payload: Payload, target: Target): Payload {
  if (payload.kind !== 'ready') return payload;
  const capability = adapterFor(target.provider.api).lacks?.(target, payload.body) ?? null;
  return capability === null ? payload : lacking(capability);
}

/** The body for a target, at once or, when something must be fetched for it first, in a while. */
export function payloadFor(exchange: Exchange, target: Target): Payload | Promise<Payload> {
  const dialect = dialectFor(target, exchange.codec.name);
  const { operation } = exchange.codec;
  const said = exchange.carrier?.said ?? null;
  if (
    operation !== 'answer' &&
    (dialect !== exchange.codec.name || !adapterFor(target.provider.api).offers(operation, dialect))
  )
    return lacking(operation);
  const { pinnedBy } = exchange.facts;
  if (typeof pinnedBy === 'string' && target.provider.id !== exchange.preferred.provider.id)
    return lacking(pinnedBy);
  if (said !== null) return continued(exchange, said, target, dialect);
  if (dialect === exchange.codec.name) {
    const change = operation === 'answer' ? changeFor(exchange, target) : null;
    return fitting(sameDialect(exchange, target, change), target);
  }
  const made = acrossDialects(exchange, target, dialect);
  return made instanceof Promise ? made.then((payload) => fitting(payload, target)) : fitting(made, target);
}
