import { describe, expect, test } from 'bun:test';

import { compileMessages } from './configure-messages.ts';
import { instant } from './ids.ts';
import { incidentClasses } from './incident.ts';
import { vagueWords } from './incident-words.ts';
import { composed, inLocale, dueStage, saidLately, settleMs, nextUpdateAfter, stageOf } from './message.ts';
import type { DueFacts, Message, MessageFacts } from './message.ts';
import { english, messageStages } from './message-texts.ts';
import type { Problem } from './snapshot.ts';

const now = instant(Date.UTC(2026, 5, 7, 9));
const minutes = (count: number) => instant(now - count * 60_000);

const facts: MessageFacts = {
  incident: 'inc_1',
  failureClass: 'availability',
  models: ['claude-opus-4-7', 'claude-opus-4-8'],
  features: [
    { title: 'Meeting notes', status: 'backup' },
    { title: 'Contract review', status: 'paused' },
  ],
  backups: ['gpt-5.2'],
  dataLeftTo: ['OpenAI'],
  nextUpdateAt: instant(now + 1_800_000),
  normalAt: minutes(-60),
  again: false,
};

describe('texts', () => {
  test('for every class and stage there are words for users and for the desk, none vague, none unfilled', () => {
    for (const failureClass of incidentClasses)
      for (const stage of messageStages) {
        const text = composed({ ...facts, failureClass }, stage, english);
        for (const part of [text.title, text.body, text.desk]) {
          expect(part).not.toMatch(/[{}]/);
          expect(part.length).toBeGreaterThan(20);
          expect(part).toMatch(/^\p{Lu}/u);
        }
        expect(`${text.title} ${text.body}`).not.toMatch(/degrad/i);
        expect(vagueWords(text.body)).toBeNull();
      }
  });

  test('say what kind of failure it is, who is met how, where data went and when there is more', () => {
    const { title, body } = composed(facts, 'backup', english);
    expect(title).toBe('Meeting notes: working with a backup model');
    for (const words of [
      'Requests to Claude Opus 4.7 and 4.8 are failing. This is a technical fault; it says nothing about how good the answers are.',
      'requests are answered by gpt-5.2.',
      'Contract review: paused by us.',
      'Some content was processed by another company: OpenAI.',
      'We will say more by 2026-06-07 09:30 UTC.',
    ])
      expect(body).toContain(words);
  });

  test('name in the title those it is true of; models where only they are paused', () => {
    expect(composed(facts, 'paused', english).title).toBe('Contract review: paused by us');
    const fine = facts.features.map((each) => ({ ...each, status: 'backup' as const }));
    expect(composed({ ...facts, features: fine }, 'paused', english).title).toBe(
      'Claude Opus 4.7 and 4.8: paused by us',
    );
    expect(composed(facts, 'resolved', english).title).toStartWith('Meeting notes and Contract review');
  });

  test('at the end say since when routing is normal, and promise nothing', () => {
    const { body } = composed({ ...facts, dataLeftTo: [] }, 'resolved', english);
    expect(body).toContain('normal routing resumed on 2026-06-07 10:00 UTC');
    expect(body).toContain('No content went to another company');
    expect(body).not.toContain('We will say more');
  });

  test('what is not known is not said', () => {
    const { body } = composed({ ...facts, dataLeftTo: null, nextUpdateAt: null }, 'investigating', english);
    expect(body).not.toContain('company');
  });
});

describe('the stage', () => {
  // oxfmt-ignore
  test.each([
    ['active',     ['partial', 'backup'], 'investigating'],
    ['active',     [],                    'investigating'],
    ['mitigated',  ['backup', 'normal'],  'backup'],
    ['active',     ['paused', 'backup'],  'paused'],
    ['restoring',  ['backup'],            'restoring'],
    ['resolved',   ['normal'],            'resolved'],
    ['reviewed',   [],                    'resolved'],
  ] as const)('%s with %p is %s', (state, statuses, stage) => {
    expect(stageOf({ state, features: statuses.map((status) => ({ status })) })).toBe(stage);
  });
});

describe('what is due', () => {
  const settings = compileMessages({}, () => {});
  const message = (changes: Partial<Message>): Message => ({
    id: 'pub_1',
    incident: 'inc_1',
    stage: 'backup',
    state: 'published',
    at: minutes(1),
    by: 'mara',
    automatic: false,
    reason: null,
    texts: {},
    nextUpdateAt: instant(now + 60_000),
    features: [],
    ...changes,
  });
  const due = (changes: Partial<DueFacts>): ReturnType<typeof dueStage> =>
    dueStage(
      {
        state: 'mitigated',
        features: [{ status: 'backup' }],
        detectedAt: minutes(6),
        stage: 'backup',
        stageSince: minutes(6),
        messages: [],
        ...changes,
      },
      settings,
      now,
    );

  // oxfmt-ignore
  test.each([
    ['after the hold-down users are told',                        {}, true],
    ['before it nobody is',                                       { detectedAt: minutes(4) }, false],
    ['a suspicion is not told',                                   { state: 'suspected' }, false],
    ['what no feature feels is not told',                         { features: [{ status: 'normal' }] }, false],
    ['what a person has said is not said again',                  { messages: [message({})] }, false],
    ['what a person has kept back is not said',                   { messages: [message({ state: 'suppressed', nextUpdateAt: null })] }, false],
    ['a later stage is told when it lasts',                       { messages: [message({ stage: 'investigating', at: minutes(2) })], stageSince: instant(now - settleMs) }, true],
    ['and not at once',                                           { messages: [message({ stage: 'investigating' })], stageSince: instant(now - settleMs + 1) }, false],
    ['its end is told at once',                                   { messages: [message({})], state: 'resolved', stage: 'resolved', stageSince: now }, true],
    ['the end of what nobody was told is not',                    { state: 'resolved', stage: 'resolved' }, false],
    ['a stage that was kept back stays back, the next one is told', { messages: [message({ stage: 'investigating' }), message({ state: 'suppressed', nextUpdateAt: null })] }, false],
    ['a promised next word is kept',                              { messages: [message({ nextUpdateAt: now })] }, true],
    ['after the last word there is no next one',                  { messages: [message({ stage: 'resolved', nextUpdateAt: null })], state: 'resolved', stage: 'resolved' }, false],
  ] as readonly (readonly [string, Partial<DueFacts>, boolean])[])('%s', (_words, changes, expected) => {
    expect(due(changes) !== null).toBe(expected);
  });

  test('nothing is, where a person has to speak', () => {
    const manual = compileMessages({ automatic: 'no' }, () => {});
    const given = {
      state: 'mitigated',
      features: [{ status: 'backup' }],
      detectedAt: minutes(99),
      stage: 'backup',
      stageSince: now,
      messages: [],
    } as const;
    expect(dueStage(given, manual, now)).toBeNull();
  });

  test('what a person or a playbook has said stands until the story moves', () => {
    const paused = message({
      stage: 'paused',
      by: 'playbook vendor-off',
      at: minutes(3),
      nextUpdateAt: null,
    });
    const partial = { state: 'active', stage: 'investigating', messages: [paused] } as const;
    expect(due({ ...partial, stageSince: minutes(6) })).toBeNull();
    expect(due({ ...partial, stageSince: minutes(2) })).toEqual({ stage: 'investigating', again: false });
  });

  test('a promised word brings what was said before, again, each time later', () => {
    const said = [message({ stage: 'paused', nextUpdateAt: now })];
    expect(due({ stage: 'investigating', messages: said })).toEqual({ stage: 'paused', again: true });
    expect(saidLately([message({}), ...said, ...said], 'paused')).toBe(2);
    expect(
      [0, 1, 2, 3].map((before) => (nextUpdateAfter('paused', settings, now, before) ?? now) - now),
    ).toEqual([1_800_000, 3_600_000, 7_200_000, 7_200_000]);
    expect(composed({ ...facts, again: true }, 'paused', english).body).toStartWith('Nothing has changed');
  });
});

describe('a language of one’s own', () => {
  const problems: Problem[] = [];
  const settings = compileMessages(
    {
      locales: {
        de: {
          stages: { backup: { title: '{features}: ein Ersatzmodell antwortet' } },
          states: { backup: 'läuft mit einem Ersatzmodell' },
          and: 'und',
        },
        en: { pairs: { 'availability.backup': { body: 'Requests fail, and {backups} helps out.' } } },
      },
    },
    (problem) => void problems.push(problem),
  );

  test('says what it has, and the rest in English', () => {
    expect(problems).toEqual([]);
    const { de = english, en = english } = Object.fromEntries(settings.locales);
    const german = composed(facts, 'backup', de);
    expect(german.title).toBe('Meeting notes: ein Ersatzmodell antwortet');
    expect(german.body).toContain('Meeting notes: läuft mit einem Ersatzmodell.');
    expect(german.body).toContain('technischer Fehler');
    expect(composed(facts, 'backup', en).body).toStartWith('Requests fail, and gpt-5.2 helps out.');
    expect(inLocale({ en: 1, de: 2 }, 'de-AT')).toBe(2);
    expect(inLocale({ en: 1 }, 'fr')).toBe(1);
  });

  test('vague words and unknown placeholders are refused when it is loaded', () => {
    const found: Problem[] = [];
    compileMessages(
      {
        locales: {
          en: { stages: { backup: { title: 'Degraded performance', body: 'See {model} for it.' } } },
        },
      },
      (problem) => void found.push(problem),
    );
    expect(found.map(({ path }) => path.join('.'))).toEqual([
      'messages.locales.en.stages.backup.title',
      'messages.locales.en.stages.backup.body',
    ]);
  });
});
