import { describe, expect, test } from 'bun:test';

import { start } from '../../test/record-fixture.ts';
import { anSlaInput, reportSnapshot, someTally } from '../../test/report-fixture.ts';
import { continuityReport } from '../core/report-continuity.ts';
import { slaReport } from '../core/report-sla.ts';
import { continuityDocument } from './continuity-document.ts';
import { asHtml, asMarkdown } from './document.ts';
import { slaDocument } from './sla-document.ts';

const report = continuityReport({
  snapshot: reportSnapshot(),
  now: start,
  since: start,
  told: new Map(),
  fallbacks: new Map(),
  incidents: [],
  records: 3,
  ledger: 'sound',
});

describe('continuity', () => {
  test('says who may process what, and why not', () =>
    expect(report.processing).toEqual([
      {
        dataClass: 'european',
        providers: [
          { provider: 'anthropic', objection: expect.any(String) },
          { provider: 'openai', objection: expect.any(String) },
        ],
      },
    ]));
  test('says what remains when a provider is lost', () =>
    expect(report.losses.find(({ provider }) => provider === 'anthropic')?.features).toEqual([
      { feature: 'notes', title: 'Meeting | notes', verdict: 'survives', by: 'openai/gpt-5.2' },
    ]));
  test('as Markdown has every question, and names are no markup', () => {
    const markdown = asMarkdown(continuityDocument(report));
    for (const question of [
      'automatic',
      'visible',
      'configurable',
      'recorded',
      'process',
      'lost',
      'incident',
    ])
      expect(markdown).toMatch(new RegExp(`^## .*${question}`, 'm'));
    expect(markdown).toContain(String.raw`Meeting \| notes`);
    expect(markdown).not.toContain('<b>');
  });
  test('as HTML lets no name become a tag', () => {
    const html = asHtml(continuityDocument(report));
    expect(html).toContain('&#60;b&#62;B|C');
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('<script');
  });
});

test('the month says whether the promise holds', () => {
  const markdown = asMarkdown(slaDocument(slaReport(anSlaInput())));
  expect(markdown).toContain('holds only in that case');
  expect(markdown).toContain('99.95 %');
});

test('one failure among ten millions is not rounded up to a whole', () => {
  const byFeature = new Map([
    [
      'notes',
      {
        ...someTally(1, 1),
        outcomes: { answered: 9_999_999, failed: 1, partial: 0, refused: 0, cancelled: 0 },
      },
    ],
  ]);
  const markdown = asMarkdown(slaDocument(slaReport(anSlaInput({ byFeature }))));
  expect(markdown).toContain('| 99.9999 % | 99.9 % | 99.99 % |');
});
