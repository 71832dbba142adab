/** The estimate of a request's length, held against a real tokenizer (o200k, of OpenAI's current models). */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';

import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';

import { estimateErrorBound } from '../src/core/rules.ts';
import { codecFor } from '../src/dialects/registry.ts';

const tokenizer = new Tiktoken(ranks);
const lengthMax = 12_000;
const fileText = (path: string): string => readFileSync(path, 'utf8').slice(0, lengthMax);

const texts: readonly (readonly [string, string])[] = [
  ['prose', fileText('docs/policy.md')],
  ['tables', fileText('ARCHITECTURE.md')],
  ['a licence', fileText('LICENSE')],
  ['code', fileText('src/core/routing.ts')],
  ['Python', fileText('examples/consent/ask.py')],
  ['YAML', fileText('examples/breakwater.yaml')],
  ['JSON', fileText('contract/openapi.json')],
  ['short JSON', fileText('package.json')],
  [
    'legal English',
    'Notwithstanding the foregoing, the indemnifying party shall not be responsible for consequential damages arising from unauthorised modifications undertaken by subcontractors without prior written authorisation. Representations and warranties contained herein survive termination.',
  ],
  [
    'German',
    'Der Ausschuss hat in seiner gestrigen Sitzung beschlossen, die Überprüfung des Haushalts auf die nächste Woche zu verschieben. Die Vertragsparteien vereinbaren, dass alle Streitigkeiten ausschließlich durch ein Schiedsgericht entschieden werden.',
  ],
  [
    'French',
    "Le comité a décidé lors de sa séance d'hier de reporter l'examen du budget à la semaine prochaine. Les parties conviennent que tout différend sera tranché exclusivement par arbitrage.",
  ],
  ['Chinese', '委员会在昨天的会议上决定把预算审查推迟到下周。双方同意，因本合同产生的一切争议均由仲裁解决。'],
];

const estimates: readonly (readonly [string, (text: string) => object])[] = [
  ['openai-chat', (content) => ({ model: 'm', messages: [{ role: 'user', content }] })],
  ['openai-responses', (input) => ({ model: 'm', input })],
  ['anthropic-messages', (content) => ({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content }] })],
  ['gemini', (text) => ({ model: 'm', stream: false, contents: [{ role: 'user', parts: [{ text }] }] })],
];

test.each(texts)('%s: never further above the true count than the bound says', (_name, text) => {
  const counted = tokenizer.encode(text).length;
  for (const [dialect, body] of estimates) {
    const facts = codecFor(dialect as 'gemini').readFacts(body(text) as Record<string, unknown>);
    if ('kind' in facts) throw new Error(facts.message);
    const { inputTokensEstimate } = facts;
    expect(inputTokensEstimate).toBeGreaterThan(0);
    expect(inputTokensEstimate / counted).toBeLessThanOrEqual(1 + estimateErrorBound);
  }
});
