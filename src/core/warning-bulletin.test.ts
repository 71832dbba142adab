/** What channels are told of warnings, and of what answers say of themselves. */
import { expect, test } from 'bun:test';

import { aChange } from '../../test/record-fixture.ts';
import { warningSignals } from './evidence.ts';
import { warningBulletin } from './warning-bulletin.ts';

const warned = aChange({
  kind: 'quality.warned',
  actor: 'system',
  subject: 'openai/gpt-5.2',
  reason: '31 of 118 answers were refusals since 07:02:10 (26 %; usual 0.3 %)',
  before: null,
  after: 'refused',
});

test('a warning begins a story, its end ends the same one', () => {
  const begins = warningBulletin(warned);
  expect(begins).toMatchObject({
    type: 'quality.warned',
    stage: 'begins',
    severity: 'warning',
    subject: 'openai/gpt-5.2 refused',
    title: 'openai/gpt-5.2: more refusals',
  });
  expect(begins?.text).toBe(
    `${warned.reason}. A warning moves no request: look at some answers, then leave it, or switch it off.`,
  );
  const ends = warningBulletin({ ...warned, kind: 'quality.cleared', before: 'refused', after: null });
  expect(ends).toMatchObject({
    type: 'quality.cleared',
    stage: 'ends',
    severity: 'info',
    subject: begins?.subject,
  });
});

test.each(warningSignals)('%s has words of its own', (signal) => {
  const titles = warningSignals.map((each) => warningBulletin({ ...warned, after: each })?.title);
  expect(
    titles.filter((title) => title === warningBulletin({ ...warned, after: signal })?.title),
  ).toHaveLength(1);
});

test('another model under the old name is told, the first name that is known is not', () => {
  const signal = { ...warned, kind: 'model.signal', before: 'gpt-5.2', after: 'gpt-5.2-mini' } as const;
  expect(warningBulletin(signal)).toMatchObject({ type: 'model.signal', severity: 'warning' });
  expect(warningBulletin({ ...signal, before: null })).toBeNull();
});

test('nothing else is a warning', () => {
  expect(warningBulletin({ ...warned, kind: 'switch.created' })).toBeNull();
  expect(warningBulletin({ ...warned, after: 'nonsense' })).toBeNull();
});
