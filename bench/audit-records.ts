/** Records such as a busy product makes, for filling a store: mostly plain, some rescued, some failed. */
import { instant, keyId, requestId, switchId, targetName } from '../src/core/ids.ts';
import type { TargetName } from '../src/core/ids.ts';
import type { AttemptRecord, RequestRecord } from '../src/core/record.ts';
import { seededRandom } from '../src/simulator/random.ts';
import { anAttempt, aRecord } from '../test/record-fixture.ts';

const features = ['meeting-notes', 'chat', 'search', 'translate', 'autofill', 'summary', 'code', 'mail'];
const targets: readonly TargetName[] = [
  targetName('anthropic', 'claude-opus-4-8'),
  targetName('aws-us', 'claude-opus-4-8'),
  targetName('openai', 'gpt-5.2'),
];
const companies = ['Anthropic PBC', 'Amazon Web Services', 'OpenAI'];
const tenantsMax = 500;
const usersMax = 200_000;

const hex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

export type RecordMaker = (at: number) => RequestRecord;

export function recordMaker(seed: number): RecordMaker {
  const random = seededRandom(seed);
  const pick = (max: number): number => Math.floor(random() * max);
  const attempt = (n: number, target: number, at: number, failed: boolean): AttemptRecord =>
    anAttempt({
      n,
      target: targets[target] ?? targetName('anthropic', 'claude-opus-4-8'),
      company: companies[target] ?? null,
      region: 'us',
      retention: '30d',
      startedAt: instant(at),
      firstByteMs: failed ? null : 180 + pick(200),
      firstTokenMs: failed ? null : 300 + pick(400),
      durationMs: failed ? 120 + pick(100) : 900 + pick(4_000),
      outcome: failed ? 'failed' : 'ok',
      failure: failed ? (random() < 0.7 ? 'overloaded' : 'server_error') : null,
      status: failed ? 529 : 200,
      providerCode: failed ? 'overloaded_error' : null,
      providerRequestId: `req_${hex(12)}`,
      payloadSent: 'full',
      whyNext: failed ? 'next_target' : null,
      inputTokens: failed ? null : 400 + pick(4_000),
      outputTokens: failed ? null : 40 + pick(800),
      costUsd: failed ? null : Math.round(random() * 40_000) / 1e6,
    });
  return (at) => {
    const rescued = random() < 0.02;
    const lost = !rescued && random() < 0.003;
    const attempts = rescued
      ? [attempt(1, 0, at, true), attempt(2, random() < 0.8 ? 1 : 2, at + 150, false)]
      : [attempt(1, 0, at, lost)];
    const served = lost ? null : (attempts.at(-1)?.target ?? null);
    const left = rescued && served === targets[2];
    return aRecord({
      id: requestId(`req_${Bun.randomUUIDv7('hex', at)}`),
      at: instant(at),
      durationMs: 1_000 + pick(5_000),
      tenant: `tenant-${pick(tenantsMax)}`,
      key: keyId('key_01890000-0000-7000-8000-000000000001'),
      feature: features[pick(features.length)] ?? 'chat',
      user: `user-${pick(usersMax)}`,
      session: `s-${hex(8)}`,
      trace: hex(16),
      dialect: 'anthropic-messages',
      stream: random() < 0.7,
      requested: 'claude-opus-4-8',
      preferred: targets[0] ?? null,
      served,
      modelReported: served === null ? null : 'claude-opus-4-8',
      dataClass: 'internal',
      dataClassSource: 'feature',
      consent: 'none',
      snapshot: '4d7d8769132bf26c',
      hop: rescued ? (left ? 'other_vendor' : 'same_model') : null,
      fallback: rescued ? 'overloaded' : null,
      boundary: rescued ? (left ? ['entity', 'retention'] : ['entity']) : [],
      told: rescued ? 'header' : 'none',
      outcome: lost ? 'failed' : 'answered',
      errorCode: lost ? 'upstream_failed' : null,
      status: lost ? 502 : 200,
      finish: lost ? null : 'end_turn',
      candidates: targets.map((target) => ({ target, eligible: true, reason: null, rule: null })),
      attempts,
      switches: rescued ? [switchId('sw_01890000-0000-7000-8000-000000000001')] : [],
      fingerprints: { input: hex(32), output: lost ? null : hex(32) },
    });
  };
}
