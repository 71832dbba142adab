/** Which requests an incident hit, how, from when on; and what kind of failure that is. */
import { describe, expect, test } from 'bun:test';

import { classify } from './incident-class.ts';
import type { Evidence } from './incident-class.ts';
import type { FailureClass } from './failure.ts';
import { evidenceBegins, hitOf, incidentsMet, isHit } from './incident-hits.ts';
import type { Touch } from './incident-hits.ts';
import { changeId, incidentId, instant, targetName } from './ids.ts';
import type { Change } from './record.ts';
import { aRecord, anAttempt } from '../../test/record-fixture.ts';

const start = instant(1_780_000_000_000);
const opus = targetName('anthropic', 'claude-opus-4-8');
const gpt = targetName('openai', 'gpt-5.2');
const scope = { id: incidentId('inc_1'), isOpen: true, targets: new Map([[opus, null]]) };

const touch = (changes: Partial<Touch>): Touch => ({
  at: start,
  preferred: opus,
  attempts: [],
  candidates: [],
  ...changes,
});
const out = (reason: Touch['candidates'][number]['reason']): Touch['candidates'] => [
  { target: opus, reason },
];

describe('a request is hit', () => {
  test.each([
    ['when its target failed it', touch({ attempts: [{ target: opus, failure: 'server_error' }] }), true],
    ['when its target is out', touch({ candidates: out('ejected') }), true],
    ['when its target ramps', touch({ candidates: out('ramping') }), true],
    ['when its target is switched off', touch({ candidates: out('switched_off') }), true],
    [
      'not when all went well',
      touch({ attempts: [{ target: opus, failure: null }], candidates: out(null) }),
      false,
    ],
    [
      'not when it was its own fault',
      touch({ attempts: [{ target: opus, failure: 'request_rejected' }] }),
      false,
    ],
    [
      'not when our limit was used up',
      touch({ attempts: [{ target: opus, failure: 'rate_limited' }] }),
      false,
    ],
    ['not when policy kept it away', touch({ candidates: out('data_policy') }), false],
    [
      'not when it preferred another',
      touch({ preferred: gpt, attempts: [{ target: gpt, failure: 'server_error' }] }),
      false,
    ],
    ['not when its backup failed', touch({ attempts: [{ target: gpt, failure: 'server_error' }] }), false],
  ] as const)('%s', (_name, request, isHit) =>
    expect(incidentsMet(request, [scope]).length === 1).toBe(isHit),
  );

  test('until its target is back, and no longer', () => {
    const ended = { ...scope, targets: new Map([[opus, instant(start + 1_000)]]) };
    const failed: Partial<Touch> = { attempts: [{ target: opus, failure: 'server_error' }] };
    expect(incidentsMet(touch({ ...failed, at: instant(start + 1_000) }), [ended])).toHaveLength(1);
    expect(incidentsMet(touch({ ...failed, at: instant(start + 1_001) }), [ended])).toEqual([]);
  });
});

describe('how a request was hit', () => {
  const failed = anAttempt({ outcome: 'failed', failure: 'server_error' });
  test.each([
    ['answered elsewhere', { served: gpt }, 'rescued'],
    ['left while another was answering', { served: gpt, outcome: 'cancelled' }, 'rescued'],
    ['answered by the same target at the second attempt', { attempts: [failed, anAttempt()] }, 'delayed'],
    [
      'left after an attempt had failed',
      { served: null, outcome: 'cancelled', attempts: [failed] },
      'delayed',
    ],
    ['answered by the target that was out, without a failure', {}, null],
    ['left before anything had failed', { served: null, outcome: 'cancelled' }, null],
    ['broken off', { outcome: 'partial' }, 'cut'],
    ['asked', { served: null, outcome: 'refused', told: 'asked' }, 'asked'],
    ['refused', { served: null, outcome: 'refused', told: 'refused' }, 'refused'],
    ['failed', { served: null, outcome: 'failed', attempts: [failed] }, 'failed'],
  ] as const)('%s', (_name, changes, how) => {
    const record = aRecord({ incidents: [scope.id], ...changes });
    expect(hitOf(record, scope.id)?.how ?? null).toBe(how);
    expect(isHit(record)).toBe(how !== null);
  });
});

describe('the evidence begins', () => {
  const outcomes = (text: string) =>
    [...text].map((each, index) => ({ at: instant(start + index), failed: each === 'x' }));
  test.each([
    ['.....xxxxx', 5],
    ['xxxxx', 0],
    // A stray failure long before is noise.
    [`x${'.'.repeat(40)}xxxx`, 41],
    // Half of them fail: from the first of them on.
    ['......x.x.x.x.x', 6],
    ['..........', null],
    [`x${'.'.repeat(40)}`, null],
    ['', null],
  ])('%s at %p', (text, index) =>
    expect(evidenceBegins(outcomes(text))).toBe(index === null ? null : instant(start + index)),
  );
});

const change = (kind: Change['kind'], minutesBefore: number): Change => ({
  id: changeId('chg_1'),
  at: instant(start - minutesBefore * 60_000),
  kind,
  actor: 'maria',
  subject: 'abc',
  reason: null,
  before: 'a',
  after: 'b',
});

describe('the class of failure', () => {
  const evidence = (
    failed: Partial<Record<FailureClass, number>>,
    changes: Partial<Evidence> = {},
  ): Evidence => ({
    targets: [{ target: opus, provider: 'anthropic' }],
    from: start,
    failed: new Map(Object.entries(failed) as [FailureClass, number][]),
    ok: 0,
    others: [],
    changes: [],
    warnings: [],
    ...changes,
  });
  test('answers that are not like they were, where nothing fails', () => {
    const warned = (signal: 'refused' | 'slow_tokens'): Evidence =>
      evidence({}, { ok: 90, warnings: [{ target: opus, signal, words: '31 of 118' }] });
    expect(classify(warned('refused')).failureClass).toBe('quality');
    expect(classify(warned('refused')).reasoning[0]).toContain('31 of 118');
    expect(classify(warned('slow_tokens')).failureClass).toBe('latency');
    // What fails is no question of quality, whatever the answers that come are like.
    const both = classify(
      evidence({ server_error: 9 }, { warnings: [{ target: opus, signal: 'refused', words: '31 of 118' }] }),
    );
    expect(both.failureClass).toBe('availability');
    expect(both.reasoning.join(' ')).toContain('31 of 118');
  });

  const config = [change('config.loaded', 2)];
  test.each([
    ['server errors', evidence({ server_error: 9 }), 'availability'],
    ['overload alone is an outage to users', evidence({ overloaded: 9 }), 'availability'],
    ['overload with limits used up is capacity', evidence({ overloaded: 9, rate_limited: 4 }), 'capacity'],
    ['quota', evidence({ quota_exhausted: 9 }), 'capacity'],
    ['late answers', evidence({ first_token_timeout: 9 }, { ok: 5 }), 'latency'],
    ['no answer in time at all', evidence({ first_token_timeout: 9 }), 'availability'],
    ['useless answers', evidence({ tool_call_invalid: 9, structured_output_invalid: 3 }), 'quality'],
    ['a model that is gone', evidence({ model_not_found: 9 }), 'deprecation'],
    [
      'a model that is gone since we changed the configuration',
      evidence({ model_not_found: 9 }, { changes: config }),
      'own_change',
    ],
    ['a 401 storm without a change of ours', evidence({ credential_rejected: 9 }), 'availability'],
    [
      'a 401 storm after a change of ours',
      evidence({ credential_rejected: 9 }, { changes: config }),
      'own_change',
    ],
    [
      'an address that is wrong since a change',
      evidence({ dns_failed: 9 }, { changes: config }),
      'own_change',
    ],
    [
      'server errors after a change are not ours',
      evidence({ server_error: 9 }, { changes: config }),
      'availability',
    ],
    [
      'a change long before is no suspect',
      evidence({ dns_failed: 9 }, { changes: [change('config.loaded', 60)] }),
      'availability',
    ],
  ] as const)('%s', (_name, given, failureClass) => expect(classify(given).failureClass).toBe(failureClass));

  test('the reasoning names what failed, what else worked, what we changed, and the conclusion', () => {
    const others = [
      { target: 'anthropic/claude-sonnet-4-5', provider: 'anthropic', ok: 40, failed: 0 },
    ] as unknown as Evidence['others'];
    const { reasoning } = classify(
      evidence({ server_error: 9 }, { ok: 1, others, changes: [change('switch.created', 3)] }),
    );
    expect(reasoning).toEqual([
      'Of 10 attempts at them, 9 failed: 9 failed with an internal error (server_error).',
      'Other models at the same provider answered meanwhile (anthropic/claude-sonnet-4-5): it is these models, not the provider as such.',
      '3 min 0 s before it began, a switch was made by maria (abc).',
      'Requests fail. Nothing says that the answers that come are worse: class availability.',
    ]);
  });
});
