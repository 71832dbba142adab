import { describe, expect, test } from 'bun:test';

import { instant } from './ids.ts';
import type { FeatureView } from './status.ts';
import { buildStatusPage } from './status-page.ts';
import type { TargetNow } from './status-page.ts';

const now = instant(Date.UTC(2026, 5, 7, 9));
const ago = (minutes: number) => instant(now - minutes * 60_000);

const feature = (changes: Partial<FeatureView>): FeatureView => ({
  feature: 'notes',
  title: 'Meeting notes',
  status: 'normal',
  preferred: 'anthropic/claude-opus-4-8',
  serving: 'anthropic/claude-opus-4-8',
  ...changes,
});
const target = (changes: Partial<TargetNow> = {}): TargetNow => ({
  target: 'anthropic/claude-opus-4-8',
  model: 'claude-opus-4-8',
  vendor: 'anthropic',
  gate: 'healthy',
  gateSince: null,
  pausedSince: null,
  ...changes,
});

const pageOf = (features: readonly FeatureView[], targets: readonly TargetNow[], at: typeof now) =>
  buildStatusPage({ features, targets, history: new Map(), stories: [], planned: [], now: at });

describe('the status page', () => {
  test('on a good day says so and nothing else', () => {
    const page = pageOf([feature({})], [target()], now);
    expect(page).toMatchObject({ overall: 'normal', headline: 'Everything is working normally', events: [] });
    expect(page.features[0]).toMatchObject({ words: 'working normally', backup: null });
  });

  test('two versions that fail together are one story, by their names and not by their vendor', () => {
    const page = pageOf(
      [feature({ status: 'backup', serving: 'openai/gpt-5.2' })],
      [
        target({ gate: 'ejected', gateSince: ago(4) }),
        target({
          target: 'anthropic/claude-opus-4-7',
          model: 'claude-opus-4-7',
          gate: 'ejected',
          gateSince: ago(2),
        }),
      ],
      now,
    );
    expect(page.events.map((event) => event.title)).toEqual([
      'claude-opus-4-8 and claude-opus-4-7 are failing',
    ]);
    expect(page.events[0]?.words).toContain('Meeting notes: working with a backup model.');
    expect(page.features[0]?.backup).toBe('gpt-5.2');
    expect(JSON.stringify(page)).not.toMatch(/degraded|quality/i);
  });

  test('what a person took out is paused by us, whatever its gate says', () => {
    const page = pageOf(
      [feature({ status: 'paused', serving: null })],
      [target({ gate: 'ejected', gateSince: ago(9), pausedSince: ago(3) })],
      now,
    );
    expect(page).toMatchObject({ overall: 'paused', headline: 'Meeting notes: paused by us' });
    expect(page.models[0]).toMatchObject({ status: 'paused', since: ago(3) });
    expect(page.events[0]).toMatchObject({ state: 'paused', features: ['notes'] });
  });

  test('a model works as long as one of its hosts does', () => {
    const page = pageOf(
      [feature({ status: 'backup', serving: 'aws/claude-opus-4-8' })],
      [target({ gate: 'ejected', gateSince: ago(4) }), target({ target: 'aws/claude-opus-4-8' })],
      now,
    );
    expect(page.models).toMatchObject([
      {
        model: 'claude-opus-4-8',
        status: 'working',
        words: 'working, but not at every provider',
        since: null,
      },
    ]);
  });

  test('the gravest feature gives the headline', () => {
    const page = pageOf(
      [feature({}), feature({ feature: 'chat', title: 'Chat', status: 'unavailable', serving: null })],
      [target()],
      now,
    );
    expect(page).toMatchObject({ overall: 'unavailable', headline: 'Chat: not available' });
  });
});
