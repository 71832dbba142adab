/** Made-up records, changes, switches and keys for the tests of storage and control. */
import { changeId, incidentId, instant, keyId, requestId, switchId, targetName } from '../src/core/ids.ts';
import type { RecordPacking } from '../src/store/store.ts';
import type { Instant } from '../src/core/ids.ts';
import type { ApiKey } from '../src/core/keys.ts';
import type { AttemptRecord, Change, RequestRecord } from '../src/core/record.ts';
import { blankIncident, said, stepOf } from '../src/core/incident-steps.ts';
import type { Incident } from '../src/core/incident.ts';
import type { IncidentWrite } from '../src/store/store.ts';
import type { Hold } from '../src/core/hold.ts';
import type { Switch } from '../src/core/switches.ts';

export const start: Instant = instant(Date.UTC(2026, 5, 7, 9));
export const opus = targetName('anthropic', 'claude-opus-4-8');
export const gpt = targetName('openai', 'gpt-5.2');

let madeAt = 0;
let madeThen = 0;
/** Sorts behind the one before, also within one millisecond and whatever else makes ids meanwhile. */
export function risingId(prefix: string): string {
  const now = Date.now();
  madeThen = now === madeAt ? madeThen + 1 : 0;
  madeAt = now;
  const uuid = Bun.randomUUIDv7('hex', now);
  return `${prefix}_${uuid.slice(0, 15)}${madeThen.toString(16).padStart(3, '0')}${uuid.slice(18)}`;
}

export const aRequestId = (at: Instant = start) => requestId(`req_${Bun.randomUUIDv7('hex', at)}`);

export function anAttempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    n: 1,
    target: opus,
    company: 'Anthropic PBC',
    region: 'us',
    retention: '30d',
    startedAt: start,
    firstByteMs: 40,
    firstTokenMs: 90,
    durationMs: 700,
    outcome: 'ok',
    failure: null,
    status: 200,
    providerCode: null,
    providerRequestId: 'req_upstream',
    payloadSent: 'full',
    whyNext: null,
    inputTokens: 1_200,
    outputTokens: 80,
    costUsd: 0.0025,
    malformedEvents: 0,
    adapted: 'no',
    boundary: [],
    ...changes,
  };
}

export function aRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  const at = changes.at ?? start;
  return {
    id: aRequestId(at),
    at,
    durationMs: 750,
    tenant: 'acme',
    key: keyId('key_1'),
    feature: 'notes',
    captured: 'none',
    operation: 'answer',
    user: 'u1',
    session: 's1',
    trace: '4bf92f3577b34da6a3ce929d0e0e4736',
    dialect: 'anthropic-messages',
    stream: true,
    requested: 'notes',
    preferred: opus,
    served: opus,
    modelReported: 'claude-opus-4-8',
    dataClass: 'internal',
    dataClassSource: 'feature',
    consent: 'none',
    consentOfferedIn: null,
    snapshot: 'abc',
    hop: null,
    fallback: null,
    boundary: [],
    told: 'none',
    outcome: 'answered',
    errorCode: null,
    status: 200,
    finish: 'end_turn',
    candidates: [{ target: opus, eligible: true, reason: null, rule: null }],
    attempts: [anAttempt()],
    incidents: [],
    switches: [],
    fingerprints: { input: 'aa', output: 'bb' },
    seam: null,
    warnings: [],
    ...changes,
  };
}

/** A request that another company answered after the first target had failed. */
export function aRescue(changes: Partial<RequestRecord> = {}): RequestRecord {
  return aRecord({
    served: gpt,
    modelReported: 'gpt-5.2',
    hop: 'other_vendor',
    fallback: 'server_error',
    boundary: ['entity', 'retention'],
    told: 'header',
    attempts: [
      anAttempt({ outcome: 'failed', failure: 'server_error', status: 500, whyNext: 'next_target' }),
      anAttempt({ n: 2, target: gpt, company: 'OpenAI' }),
    ],
    switches: [switchId('sw_1')],
    warnings: ['temperature was dropped'],
    ...changes,
  });
}

export function aChange(changes: Partial<Change> = {}): Change {
  return {
    id: changeId(risingId('chg')),
    at: start,
    kind: 'switch.created',
    actor: 'admin',
    subject: 'sw_1',
    reason: 'elevated errors',
    before: null,
    after: { scope: { provider: 'anthropic' } },
    ...changes,
  };
}

export function aSwitch(changes: Partial<Switch> = {}): Switch {
  return {
    id: switchId(risingId('sw')),
    rev: 1,
    scope: { provider: 'anthropic' },
    effect: { kind: 'off' },
    reason: 'elevated errors',
    failureClass: 'availability',
    actor: 'admin',
    createdAt: start,
    expiresAt: instant(start + 7_200_000),
    atExpiry: 'ramp',
    inFlight: 'finish',
    mode: 'enforce',
    release: null,
    ...changes,
  };
}

export function aKey(changes: Partial<ApiKey> = {}): ApiKey {
  const id = keyId(risingId('key'));
  return {
    id,
    name: 'backend',
    hash: `hash of ${id}`,
    features: new Set(['notes', 'chat']),
    tenant: 'acme',
    dataClassMax: null,
    rpm: 600,
    budget: null,
    createdAt: start,
    revokedAt: null,
    ...changes,
  };
}

/** An incident that is opened now, ready to be written. */
export function anIncident(changes: Partial<Incident> = {}): IncidentWrite {
  const blank = blankIncident(incidentId(risingId('inc')), start, {
    failureClass: 'availability',
    classBy: 'system',
    source: 'system',
    openedBy: 'system',
    reasoning: ['Requests fail.'],
  });
  const target = {
    target: opus,
    model: 'claude-opus-4-8',
    vendor: 'anthropic',
    provider: 'anthropic',
  } as const;
  const facts: Partial<Incident> = {
    title: 'Claude Opus 4.8: elevated errors',
    targets: [{ ...target, detected: start, from: null, until: null, gate: 'ejected' }],
    ...changes,
  };
  return { ...stepOf(blank, facts, [said(start, 'It is taken out.', 'active')], start), from: 0 };
}

export const heldScope = { tenant: null, user: null, incident: null, since: null, until: null } as const;

export function aHold(changes: Partial<Hold> = {}): Hold {
  return {
    id: risingId('hold'),
    scope: { ...heldScope, tenant: 'acme' },
    reason: 'a lawsuit',
    placedAt: start,
    placedBy: 'kim',
    release: null,
    ...changes,
  };
}

/** Puts records together as they are. */
export function plainPacking(): RecordPacking {
  let open: RequestRecord[] = [];
  return {
    get count() {
      return open.length;
    },
    add: (record) => void open.push(record),
    take: () => {
      const taken = open;
      open = [];
      return { count: taken.length, records: () => taken };
    },
  };
}
