import { expect, test } from 'bun:test';
import fc from 'fast-check';

import {
  gptAtOpenai,
  llamaAtLocal,
  opusAtAnthropic,
  opusAtAws,
  aProvider,
  aTarget,
  opus,
} from '../../test/core-fixture.ts';
import { next, startFailover } from './failover.ts';
import type { FailoverEvent, Step } from './failover.ts';
import { failureClasses, failureOf, failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import { instant } from './ids.ts';
import type { NonEmpty } from './ids.ts';
import { Secret } from './secret.ts';
import type { Target } from './target.ts';

const limits = { attemptsMax: 4, retryAfterMaxMs: 3_000 };
const plan: NonEmpty<Target> = [opusAtAnthropic, opusAtAws, gptAtOpenai];

type Hint = { retryAfterMs?: number; otherKey?: boolean; budget?: boolean };

function failed(failureClass: FailureClass, hint: Hint = {}): FailoverEvent {
  return {
    kind: 'failed',
    failure: { ...failureOf(failureClass), retryAfterMs: hint.retryAfterMs ?? null },
    otherKey: hint.otherKey ?? false,
    budget: hint.budget ?? true,
  };
}

/** Runs events from the start and tells each command in words. */
function run(
  events: readonly FailoverEvent[],
  targets: NonEmpty<Target> = plan,
  deadline = 60_000,
): string[] {
  const words: string[] = [];
  const tell = ({ command }: Step): void => {
    words.push(
      command.kind === 'finish'
        ? command.because
        : command.kind === 'wait'
          ? `wait for ${command.targets.map(({ provider }) => provider.id).join(', ')}`
          : `${command.target.provider.id} ${command.why}${command.waitMs > 0 ? ` after ${command.waitMs}` : ''}`,
    );
  };
  let step = next(startFailover(targets, instant(deadline), limits), { kind: 'begin' }, instant(0), 0.5);
  tell(step);
  for (const event of events) {
    step = next(step.state, event, instant(0), 0.5);
    tell(step);
  }
  return words;
}

test.each([
  ['another target at once', [failed('overloaded')], ['anthropic first', 'aws-us next_target']],
  [
    'one quick retry after an internal error',
    [failed('server_error'), failed('server_error')],
    ['anthropic first', 'anthropic same_target_retry after 110', 'aws-us next_target'],
  ],
  [
    'one quick retry after a reset',
    [failed('connection_reset')],
    ['anthropic first', 'anthropic same_target_retry after 110'],
  ],
  [
    'no retry without budget',
    [failed('server_error', { budget: false })],
    ['anthropic first', 'aws-us next_target'],
  ],
  [
    'a silent target is not asked twice',
    [failed('headers_timeout')],
    ['anthropic first', 'aws-us next_target'],
  ],
  [
    'a short Retry-After is waited for',
    [failed('rate_limited', { retryAfterMs: 2_000 })],
    ['anthropic first', 'anthropic same_target_waited after 2050'],
  ],
  [
    'also when it says at once',
    [failed('overloaded', { retryAfterMs: 0 })],
    ['anthropic first', 'anthropic same_target_waited after 50'],
  ],
  [
    'a long one is not',
    [failed('rate_limited', { retryAfterMs: 20_000 })],
    ['anthropic first', 'aws-us next_target'],
  ],
  [
    'whatever the failure it comes with',
    [failed('server_error', { retryAfterMs: 1_000 })],
    ['anthropic first', 'anthropic same_target_waited after 1050'],
  ],
  [
    'and a long one is heeded there too',
    [failed('server_error', { retryAfterMs: 20_000 })],
    ['anthropic first', 'aws-us next_target'],
  ],
  [
    'once only',
    [failed('overloaded', { retryAfterMs: 100 }), failed('overloaded', { retryAfterMs: 100 })],
    ['anthropic first', 'anthropic same_target_waited after 150', 'aws-us next_target'],
  ],
  ['what the caller did wrong is passed on', [failed('request_rejected')], ['anthropic first', 'passed_on']],
  ['a refusal is an answer', [failed('content_refused')], ['anthropic first', 'passed_on']],
  ['a skipped target costs nothing', [{ kind: 'skipped' }], ['anthropic first', 'aws-us next_target']],
  [
    'a call that a switch ended was an attempt',
    [{ kind: 'stopped' }, { kind: 'stopped' }, { kind: 'stopped' }],
    ['anthropic first', 'aws-us next_target', 'openai next_target', 'exhausted'],
  ],
  [
    'and counts as one',
    [failed('server_error'), failed('server_error'), { kind: 'stopped' }, { kind: 'stopped' }],
    [
      'anthropic first',
      'anthropic same_target_retry after 110',
      'aws-us next_target',
      'openai next_target',
      'attempts_used',
    ],
  ],
  [
    'until nothing is left',
    [failed('overloaded'), failed('overloaded'), failed('overloaded')],
    ['anthropic first', 'aws-us next_target', 'openai next_target', 'exhausted'],
  ],
  [
    'or attempts are used up',
    [failed('server_error'), failed('server_error'), failed('server_error'), failed('server_error')],
    [
      'anthropic first',
      'anthropic same_target_retry after 110',
      'aws-us next_target',
      'openai next_target',
      'attempts_used',
    ],
  ],
] as [string, FailoverEvent[], string[]][])('%s', (_name, events, words) => {
  expect(run(events)).toEqual(words);
});

test('another key of the same provider goes before another provider, each key once', () => {
  const keys = ['a', 'b'].map((name) => ({ name, secret: new Secret(name) }));
  const target = aTarget(aProvider('anthropic', { keys }), opus);
  const rejected = failed('credential_rejected', { otherKey: true });
  expect(run([rejected, rejected], [target, gptAtOpenai])).toEqual([
    'anthropic first',
    'anthropic other_key',
    'openai next_target',
  ]);
});

test('a request that is too long goes only to a larger window', () => {
  expect(run([failed('context_exceeded')], [opusAtAnthropic, llamaAtLocal])).toEqual([
    'anthropic first',
    'passed_on',
  ]);
  expect(run([failed('context_exceeded')], [llamaAtLocal, opusAtAnthropic])).toEqual([
    'local first',
    'anthropic next_target',
  ]);
});

test('no wait beyond the deadline, and no attempt after it', () => {
  expect(run([failed('overloaded', { retryAfterMs: 2_000 })], plan, 1_000)).toEqual([
    'anthropic first',
    'aws-us next_target',
  ]);
  expect(run([failed('overloaded')], plan, 10)).toEqual(['anthropic first', 'deadline']);
});

test('attempts never exceed the limit, a target is asked at most twice per key, and it always ends', () => {
  const event = fc.record({
    failureClass: fc.constantFrom(...failureClasses),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 10_000 })),
    otherKey: fc.boolean(),
    budget: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.infiniteStream(event), (events) => {
      let step = next(startFailover(plan, instant(60_000), limits), { kind: 'begin' }, instant(0), 0.5);
      let attempts = 0;
      while (step.command.kind === 'attempt') {
        attempts++;
        expect(attempts).toBeLessThanOrEqual(limits.attemptsMax);
        const { failureClass, retryAfterMs, otherKey, budget } = events.next().value;
        const before = step.command.target;
        step = next(
          step.state,
          { kind: 'failed', failure: { ...failureOf(failureClass), retryAfterMs }, otherKey, budget },
          instant(0),
          0.5,
        );
        if (failureRow(failureClass).moveOn === 'no') expect(step.command.kind).toBe('finish');
        if (step.command.kind === 'attempt' && step.command.target === before)
          expect(failureRow(failureClass).retrySame).not.toBe('no');
      }
    }),
  );
});
