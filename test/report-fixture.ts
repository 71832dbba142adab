/** A compiled configuration, and a month to report on. */
import { instant } from '../src/core/ids.ts';
import { compile } from '../src/core/policy.ts';
import type { SlaInput } from '../src/core/report-sla.ts';
import { Secret } from '../src/core/secret.ts';
import type { Snapshot } from '../src/core/snapshot.ts';
import { countInto, emptyTally } from '../src/core/statistics.ts';
import type { Tally } from '../src/core/statistics.ts';
import { noteOutcome, windowMs } from '../src/core/target-outcomes.ts';
import type { TargetWindows } from '../src/core/target-outcomes.ts';

const terms = { entity: 'A', regions: ['us'], retention: '30d', training: 'no' };

export function reportSnapshot(): Snapshot {
  const compiled = compile(
    {
      providers: {
        anthropic: { api: 'anthropic', keys: ['env:K'], terms: { ...terms, sla: '99.5%' } },
        openai: { api: 'openai', keys: ['env:K'], terms: { ...terms, entity: '<b>B|C</b>', sla: '99.9%' } },
      },
      dataClasses: { european: { regions: ['eu'] } },
      features: {
        notes: {
          title: 'Meeting | notes',
          route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
          sla: { availability: '99.9%', promised: '99.95%' },
        },
      },
    },
    { hash: 'abc', secrets: () => new Secret('k') },
  );
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
  return compiled.snapshot;
}

export const monthStart = instant(Date.UTC(2026, 5, 1));

/** So many requests that ended well, and so many that failed. */
export function someTally(answered: number, failed: number): Tally {
  const tally = emptyTally();
  const facts = { hasHop: false, durationMs: 500, firstTokenMs: 50, inputTokens: 1, outputTokens: 1 };
  for (let index = 0; index < answered + failed; index++)
    countInto(tally, { ...facts, outcome: index < answered ? 'answered' : 'failed', costMicroUsd: null });
  return tally;
}

/** Two targets over a day; `both` windows in which both fail half the time. */
export function someWindows(both: number): TargetWindows {
  const windows: TargetWindows = new Map();
  for (let index = 0; index < 288; index++)
    for (const target of ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'])
      for (let request = 0; request < 4; request++)
        noteOutcome(
          windows,
          { target, isOk: index >= both || request % 2 === 0 },
          monthStart + index * windowMs,
        );
  return windows;
}

export function anSlaInput(changes: Partial<SlaInput> = {}): SlaInput {
  return {
    month: '2026-06',
    from: monthStart,
    until: instant(Date.UTC(2026, 6, 1)),
    features: [
      {
        feature: 'notes',
        title: 'Meeting notes',
        route: [
          { target: 'anthropic/claude-opus-4-8', provider: 'anthropic', sla: 0.995 },
          { target: 'openai/gpt-5.2', provider: 'openai', sla: 0.999 },
        ],
        availability: 0.999,
        promised: 0.9999,
      },
    ],
    slaOf: (provider) => (provider === 'anthropic' ? 0.995 : null),
    byFeature: new Map([['notes', someTally(9_995, 5)]]),
    answers: [{ values: ['notes', 'anthropic/claude-opus-4-8'], tally: someTally(10, 0) }],
    windows: someWindows(0),
    intervals: [],
    isCut: false,
    ...changes,
  };
}
