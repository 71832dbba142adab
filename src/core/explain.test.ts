import { describe, expect, test } from 'bun:test';

import { aRecord, aRescue, anAttempt, gpt, opus } from '../../test/record-fixture.ts';
import { gptAtOpenai, llamaAtLocal, opusAtAnthropic } from '../../test/core-fixture.ts';
import { explainCandidates, explainDecision, explainRecord } from './explain.ts';
import { failureClasses } from './failure.ts';
import { switchId, targetName } from './ids.ts';
import { exclusionReasons } from './record.ts';
import type { Candidate, RequestRecord } from './record.ts';
import { durationWords, listWords, momentWords } from './words.ts';

const local = targetName('local', 'llama-3.2-3b');
const eligible = (target: Candidate['target']): Candidate => ({
  target,
  eligible: true,
  reason: null,
  rule: null,
});
const out = (target: Candidate['target'], reason: Candidate['reason'], rule: string | null): Candidate => ({
  target,
  eligible: false,
  reason,
  rule,
});
const failedAt = (target: Candidate['target'], changes: Parameters<typeof anAttempt>[0] = {}) =>
  anAttempt({ target, outcome: 'failed', failure: 'overloaded', status: 529, ...changes });

const explained = (record: RequestRecord): readonly string[] =>
  explainRecord(record, '2026-06-07T09:00:00.123Z');

const plain = [
  'On 7 June 2026, 09:00:00 UTC, a request was made by user u1 in the feature notes.',
  'Data of this feature counts as internal.',
  'anthropic/claude-opus-4-8 answered, the model it was meant for.',
  'The answer was complete after 750 ms.',
  'The content went to Anthropic PBC (region us, kept there for up to 30 days).',
  'That is the provider it was meant for, or one under the same terms.',
  'About routing there was nothing to tell the user.',
];

/** A record, what must be among its sentences, and what must not. */
const table: readonly (readonly [string, RequestRecord, readonly string[], readonly string[]])[] = [
  ['answered as asked', aRecord(), plain, []],
  [
    'watched by a switch that only observes',
    aRecord({ switches: [switchId('sw_1')] }),
    ['In force for it at that time, and moving nothing: switch sw_1.'],
    [],
  ],
  [
    'rescued by another company',
    aRescue({ candidates: [eligible(opus), eligible(gpt), eligible(local)] }),
    [
      "openai/gpt-5.2 answered instead of anthropic/claude-opus-4-8: another vendor's model.",
      'It took 2 attempts.',
      "Attempt 1, anthropic/claude-opus-4-8, failed with an internal error (in the provider's own words: status 500) after 700 ms. So the next one was asked.",
      'Attempt 2, openai/gpt-5.2, succeeded after 700 ms.',
      'local/llama-3.2-3b was next in line and was not needed.',
      'In force for it at that time: switch sw_1.',
      'Left out for the model that was asked, which has no place for it: temperature was dropped.',
      'The content went to Anthropic PBC (region us, kept there for up to 30 days) and OpenAI (region us, kept there for up to 30 days).',
      'Compared with the provider it was meant for, that means another company and longer or unknown retention. Attempts that failed are counted, because the content had reached them.',
      'The product was told of the backup in the headers of the answer; whether it showed that is up to it.',
    ],
    ['the model it was meant for.'],
  ],
  [
    'switched off',
    aRecord({
      served: gpt,
      hop: 'other_vendor',
      fallback: 'switched_off',
      modelReported: 'gpt-5.2-2026-03-01',
      attempts: [anAttempt({ target: gpt, company: 'OpenAI' })],
      candidates: [out(opus, 'switched_off', 'sw_9'), eligible(gpt)],
      switches: [switchId('sw_9')],
      boundary: ['entity'],
      told: 'header',
    }),
    [
      'anthropic/claude-opus-4-8 was not asked: it is switched off by the operator (switch sw_9).',
      'The content went to OpenAI (region us, kept there for up to 30 days).',
      'Compared with the provider it was meant for, that means another company.',
    ],
    ['It took', 'called the model', 'counted'],
  ],
  [
    'everything failed',
    aRecord({
      served: null,
      modelReported: null,
      outcome: 'failed',
      errorCode: 'upstream_failed',
      status: 502,
      finish: null,
      boundary: ['entity'],
      candidates: [eligible(opus), eligible(gpt), eligible(local)],
      attempts: [
        failedAt(opus, { providerCode: 'overloaded_error', whyNext: 'same_target_waited' }),
        failedAt(opus, { n: 2, failure: 'credential_rejected', status: 401, whyNext: 'other_key' }),
        failedAt(gpt, {
          n: 3,
          company: 'OpenAI',
          failure: 'connect_failed',
          status: null,
          payloadSent: 'none',
        }),
      ],
    }),
    [
      'No model answered it.',
      "Attempt 1, anthropic/claude-opus-4-8, said it is overloaded (in the provider's own words: status 529, overloaded_error) after 700 ms. It was asked again after the wait that the provider had named.",
      'Attempt 3, openai/gpt-5.2, could not be reached after 700 ms.',
      'local/llama-3.2-3b was not asked: no time or no further attempt was left for this request.',
      'It failed after 750 ms, and the caller was shown the error. Attempts were made and failed; 504 when the last one ran out of time. (upstream_failed)',
    ],
    ['OpenAI', 'nothing to tell'],
  ],
  [
    "the caller's own fault is not asked elsewhere",
    aRecord({
      served: null,
      outcome: 'failed',
      errorCode: 'request_rejected',
      candidates: [eligible(opus), eligible(gpt)],
      attempts: [failedAt(opus, { failure: 'request_rejected', status: 400 })],
    }),
    ['openai/gpt-5.2 was not asked: what went wrong would be no different there.'],
    [],
  ],
  [
    'cut in the middle',
    aRecord({
      outcome: 'partial',
      errorCode: 'upstream_failed',
      candidates: [eligible(opus), eligible(gpt)],
      attempts: [failedAt(opus, { failure: 'stream_stalled', status: 200, malformedEvents: 2 })],
    }),
    [
      'Attempt 1, anthropic/claude-opus-4-8, stopped in the middle of its answer after 700 ms.',
      'openai/gpt-5.2 could not take over, because a part of the answer was already out.',
      'The answer was cut off after 750 ms: it is not complete, and the caller was told so.',
      '2 pieces of the answer could not be read and left out.',
    ],
    ['complete after', 'nothing to tell', 'status 200'],
  ],
  [
    'refused by data policy',
    aRecord({
      served: null,
      outcome: 'refused',
      told: 'refused',
      errorCode: 'data_policy_denied',
      dataClass: 'restricted',
      dataClassSource: 'header',
      attempts: [],
      candidates: [out(opus, 'data_policy', 'restricted: retention of 30 days is too long')],
    }),
    [
      'The caller marked its data as restricted.',
      'Nothing was sent to any provider.',
      'anthropic/claude-opus-4-8 was not asked: it may not process this class of data (restricted: retention of 30 days is too long).',
      'It was refused after 750 ms; that is the policy at work, not a fault. No target may process this data class. (data_policy_denied)',
      'The content went to no provider.',
      'The user was told that the request was refused, and why.',
    ],
    [],
  ],
  [
    'the user was asked',
    aRecord({
      served: null,
      outcome: 'refused',
      told: 'asked',
      errorCode: 'fallback_consent_required',
      attempts: [],
      candidates: [
        out(opus, 'ejected', '5 attempts failed'),
        out(gpt, 'consent_required', 'other_vendor: ask'),
      ],
    }),
    [
      'anthropic/claude-opus-4-8 was not asked: it is out because it kept failing (5 attempts failed).',
      'openai/gpt-5.2 was not asked: it may be used only if the user agrees.',
      'The user was asked whether another model may be used.',
    ],
    ['other_vendor'],
  ],
  [
    'agreed beforehand',
    aRescue({ consent: 'token' }),
    ['The user had agreed to another model for this request.'],
    [],
  ],
  [
    'panic: out, and asked all the same',
    aRecord({ candidates: [out(opus, 'ejected', '5 attempts failed')] }),
    [
      'Of anthropic/claude-opus-4-8 it was known that it is out because it kept failing (5 attempts failed); it was asked all the same, because everything permitted was out.',
    ],
    ['was not asked'],
  ],
  [
    'excluded after an attempt',
    aRescue({ candidates: [out(opus, 'ejected', '5 attempts failed'), eligible(gpt)] }),
    [
      'anthropic/claude-opus-4-8 was not asked a further time: it is out because it kept failing (5 attempts failed).',
    ],
    ['was not asked:'],
  ],
  [
    'declined for content reasons',
    aRecord({ served: null, outcome: 'answered', errorCode: 'content_refused', attempts: [failedAt(opus)] }),
    ['The provider declined to answer for content reasons after 750 ms, and the caller was told so.'],
    ['was complete', 'nothing to tell'],
  ],
  [
    'cut at the length limit, and flawed',
    aRecord({ finish: 'length', warnings: ['tool_call_invalid', 'top_k', 'temperature'] }),
    [
      'The answer was complete after 750 ms. It stops at the length limit that was asked for.',
      'The answer was passed on although the model sent a tool call that cannot be read or does not fit its schema.',
      'Left out for the model that was asked, which has no place for it: top_k and temperature.',
    ],
    [],
  ],
  [
    'the caller left, without a key or a name',
    aRecord({
      key: null,
      user: null,
      requested: 'claude-opus-4-8',
      feature: 'default',
      dataClass: null,
      dataClassSource: 'none',
      outcome: 'cancelled',
      attempts: [
        anAttempt({
          outcome: 'cancelled',
          company: null,
          region: null,
          retention: 'unknown',
          payloadSent: 'partial',
        }),
      ],
    }),
    [
      'On 7 June 2026, 09:00:00 UTC, a request for claude-opus-4-8 was made in the feature default.',
      'It came without a key, from the same machine, before any key was made.',
      'The caller left after 750 ms, before the answer was complete.',
      'The content went to a company whose name is not on file (in part, region unknown, kept for an unknown time).',
    ],
    ['user', 'counts as'],
  ],
  [
    'the provider reports another model',
    aRecord({ modelReported: 'claude-sonnet-4-5' }),
    ['In its answer the provider called the model claude-sonnet-4-5.'],
    [],
  ],
];

describe('a record in sentences', () => {
  test.each(table.map((row) => [...row]))('%s', (_name, record, present, absent) => {
    const sentences = explained(record as RequestRecord);
    for (const sentence of present as string[]) expect(sentences).toContain(sentence);
    for (const words of absent as string[]) expect(sentences.join(' ')).not.toContain(words);
  });

  test('of a plain answer nothing more is said', () => expect(explained(aRecord())).toEqual(plain));

  test.each([...failureClasses])('%s is told without its code name', (failure) => {
    const text = explained(aRecord({ attempts: [failedAt(opus, { failure, status: null })] })).join(' ');
    expect(text).not.toMatch(/\w_\w/);
  });

  test.each([...exclusionReasons])('%s is told without its code name', (reason) => {
    const [text] = explainCandidates([out(opus, reason, null)]);
    expect(text).toMatch(/^anthropic\/claude-opus-4-8 would not be asked: it .+\.$/);
    expect(text).not.toContain('_');
  });

  test('what is lacking is told in words', () =>
    expect(explainCandidates([out(opus, 'lacks_capability', 'structured_output')])).toEqual([
      'anthropic/claude-opus-4-8 would not be asked: it lacks something the request needs (answers in a fixed structure).',
    ]));
});

describe('a hypothetical decision', () => {
  const facts = { candidates: [], offers: [], switches: [] };
  test.each([
    [
      { ...facts, kind: 'route' as const, plan: [opusAtAnthropic] as const, panic: false },
      'It would go to anthropic/claude-opus-4-8.',
    ],
    [
      {
        ...facts,
        kind: 'route' as const,
        plan: [opusAtAnthropic, gptAtOpenai, llamaAtLocal] as const,
        panic: false,
      },
      'It would go to anthropic/claude-opus-4-8, and if that fails to openai/gpt-5.2 or local/llama-3.2-3b.',
    ],
    [
      { ...facts, kind: 'route' as const, plan: [opusAtAnthropic] as const, panic: true },
      'Everything permitted is out; the least bad, anthropic/claude-opus-4-8, would be asked all the same.',
    ],
    [
      { ...facts, kind: 'ask' as const, offers: [{ target: gptAtOpenai, hop: 'other_vendor' as const }] },
      'The user would be asked whether openai/gpt-5.2 may be used.',
    ],
    [
      { ...facts, kind: 'refuse' as const, code: 'no_eligible_target' as const, retryAt: null },
      'It would be refused. Every target is excluded, each with its reason. (no_eligible_target)',
    ],
  ])('%#', (decision, words) => expect(explainDecision(decision)).toBe(words));
});

describe('words', () => {
  test.each([
    [0, '0 ms'],
    [999.6, '1.0 s'],
    [4_240, '4.2 s'],
    [59_970, '1 min 0 s'],
    [119_999, '2 min 0 s'],
    [3_599_999, '1 h 0 min'],
    [7_800_000, '2 h 10 min'],
  ])('%p ms is %p', (ms, words) => expect(durationWords(ms)).toBe(words));

  test.each([
    ['2026-06-07T09:00:00.123Z', '7 June 2026, 09:00:00 UTC'],
    ['2026-13-07T09:00:00Z', '2026-13-07T09:00:00Z'],
    ['yesterday', 'yesterday'],
  ])('%p is %p', (text, words) => expect(momentWords(text)).toBe(words));

  test.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and c'],
  ])('%j', (list, words) => expect(listWords(list)).toBe(words));
});
