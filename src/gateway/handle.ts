/**
 * One request, start to finish: who asks, what is asked, where it may go, what came of it. Each step either hands on
 * to the next or ends in a reply; nothing here waits for a database.
 */
import { usedUpWords } from '../core/caller-words.ts';
import { resolveRequested } from '../core/default-route.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Instant, RequestId } from '../core/ids.ts';
import { instant } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import type { RequestRecord } from '../core/record.ts';
import { classDemand } from '../core/data-class.ts';
import { keyLimits } from '../core/keys.ts';
import { decide } from '../core/routing.ts';
import type { RoutingDecision, RoutingRequest } from '../core/routing.ts';
import type { Feature, Limits, Snapshot } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import type { DialectCodec } from '../dialects/dialect.ts';
import { readJsonObject } from '../dialects/json-text.ts';
import { queryOf } from '../providers/call-query.ts';
import { agreementFor, noteNormal } from './agreement.ts';
import type { Agreed } from './agreement.ts';
import { readWishes } from './caller-headers.ts';
import type { Capture } from './captured.ts';
import { carrierFor } from './carry-on.ts';
import type { Consents } from './consent.ts';
import type { Asked, Exchange, Shared } from './exchange.ts';
import { answer } from './answer.ts';
import { readBody } from './read-body.ts';
import type { BodyRead } from './read-body.ts';
import type { Kept } from './relay.ts';
import {
  baseHeaders,
  earlyHeaders,
  errorResponse,
  unauthenticated,
  unrecordable,
  whenKept,
} from './reply.ts';
import type { ErrorReply, ReplyHeaders } from './reply.ts';
import type { Spending } from './spending.ts';
import type { GatewayState } from './state.ts';
import { leftStatus, modelIn, turnedAwayRecord } from './turned-away.ts';

export type Fingerprint = {
  update(bytes: Uint8Array | string): unknown;
  digest(encoding: 'hex'): string;
};

export type GatewayDependencies = Shared & {
  readonly state: GatewayState;
  readonly consents: Consents;
  readonly spending: Spending;
  readonly newRequestId: (now: Instant) => RequestId;
  /** Where records are strict, resolves when the record is on disk; null: nobody waits for it. */
  readonly record: (record: RequestRecord) => Kept;
  /** Whether a request that is taken now can be recorded, where it must be. */
  readonly canRecord: () => boolean;
  /** Keyed HMAC of bytes given in order; null where fingerprints are off. */
  readonly fingerprint: () => Fingerprint;
  /** Null where the content of a request is not captured. */
  readonly capture: (exchange: Exchange, request: Uint8Array) => Capture | null;
  readonly keyFor: (request: Request) => ApiKey | null | 'unauthenticated';
  readonly mayStart: (
    key: ApiKey | null,
    now: Instant,
  ) =>
    | { readonly kind: 'yes' }
    | {
        readonly kind: 'no';
        readonly code: Extract<ErrorCode, 'rate_limited' | 'budget_exhausted'>;
        readonly retryAfterMs: number;
      };
  /** A bug of ours: counted and logged, never the caller's fault. */
  readonly onBug: (error: unknown) => void;
};

/** What the address of a request says, in dialects whose body does not. */
export type Address = { readonly model: string; readonly stream: boolean };

type Parsed =
  | { readonly kind: 'parsed'; readonly asked: Asked; readonly bytes: Uint8Array }
  | { readonly kind: 'reply'; readonly reply: ErrorReply; readonly requested: string | null };

type Arrived = Exclude<BodyRead, { readonly kind: 'left' }>;

const invalid = (requested: string | null, message: string, param: string | null = null): Parsed => ({
  kind: 'reply',
  reply: { code: 'invalid_request', message, param },
  requested,
});

function parse(
  body: Arrived,
  headers: Headers,
  codec: DialectCodec,
  start: { readonly key: ApiKey | null; readonly address: Address | null; readonly query: string },
  limits: Limits,
): Parsed {
  const { key, address, query } = start;
  const addressed = address?.model ?? null;
  switch (body.kind) {
    case 'too_large':
      return {
        kind: 'reply',
        reply: {
          code: 'request_too_large',
          message: `The body is larger than ${limits.bodyBytesMax} bytes.`,
        },
        requested: addressed,
      };
    case 'paused':
      return {
        kind: 'reply',
        reply: {
          code: 'request_timeout',
          message: `The body was not complete in time: it may not pause for longer than ${limits.bodyPauseMs} ms.`,
        },
        requested: addressed,
      };
    case 'unreadable':
      return invalid(addressed, body.message);
    case 'text':
      break;
  }
  const json = readJsonObject(body.text, { depthMax: limits.jsonDepthMax });
  if (json.kind === 'invalid') return invalid(addressed, json.message);
  const value = address === null ? json.value : { ...json.value, ...address };
  const requested = typeof value['model'] === 'string' ? value['model'] : null;
  const facts = codec.readFacts(value);
  if ('kind' in facts) return invalid(requested, facts.message, facts.param);
  const wishes = readWishes(headers);
  if ('kind' in wishes) return invalid(requested, wishes.message, wishes.param);
  return {
    kind: 'parsed',
    bytes: body.bytes,
    asked: {
      codec,
      text: body.text,
      body: value,
      spans: json.spans,
      facts,
      headers,
      query,
      wishes,
      key,
    },
  };
}

type Placed = {
  readonly feature: Feature;
  readonly preferred: Target;
  readonly route: RoutingRequest['route'];
};

function place(asked: Asked, snapshot: Snapshot): Placed | ErrorReply {
  const resolved = resolveRequested(snapshot, asked.facts.model, asked.wishes.feature);
  switch (resolved.kind) {
    case 'resolved':
      break;
    case 'unknown_model':
      return { code: 'unknown_model', message: resolved.message, param: 'model' };
    case 'model_not_allowed':
      return { code: 'model_not_allowed', message: resolved.message, param: 'model' };
    case 'unknown_feature':
      return { code: 'invalid_request', message: resolved.message, param: 'x-breakwater-feature' };
  }
  const allowed = asked.key?.features ?? null;
  if (allowed !== null && !allowed.has(resolved.feature.name))
    return { code: 'forbidden', message: `This key may not use the feature ${resolved.feature.name}.` };
  if (asked.codec.operation === 'answer') return resolved;
  const sameModel = resolved.route
    .slice(1)
    .filter((target) => target.model.name === resolved.preferred.model.name);
  return { ...resolved, route: [resolved.preferred, ...sameModel] };
}

function newExchange(
  asked: Asked,
  placed: Placed,
  times: { id: RequestId; at: Instant },
  dependencies: GatewayDependencies,
): Exchange {
  const { snapshot } = dependencies.state;
  const { clock, watchdog, board, capacity, hedges, flights, reachability, fetchMedia } = dependencies;
  const { codec, text, body, spans, facts, headers, query, wishes, key } = asked;
  const { totalMs } = placed.feature.timeouts;
  const wished = asked.wishes.timeoutMs;
  return {
    // Named one by one: spreading objects cost a twentieth of a request.
    codec,
    text,
    body,
    spans,
    facts,
    headers,
    query,
    wishes,
    key,
    id: times.id,
    at: times.at,
    clock,
    watchdog,
    board,
    capacity,
    hedges,
    flights,
    reachability,
    fetchMedia,
    incidents: dependencies.incidents,
    snapshot,
    feature: placed.feature,
    preferred: placed.preferred,
    demand: classDemand(snapshot, placed.feature, asked.wishes.dataClass, {
      tenant: asked.key?.tenant ?? null,
      keyNames: asked.key === null ? [] : [asked.key.id, asked.key.name],
    }),
    claim: {
      priority: placed.feature.priority,
      tenant: asked.key?.tenant ?? null,
      inputTokens: asked.facts.inputTokensEstimate,
    },
    deadline: instant(times.at + Math.min(totalMs, wished ?? totalMs)),
    deadlineByCaller: wished !== null && wished < totalMs,
    traces: [],
    warnings: [],
    candidates: [],
    offers: [],
    arranged: null,
    conversation: null,
    carrier: carrierFor(asked, placed.feature, Math.floor(times.at / 1_000)),
    callerLeft: false,
    stopCurrent: null,
  };
}

function routingRequest(exchange: Exchange, route: RoutingRequest['route'], agreed: Agreed): RoutingRequest {
  const { snapshot, demand, facts, key } = exchange;
  const { standing, redeemed } = agreed;
  return {
    feature: exchange.feature,
    route,
    needs: facts.stream ? new Set(facts.needs).add('streaming') : facts.needs,
    inputTokensEstimate: facts.inputTokensEstimate,
    demand,
    ...keyLimits(key, snapshot),
    fallbackLimit: exchange.wishes.fallback,
    consentedTarget: redeemed?.target ?? null,
    agreed: new Set(standing.map(({ target }) => target)),
  };
}

function decideFor(
  exchange: Exchange,
  request: RoutingRequest,
  dependencies: GatewayDependencies,
): RoutingDecision {
  const { clock, board, state } = dependencies;
  const decision = decide(request, {
    switches: state.switches,
    standing: (target) => board.standing(target),
    now: clock.now(),
    random: clock.random(),
  });
  exchange.candidates = decision.candidates;
  exchange.offers = decision.offers;
  return decision;
}

/** Serves one request of a dialect. Never throws: a bug becomes `internal_error` in the caller's dialect. */
export function handle(
  request: Request,
  codec: DialectCodec,
  dependencies: GatewayDependencies,
  address: Address | null = null,
): Promise<Response> {
  const at = dependencies.clock.now();
  const id = dependencies.newRequestId(at);
  const headers = baseHeaders(codec.name, id);
  return serve(request, codec, { id, at, headers, address }, dependencies).catch((error: unknown) => {
    dependencies.onBug(error);
    return errorResponse(
      codec,
      {
        code: 'internal_error',
        message: 'Breakwater could not handle this request. The fault is ours; it has been noted.',
      },
      id,
      headers,
    );
  });
}

type Start = {
  readonly id: RequestId;
  readonly at: Instant;
  readonly headers: ReplyHeaders;
  readonly address: Address | null;
};

async function serve(
  request: Request,
  codec: DialectCodec,
  start: Start,
  dependencies: GatewayDependencies,
): Promise<Response> {
  const { id, headers } = start;
  const { snapshot } = dependencies.state;
  headers['x-breakwater-policy'] = snapshot.hash;
  const refuse = (reply: ErrorReply, requested = start.address?.model ?? null): Response => {
    earlyHeaders(headers, snapshot, request.headers, requested);
    return errorResponse(codec, reply, id, headers);
  };
  const key = dependencies.keyFor(request);
  if (key === 'unauthenticated') return refuse(unauthenticated);
  if (dependencies.flights.size >= snapshot.limits.requestsMax)
    return refuse({
      code: 'overloaded',
      message: 'Breakwater is at its limit of open requests. Please try again in a moment.',
      retryAfterMs: 1_000,
    });
  if (!dependencies.canRecord()) return refuse(unrecordable);
  const { clock, watchdog } = dependencies;
  /** From here on it is known who asks and there is room: what is turned away is recorded as well. */
  const keep = (requested: string | null, reply: ErrorReply | 'left'): Kept => {
    const away = { id, at: start.at, now: clock.now(), key, headers: request.headers, requested };
    return dependencies.record(
      turnedAwayRecord({ ...away, dialect: codec.name, operation: codec.operation, snapshot }, reply),
    );
  };
  const turnAway = (reply: ErrorReply, requested = start.address?.model ?? null) => {
    const response = refuse(reply, requested);
    return whenKept(keep(requested, reply), response, { exchange: { codec, id }, headers });
  };
  const allowance = dependencies.mayStart(key, start.at);
  const { limits } = snapshot;
  const patience = { limits, watchdog, now: clock.now };
  if (allowance.kind === 'no') {
    const reply: ErrorReply = {
      code: allowance.code,
      message: usedUpWords(allowance.code, key?.budget ?? null),
      retryAfterMs: allowance.retryAfterMs,
    };
    return turnAway(reply, start.address?.model ?? (await modelIn(request, patience)));
  }
  const body = await readBody(request, patience);
  if (body.kind === 'left') {
    await keep(start.address?.model ?? null, 'left');
    return new Response(null, { status: leftStatus, headers });
  }
  const parsed = parse(
    body,
    request.headers,
    codec,
    { key, address: start.address, query: queryOf(request.url) },
    limits,
  );
  if (parsed.kind === 'reply') return turnAway(parsed.reply, parsed.requested);
  const placed = place(parsed.asked, snapshot);
  if ('code' in placed) return turnAway(placed, parsed.asked.facts.model);
  const exchange = newExchange(parsed.asked, placed, { id, at: start.at }, dependencies);
  const agreed = agreementFor(exchange, placed.route, dependencies.consents);
  const asked = routingRequest(exchange, placed.route, agreed);
  const decision = decideFor(exchange, asked, dependencies);
  noteNormal(exchange, decision, dependencies.consents);
  return answer({ request, exchange, decision, asked, bytes: parsed.bytes, headers, agreed }, dependencies);
}
