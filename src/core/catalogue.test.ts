import { describe, expect, test } from 'bun:test';

import { catalogueData } from './catalogue-data.ts';
import { modelNamed, vendorOf } from './catalogue.ts';
import { costUsd } from './cost.ts';

describe('the catalogue', () => {
  test.each(Object.entries(catalogueData))('%s: every price and date has its source', (_name, facts) => {
    expect(facts.price === null).toBe(facts.priceSource === null);
    expect(facts.keptUntil === null).toBe(facts.lifecycle === null);
    for (const source of [facts.limits, facts.priceSource, facts.lifecycle]) {
      if (source === null) continue;
      expect(source.page).toStartWith('https://');
      expect(source.read).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    }
  });

  test.each([
    ['gpt-99-new', 'openai'],
    ['ft:gpt-4o-2024-08-06:acme::b7', 'openai'],
    ['claude-99-new', 'anthropic'],
    ['something-new-9', null],
  ])('the name %s tells the vendor %p', (name, vendor) => {
    expect(vendorOf(name)).toBe(vendor);
  });

  test('a model it does not know is not guessed at', () => {
    expect(modelNamed('something-new-9', 'local')).toMatchObject({
      vendor: 'local',
      contextKnown: false,
      outputKnown: false,
      price: null,
      keptUntil: null,
    });
  });
});

describe('cost', () => {
  const usage = { inputTokens: 1_000, outputTokens: 100, cachedTokens: 400, cacheWriteTokens: 100 };

  test('counts cached input at its own rates', () => {
    // 500 plain + 400 × 0.1 + 100 × 1.25 = 665 at $5, and 100 at $25, per million.
    expect(costUsd({ input: 5, output: 25 }, usage)).toBeCloseTo((665 * 5 + 100 * 25) / 1e6, 12);
  });

  test('is unknown without a price or without tokens', () => {
    expect(costUsd(null, usage)).toBeNull();
    expect(costUsd({ input: 5, output: 25 }, null)).toBeNull();
  });
});
