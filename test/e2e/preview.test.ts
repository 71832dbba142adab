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
    expect(featureIn(body, 'alone')).toMatchObject({ stranded_share: 1, reasons: [] });
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
