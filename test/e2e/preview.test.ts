/** The blast radius of a switch, asked before it is made, over traffic that really was. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';

import { startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
  const ask = (model: string): Promise<unknown> =>
    house.openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
  for (const model of ['notes', 'notes', 'notes', 'chat', 'strict', 'contract', 'alone', 'twins'])
    await ask(model);
});
afterAll(() => house.stop());

const featureIn = (body: Json, name: string): Json =>
  (body['features'] as readonly Json[]).find((feature) => feature['feature'] === name) ?? {};

describe('a preview', () => {
  test('says who moves where, who is asked, refused and stranded, and why', async () => {
    const { status, body } = await house.admin('POST', 'switches/preview', {
      scope: { vendor: 'anthropic' },
      effect: 'off',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ window_ms: 900_000, requests: 8 });
    expect(featureIn(body, 'notes')).toEqual({
      feature: 'notes',
      requests: 3,
      moves: [{ from: 'anthropic/claude-opus-4-8', to: 'openai/gpt-5.2', hop: 'other_vendor', share: 1 }],
      asked_share: 0,
      refused_share: 0,
      stranded_share: 0,
      reasons: [],
    });
    expect(featureIn(body, 'chat')).toMatchObject({ moves: [], asked_share: 0, refused_share: 0 });
    expect(featureIn(body, 'contract')).toMatchObject({
      moves: [],
      asked_share: 1,
      reasons: ['openai/gpt-5.2 may be used only if the user agrees'],
    });
    expect(featureIn(body, 'strict')).toMatchObject({ moves: [], refused_share: 1 });
    expect(featureIn(body, 'alone')).toMatchObject({
      stranded_share: 1,
      reasons: ['the switch takes out every target of its route'],
    });
    const capacity = body['capacity'] as readonly Json[];
    const opus = capacity.find((load) => load['target'] === 'anthropic/claude-opus-4-8');
    expect(opus).toMatchObject({ load_after: 0, limit: 5_000 });
    // GPT costs less than Opus, and what is asked, refused or stranded costs nothing.
    expect(body['cost_change']).toBeLessThan(0);
  });

  test('moves to the same model elsewhere where there is one', async () => {
    const { body } = await house.admin('POST', 'switches/preview', { scope: { provider: 'anthropic' } });
    expect(featureIn(body, 'twins')).toMatchObject({
      moves: [{ to: 'aws/claude-opus-4-8', hop: 'same_model', share: 1 }],
    });
  });

  test('of a switch for a part says what part moves, is asked and is stranded', async () => {
    const { body } = await house.admin('POST', 'switches/preview', {
      scope: { vendor: 'anthropic' },
      effect: { shed: 25 },
    });
    expect(featureIn(body, 'notes')).toMatchObject({
      requests: 3,
      moves: [{ from: 'anthropic/claude-opus-4-8', to: 'openai/gpt-5.2', share: 0.25 }],
    });
    expect(featureIn(body, 'contract')).toMatchObject({ asked_share: 0.25, refused_share: 0 });
    expect(featureIn(body, 'strict')).toMatchObject({ refused_share: 0.25 });
    expect(featureIn(body, 'alone')).toMatchObject({ stranded_share: 0.25 });
    const whole = await house.admin('POST', 'switches/preview', { scope: { vendor: 'anthropic' } });
    expect(body['cost_change']).toBeCloseTo(Number(whole.body['cost_change']) / 4, 9);
    expect((body['capacity'] as Json[]).map((load) => load['target'])).toContain('openai/gpt-5.2');
  });

  test('and an explanation of a request that meets one say both ways', async () => {
    const made = await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      effect: { shed: 25 },
      reason: 'try',
      failure_class: 'availability',
    });
    const { body } = await house.admin('POST', 'explain', { feature: 'notes' });
    const moved = await house.admin('POST', 'switches/preview', { scope: { vendor: 'anthropic' } });
    await house.admin('POST', `switches/${String(made.body['id'])}/release`, { reason: 'done', ramp: false });
    expect(body).toMatchObject({
      decision: 'route',
      plan: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
      shares: [
        { share: 0.75, plan: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] },
        { share: 0.25, plan: ['openai/gpt-5.2'] },
      ],
    });
    expect(body['words']).toContain(
      'A switch for a part of the requests decides otherwise for 25 % of them: It would go to openai/gpt-5.2.',
    );
    // A quarter has moved already.
    expect(featureIn(moved.body, 'notes')).toMatchObject({ moves: [{ share: 0.75 }] });
    const without = await house.admin('POST', 'explain', { feature: 'notes' });
    expect(without.body['shares']).toMatchObject([{ share: 1, decision: 'route' }]);
  });

  test('changes nothing and writes nothing down', async () => {
    const before = await house.admin('GET', 'changes');
    await house.admin('POST', 'switches/preview', { scope: { vendor: '*' } });
    expect((await house.admin('GET', 'switches')).body['items']).toEqual([]);
    expect((await house.admin('GET', 'changes')).body).toEqual(before.body);
    await house.openai.chat.completions.create({
      model: 'notes',
      messages: [{ role: 'user', content: 'Hello' }],
    });
  });

  test('of nothing is refused as the switch itself would be', async () => {
    expect(await house.admin('POST', 'switches/preview', { scope: {} })).toMatchObject({
      status: 400,
      body: { error: { field: 'scope' } },
    });
  });
});
