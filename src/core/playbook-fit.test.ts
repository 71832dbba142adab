import { expect, test } from 'bun:test';

import { unfitWords } from './playbook-fit.ts';
import { compile } from './policy.ts';
import { readPlaybook } from './read-playbook.ts';
import { Secret } from './secret.ts';

const compiled = compile(
  {
    providers: { anthropic: { api: 'anthropic', keys: ['env:A'] } },
    features: { notes: { route: ['anthropic/claude-opus-4-8'] } },
    channels: { oncall: { kind: 'pagerduty', routingKey: 'env:B' } },
  },
  { hash: 'x', secrets: () => new Secret('text') },
);

function unfit(changes: Record<string, unknown>): readonly string[] {
  const read = readPlaybook(
    { name: 'off', match: { scope: { provider: 'anthropic' }, when: { gate: 'ejected' } }, ...changes },
    'v1',
  );
  if (!read.ok || !compiled.ok) throw new Error('cannot be read');
  return unfitWords(read.playbook, compiled.snapshot);
}
const steps = (...list: readonly unknown[]): Record<string, unknown> => ({ decide: [{ otherwise: list }] });
const notify = { notify: { channel: 'oncall', text: 'It is off.' } };

test.each([
  ['what fits', steps({ switch: { scope: { model: '$model' } } }, notify), []],
  [
    'a channel that does not exist',
    steps({ notify: { channel: 'oncal', text: 'It is off.' } }),
    ['Playbook off tells the channel oncal, and there is none of this name (did you mean "oncall"?).'],
  ],
  [
    'scopes of no target, each told once',
    {
      match: { scope: { vendor: 'opnai' }, when: { gate: 'ejected' } },
      ...steps({ switch: { scope: { feature: 'noets' } } }, { switch: { scope: { feature: 'noets' } } }),
    },
    [
      'Playbook off waits for vendor:opnai, and no target is meant by that.',
      'Playbook off switches feature:noets, and no target is meant by that.',
    ],
  ],
])('%s', (_name, changes, words) => {
  expect(unfit(changes)).toEqual(words);
});
