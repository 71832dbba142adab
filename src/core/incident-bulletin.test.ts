import { describe, expect, test } from 'bun:test';

import { aChange } from '../../test/record-fixture.ts';
import { incidentBulletin, messageBulletin } from './incident-bulletin.ts';

const digest = (changes: object = {}): object => ({
  id: 'inc_1',
  rev: 1,
  title: 'Claude Opus 4.7 and 4.8: elevated errors',
  state: 'active',
  severity: 'SEV2',
  failure_class: 'availability',
  targets: ['anthropic/claude-opus-4-8'],
  features: [
    { feature: 'notes', status: 'backup' },
    { feature: 'chat', status: 'normal' },
  ],
  merged_into: null,
  ...changes,
});
const bulletin = (
  kind: 'incident.opened' | 'incident.updated',
  after: object,
  before: object | null = null,
) => incidentBulletin(aChange({ kind, before, after }));

describe('an incident', () => {
  test('that opens begins a story, with its severity in the words of paging services', () => {
    expect(bulletin('incident.opened', digest())).toMatchObject({
      type: 'incident.opened',
      stage: 'begins',
      severity: 'error',
      subject: 'inc_1',
      page: '/incidents/inc_1',
    });
  });

  test('that only gets a note is no news; one that moves is', () => {
    expect(bulletin('incident.updated', digest({ rev: 2 }), digest())).toBeNull();
    expect(bulletin('incident.updated', digest({ state: 'mitigated' }), digest())).toMatchObject({
      type: 'incident.updated',
      stage: 'goes_on',
    });
    expect(bulletin('incident.updated', digest({ severity: 'SEV1' }), digest())).toMatchObject({
      severity: 'critical',
    });
  });

  test.each([{ state: 'resolved' }, { state: 'dismissed' }, { merged_into: 'inc_2' }])(
    'ends with %p',
    (changes) => {
      expect(bulletin('incident.updated', digest(changes), digest())).toMatchObject({
        type: 'incident.resolved',
        stage: 'ends',
        severity: 'info',
      });
    },
  );

  test('that is reviewed was over before', () => {
    expect(
      bulletin('incident.updated', digest({ state: 'reviewed' }), digest({ state: 'resolved' })),
    ).toBeNull();
  });

  test('names features by their states and leaves out those that are well', () => {
    expect(bulletin('incident.opened', digest())?.facts.find(({ name }) => name === 'Features')?.value).toBe(
      'notes: working with a backup model',
    );
  });
});

test('a message is told when it is published, not when it is kept back', () => {
  const after = {
    id: 'pub_1',
    incident: 'inc_1',
    stage: 'backup',
    texts: { en: { title: 't', body: 'b', desk: 'd' } },
  };
  expect(messageBulletin(aChange({ kind: 'message.published', after }))).toMatchObject({
    type: 'message.published',
    subject: 'inc_1',
    title: 't',
    text: 'b',
  });
  expect(messageBulletin(aChange({ kind: 'message.suppressed', after }))).toBeNull();
});
