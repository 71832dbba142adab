/** The record of a request that was turned away before it had a place on any route: nothing was sent anywhere. */
import { errorCodes } from '../core/errors.ts';
import { instant } from '../core/ids.ts';
import type { Instant, RequestId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import { requestedLengthMax } from '../core/record.ts';
import type { Operation, RequestRecord } from '../core/record.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Dialect } from '../core/target.ts';
import { readJsonObject } from '../dialects/json-text.ts';
import { readOrigin } from './caller-headers.ts';
import { readBody } from './read-body.ts';
import type { Patience } from './read-body.ts';
import { earlyFeature } from './reply.ts';
import type { ErrorReply } from './reply.ts';

export type TurnedAway = {
  readonly id: RequestId;
  readonly at: Instant;
  readonly now: Instant;
  readonly key: ApiKey | null;
  readonly headers: Headers;
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly snapshot: Snapshot;
  /** Null when the model could not be read. */
  readonly requested: string | null;
};

/** A longer body is not read only to know what was asked. */
const namingBytesMax = 65_536;

/** The model that the body of a request names, which is not looked at otherwise; null where it takes too much to tell. */
export async function modelIn(request: Request, patience: Patience): Promise<string | null> {
  const limits = { ...patience.limits, bodyBytesMax: namingBytesMax };
  const body = await readBody(request, { ...patience, limits });
  if (body.kind !== 'text') return null;
  const json = readJsonObject(body.text, { depthMax: limits.jsonDepthMax });
  const model = json.kind === 'invalid' ? null : json.value['model'];
  return typeof model === 'string' ? model : null;
}

/** Nobody reads it. */
export const leftStatus = 499;

type Ended = Pick<RequestRecord, 'outcome' | 'told' | 'errorCode' | 'status'>;

function endedBy(reply: ErrorReply | 'left'): Ended {
  if (reply === 'left') return { outcome: 'cancelled', told: 'none', errorCode: null, status: leftStatus };
  const { code, status } = reply;
  return { outcome: 'refused', told: 'refused', errorCode: code, status: status ?? errorCodes[code].status };
}

/** `left`: the caller went away before the request was here. */
export function turnedAwayRecord(away: TurnedAway, reply: ErrorReply | 'left'): RequestRecord {
  const ended = endedBy(reply);
  const { user, session, traceparent } = readOrigin(away.headers);
  return {
    id: away.id,
    at: away.at,
    durationMs: instant(away.now) - away.at,
    tenant: away.key?.tenant ?? null,
    key: away.key?.id ?? null,
    feature: earlyFeature(away.snapshot, away.headers, away.requested),
    user,
    session,
    trace: traceparent?.slice(3, 35) ?? null,
    dialect: away.dialect,
    operation: away.operation,
    stream: false,
    requested: (away.requested ?? '').slice(0, requestedLengthMax),
    preferred: null,
    served: null,
    modelReported: null,
    dataClass: null,
    dataClassSource: 'none',
    consent: 'none',
    consentOfferedIn: null,
    snapshot: away.snapshot.hash,
    hop: null,
    fallback: null,
    boundary: [],
    ...ended,
    finish: null,
    candidates: [],
    attempts: [],
    incidents: [],
    switches: [],
    fingerprints: { input: null, output: null },
    warnings: [],
    seam: null,
    captured: 'none',
  };
}
