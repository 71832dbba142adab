import { expect, test } from 'bun:test';

import { aFeature, aSwitchOver, gptAtOpenai, opusAtAnthropic } from '../../test/core-fixture.ts';
import { instant, switchId } from './ids.ts';
import { partsOf } from './parts.ts';
import { decide } from './routing.ts';
import { plainRequest } from './rules.ts';
import type { Scope, Switch } from './switches.ts';

const now = instant(1_000_000);
const request = plainRequest(aFeature([opusAtAnthropic, gptAtOpenai]));

const shed = (percent: number, scope: Scope, changes: Partial<Switch> = {}): Switch =>
  aSwitchOver(scope, { id: switchId(`sw_${percent}`), effect: { kind: 'shed', percent }, ...changes });

const sharesOf = (switches: readonly Switch[]): readonly [number, readonly string[]][] =>
  partsOf(request, switches, now).map(({ share, random }) => {
    const decision = decide(request, { switches, standing: () => ({ kind: 'open' }), now, random });
    return [Number(share.toFixed(6)), decision.kind === 'route' ? decision.plan.map(({ name }) => name) : []];
  });
const [opus, gpt] = [opusAtAnthropic.name, gptAtOpenai.name];

test('without a switch for a part there is one part', () => {
  expect(sharesOf([])).toEqual([[1, [opus, gpt]]]);
});

test('a part that is kept away, and the rest', () => {
  expect(sharesOf([shed(30, { provider: 'anthropic' })])).toEqual([
    [0.3, [gpt]],
    [0.7, [opus, gpt]],
  ]);
});

test('two switches divide by the same draw', () => {
  expect(sharesOf([shed(50, { provider: 'anthropic' }), shed(20, { provider: 'openai' })])).toEqual([
    [0.2, []],
    [0.3, [gpt]],
    [0.5, [opus, gpt]],
  ]);
});

test('what only watches, concerns others, or keeps all or none away, divides nothing', () => {
  const switches = [
    shed(50, { provider: 'anthropic' }, { mode: 'observe' }),
    shed(40, { provider: 'google' }),
    shed(100, { provider: 'anthropic' }),
    shed(0, { provider: 'openai' }),
  ];
  expect(sharesOf(switches)).toEqual([[1, [gpt]]]);
});
