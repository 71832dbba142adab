import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { coverage } from '../core/coverage.ts';
import { resolveRequested } from '../core/default-route.ts';
import { instant } from '../core/ids.ts';
import { compile } from '../core/policy.ts';
import { Secret } from '../core/secret.ts';
import type { MissingSecret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';
import {
  changeWatcher,
  compileDocument,
  compileText,
  loadConfigFile,
  problemText,
  unlessEmptied,
} from './config-file.ts';

const secrets = (reference: string): Secret | MissingSecret =>
  reference === 'env:MISSING'
    ? { why: 'the environment variable MISSING is not set', severity: 'error' }
    : new Secret('text');

function problems(text: string): string[] {
  const loaded = compileText(text, secrets);
  return (loaded.ok ? loaded.warnings : loaded.problems).map((problem) => problemText('f', problem));
}

const good =
  'providers:\n  anthropic: { api: anthropic, keys: [env:A] }\n  openai: { api: openai, keys: [env:B] }\n';

test.each([
  [
    'an unknown key',
    `${good}listne: x\n`,
    ['f:4:1: error: listne: unknown key "listne"; did you mean "listen"?'],
  ],
  [
    'an unknown key inside',
    `${good}features:\n  a: { route: [openai/gpt-5.2], tite: x }\n`,
    ['f:5:33: error: features.a.tite: unknown key "tite"; did you mean "title"?'],
  ],
  [
    'an unknown provider',
    `${good}features:\n  a: { route: [opnai/gpt-5.2] }\n`,
    ['f:5:16: error: features.a.route[0]: unknown provider "opnai"; did you mean "openai"?'],
  ],
  [
    'a bad duration',
    `${good}features:\n  a: { route: [openai/gpt-5.2], timeouts: { stall: soon } }\n`,
    [
      'f:5:45: error: features.a.timeouts.stall: must be a duration of more than nothing, such as 500ms, 10s, 5m or 30d; correct the value',
    ],
  ],
  [
    'a data class nobody defined',
    `${good}features:\n  a: { route: [openai/gpt-5.2], dataClass: x }\n`,
    ['f:5:33: error: features.a.dataClass: unknown data class "x"; define it under dataClasses'],
  ],
  [
    'a class no target may take',
    `${good}dataClasses: { x: { training: no } }\nfeatures:\n  a: { route: [openai/gpt-5.2], dataClass: x }\n`,
    [
      'f:6:33: warning: features.a.dataClass: no target of the route may process class "x" (training is not excluded); add a target whose terms allow it, or state the terms of a provider',
    ],
  ],
  [
    'a key in the open',
    'providers:\n  anthropic: { api: anthropic, keys: [sk-ant-secret] }\n',
    [
      'f:2:39: error: providers.anthropic.keys[0]: must be a reference, env:NAME or file:PATH; a key itself does not belong in a configuration; correct the value',
    ],
  ],
  [
    'a missing variable',
    'providers:\n  anthropic: { api: anthropic, keys: [env:MISSING] }\n',
    [
      'f:2:39: error: providers.anthropic.keys[0]: the environment variable MISSING is not set; set it, or remove the reference',
    ],
  ],
  [
    'a missing variable beside a good one',
    'providers:\n  anthropic: { api: anthropic, keys: [env:A, env:MISSING] }\n',
    [
      'f:2:46: warning: providers.anthropic.keys[1]: the environment variable MISSING is not set; set it, or remove the reference',
    ],
  ],
  [
    'a feature named like a model',
    `${good}features:\n  gpt-5.2: { route: [openai/gpt-5.2] }\n`,
    [
      'f:5:3: error: features.gpt-5.2: has the name of a model; rename the feature: a request could not tell which one it means',
    ],
  ],
  [
    'every problem of adapt, where it stands',
    `${good}features:\n  a:\n    route: [openai/gpt-5.2]\n    adapt:\n      openai/gpt-5.2:\n        system:\n          append: "{{systm}} and {{"\n          replace: ""\n        params: { temprature: 1 }\n      openai/gpt-5: { tools: none }\n`,
    [
      'f:10:11: error: features.a.adapt.openai/gpt-5.2.system.append: has the unknown place "{{systm}}"; did you mean "system"?',
      'f:10:11: error: features.a.adapt.openai/gpt-5.2.system.append: opens "{{" and never closes it; close it with "}}", or write {{open}} for two braces',
      'f:11:11: error: features.a.adapt.openai/gpt-5.2.system.replace: stands beside append or prepend; write the whole prompt in replace, with {{system}} where the original goes',
      'f:11:11: error: features.a.adapt.openai/gpt-5.2.system.replace: is empty; write a text, or leave it out',
      'f:12:19: error: features.a.adapt.openai/gpt-5.2.params.temprature: unknown key "temprature"; did you mean "temperature"?',
      'f:13:7: error: features.a.adapt.openai/gpt-5: is not a target of the route; did you mean "openai/gpt-5.2"?',
    ],
  ],
  [
    'a limited mode that never applies, and a hop that nothing limits',
    `${good}  local: { api: openai-compatible, baseUrl: http://l/v1 }\nfeatures:\n  a:\n    route: [openai/gpt-5.2, openai/gpt-5.1, local/llama-3]\n    fallback: { same_vendor: auto, local: reduce }\n    adapt: { openai/gpt-5.1: { reduce: { tools: none } } }\n`,
    [
      'f:9:32: warning: features.a.adapt.openai/gpt-5.1.reduce: never applies: the hop same_vendor is "auto"; say same_vendor: reduce under fallback, or move its settings out of reduce',
      'f:8:5: warning: features.a.fallback: local is reduce, but nothing limits local/llama-3; say under adapt what its limited mode is: local/llama-3: { reduce: { maxOutputTokens: 400 } }',
    ],
  ],
  [
    'what does nothing yet',
    `${good}limits: { headers: 5s }\n`,
    [
      'f:4:11: warning: limits.headers: cannot be changed: headers that take longer than 10 to 15 s are cut off; take it out',
    ],
  ],
  [
    'two listeners at one address',
    `${good}listen: 127.0.0.1:1\nadminListen: 127.0.0.1:1\n`,
    [
      'f:5:1: error: adminListen: is an address that something else listens on already; leave it out, or use an address of its own',
    ],
  ],
  [
    'a message that says nothing, and a channel whose reference holds no address',
    `${good}messages: { locales: { en: { nextUpdate: Still degraded. } } }\nchannels:\n  ops: { kind: slack, url: env:SOMETHING }\n`,
    [
      'f:4:30: error: messages.locales.en.nextUpdate: "Still degraded." says "degraded" and not how: readers take it for worse answers; say what users meet: requests fail, answers take longer, there is too little capacity, or answers may be worse',
      'f:6:23: error: channels.ops.url: does not lead to an address of the web; put the whole address there, https://…',
    ],
  ],
  [
    'broken YAML',
    'a: [',
    [
      'f:1:5: error: Flow sequence in block collection must be sufficiently indented and end with a ]; correct the YAML',
    ],
  ],
  ['a key twice', 'listen: a:1\nlisten: b:2\n', ['f:2:1: error: this key is given twice; keep one of them']],
  [
    'numbers where people would write words',
    `${good}gates: [{ budget: 0.5, latency: { firstToken: 10 }, agreed: { on: 2026-02-30 } }]\n`,
    [
      'f:4:11: error: gates[0].budget: must be a rate such as 0.5%; correct the value',
      'f:4:35: error: gates[0].latency.firstToken: must be a duration of more than nothing, such as 500ms, 10s, 5m or 30d; correct the value',
      'f:4:63: error: gates[0].agreed.on: must be a date such as 2026-10-01; correct the value',
    ],
  ],
  [
    'waiting for no time at all',
    `${good}retryAfterMax: 0s\nlimits: { keepAlive: 0s }\nfeatures:\n  a: { route: [openai/gpt-5.2], timeouts: { total: 0s } }\n`,
    [
      'f:5:11: error: limits.keepAlive: must be a duration of more than nothing, such as 500ms, 10s, 5m or 30d; correct the value',
      'f:7:45: error: features.a.timeouts.total: must be a duration of more than nothing, such as 500ms, 10s, 5m or 30d; correct the value',
    ],
  ],
  [
    'gates that cannot be meant',
    `${good}gates:\n  - { match: { provider: opnai }, budget: 30% }\n  - { breach: 0.5% }\n  - { falseAlarm: 0 per 30d, restore: { ramp: [50%, 10%] } }\n`,
    [
      'f:5:7: warning: gates[0].match: is true of no target; correct it, or take the gate out',
      'f:5:35: error: gates[0].budget: is not below the breach of 20%; a budget is what you live with, a breach is more than that',
      'f:6:7: error: gates[1].breach: is not above the budget of 0.5%; a budget is what you live with, a breach is more than that',
      'f:7:7: error: gates[2].falseAlarm: must be a frequency such as "1 per 30d"; correct the value',
      'f:7:41: error: gates[2].restore.ramp: does not rise; begin with the smallest share',
    ],
  ],
  [
    'claims about nothing',
    `${good}features:\n  a:\n    route: [openai/gpt-5.2]\n    expect:\n      - survives: { provider: anthropc }\n      - survives: {}\n      - survives: { family: claude-opsu }\n`,
    [
      'f:8:21: error: features.a.expect[0].survives.provider: unknown provider "anthropc"; did you mean "anthropic"?',
      'f:9:9: error: features.a.expect[1].survives: names nothing that could be lost; name a provider, vendor, family, model or region',
      'f:10:9: warning: features.a.expect[2].survives: is true of no target, so it holds whatever happens; correct it, or take it out',
    ],
  ],
  [
    'a map that is never closed',
    'providers: { openai: { api: openai',
    [
      'f:1:35: error: Flow map in block collection must be sufficiently indented and end with a }; correct the YAML',
    ],
  ],
  [
    'a merge of what was said before',
    `${good}  eu: &eu { api: openai, keys: [env:OPENAI_API_KEY], baseUrl: "https://eu.example/v1" }\n  us: { <<: *eu, baseUrl: ftp://us.example }\n`,
    [
      'f:5:18: error: providers.us.baseUrl: must be an address of the web without a name and password in it: a key goes under keys; correct the value',
    ],
  ],
  [
    'a route that is longer than the attempts of a request',
    `${good}limits: { attempts: 2 }\nfeatures:\n  a:\n    route:\n      - openai/gpt-5.2\n      - openai/gpt-5.1\n      - openai/gpt-4o\n`,
    [
      'f:10:9: warning: features.a.route[2]: comes after as many targets as a request makes attempts (2): it is never asked when they all fail; set limits: { attempts: 3 }, or shorten the route',
    ],
  ],
  [
    'a rule of data for a feature that does not exist',
    `${good}dataClasses: { x: {} }\ndataRules: [{ match: { feature: noets }, dataClass: x }]\nfeatures:\n  notes: { route: [openai/gpt-5.2] }\n`,
    ['f:5:24: error: dataRules[0].match.feature: unknown feature "noets"; did you mean "notes"?'],
  ],
  [
    'a password in an address, no keys in a list of keys, an unknown store',
    'providers:\n  openai: { api: openai, keys: [], baseUrl: "https://me:secret@gate.example/v1" }\nstore: mysql://x\n',
    [
      'f:2:3: error: providers.openai: has no keys, but api openai needs one; add keys: [env:NAME]',
      'f:2:36: error: providers.openai.baseUrl: must be an address of the web without a name and password in it: a key goes under keys; correct the value',
      'f:3:1: error: store: must be sqlite:PATH; correct the value',
    ],
  ],
])('%s', (_name, text, expected) => {
  expect(problems(text)).toEqual(expected);
});

test('all problems at once, in order of lines', () => {
  const found = problems(
    `${good}listne: x\ngates:\n  - breach: 120%\nfeatures:\n  a: { route: [x/y, openai/gpt-5.2, openai/gpt-5.2], fallback: { same_modle: auto } }\n`,
  );
  expect(found.map((problem) => problem.split(': ')[2])).toEqual([
    'listne',
    'gates[0].breach',
    'features.a.route[0]',
    'features.a.route[2]',
    'features.a.fallback.same_modle',
  ]);
});

test('yes and no are words, whatever the parser makes of them', () => {
  for (const no of ['no', 'false', '"no"']) {
    const loaded = compileText(
      `providers:\n  p: { api: openai-compatible, baseUrl: "http://h/v1", local: ${no}, terms: { training: ${no} } }\n`,
      secrets,
    );
    expect(loaded.ok && loaded.snapshot.providers.get('p')?.terms.training).toBe('no');
  }
});

test('gemini and google are two words for one API', () => {
  for (const api of ['gemini', 'google']) {
    const loaded = compileText(`providers:\n  p: { api: ${api}, keys: [env:A] }\n`, secrets);
    expect(loaded.ok && loaded.snapshot.providers.get('p')?.api).toBe('google');
  }
});

test('whatever is given, there is a snapshot or there are problems', () => {
  const key = fc.constantFrom(
    'providers',
    'features',
    'gates',
    'dataClasses',
    'limits',
    'listen',
    'x',
    'anthropic',
    'api',
    'route',
    'models',
    'terms',
    'fallback',
    'expect',
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>('anthropic', 'openai-compatible', 'a/b', 1, null, true, '10s', []),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (document) => {
      const compiled = compile(document, { hash: 'x', secrets });
      if (!compiled.ok) expect(compiled.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['nothing new', ['a', 'a', 'a'], []],
  ['a change, once it was seen twice', ['a', 'b', 'b', 'b'], [2]],
  ['a file that is still being written', ['a', 'a', 'half', 'whole', 'whole'], [4]],
  ['a file that goes and comes back', ['a', null, null, 'a', 'a', 'b', 'b'], [6]],
  ['a file that comes later', [null, 'a', 'a'], [2]],
  ['a file that is put back', ['a', 'b', 'b', 'a', 'a'], [2, 4]],
])('looking at a file: %s', (_name, versions, changed) => {
  const hasChanged = changeWatcher();
  expect(versions.flatMap((version, at) => (hasChanged(version) ? [at] : []))).toEqual(changed);
});

test('a file that was emptied is no configuration to go on with', () => {
  for (const text of ['', ' \n']) {
    const loaded = unlessEmptied(compileText(text, secrets));
    expect(loaded.ok ? [] : loaded.problems.map((each) => problemText('f', each))).toEqual([
      'f:1:1: error: the file is empty; write it; to run without a configuration, restart',
    ]);
  }
  expect(unlessEmptied(compileText(good, secrets)).ok).toBe(true);
});

test('every example compiles', async () => {
  const folder = join(import.meta.dir, '../../examples');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const loaded = await loadConfigFile(join(folder, file), secrets);
    expect([file, loaded.ok ? [] : loaded.problems]).toEqual([file, []]);
    if (loaded.ok)
      for (const feature of coverage(loaded.snapshot, instant(0)))
        expect([feature.feature, feature.claims.filter((claim) => !claim.holds)]).toEqual([
          feature.feature,
          [],
        ]);
  }
});

function snapshot(document: unknown): Snapshot {
  const loaded = compileDocument(document, secrets);
  if (!loaded.ok) throw new Error(loaded.problems[0].message);
  return loaded.snapshot;
}

const two = snapshot({
  providers: {
    anthropic: { api: 'anthropic', keys: ['env:A'] },
    aws: { api: 'anthropic', keys: ['env:B'] },
    openai: { api: 'openai', keys: ['env:C'] },
  },
  features: { notes: { route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] } },
});

test.each([
  ['notes', null, 'notes: anthropic/claude-opus-4-8 openai/gpt-5.2'],
  ['gpt-5.2', 'notes', 'notes: openai/gpt-5.2 anthropic/claude-opus-4-8'],
  ['claude-opus-4-8-20260601', 'notes', 'notes: anthropic/claude-opus-4-8 openai/gpt-5.2'],
  ['claude-opus-4-8', null, 'default: anthropic/claude-opus-4-8 aws/claude-opus-4-8'],
  ['aws/claude-opus-4-8', null, 'default: aws/claude-opus-4-8 anthropic/claude-opus-4-8'],
  ['claude-opus-9', null, 'default: anthropic/claude-opus-9 aws/claude-opus-9'],
  ['gpt-4o', 'notes', 'model_not_allowed'],
  ['Notes', null, 'unknown_model'],
  ['llama', null, 'unknown_model'],
  ['notes', 'noted', 'unknown_feature'],
])('%s in feature %p means %s', (name, feature, meant) => {
  const resolved = resolveRequested(two, name, feature);
  expect(
    resolved.kind === 'resolved'
      ? `${resolved.feature.name}: ${resolved.route.map((target) => target.name).join(' ')}`
      : resolved.kind,
  ).toBe(meant);
});

test('a dated snapshot asked for by name is sent by that name', () => {
  const resolved = resolveRequested(two, 'claude-opus-4-8-20260601', null);
  expect(resolved.kind === 'resolved' && resolved.preferred.upstream).toBe('claude-opus-4-8-20260601');
});
