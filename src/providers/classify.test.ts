/** What each provider's answers mean: every file under `fixtures/<api>/` is one answer and what must be made of it. */
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { failureClasses } from '../core/failure.ts';
import { providerApis } from '../core/target.ts';
import type { Dialect, ProviderApi } from '../core/target.ts';
import { codecFor } from '../dialects/registry.ts';
import { failureMatrix, matrixLines } from './failure-matrix.ts';
import { adapterFor } from './registry.ts';

type Fixture = {
  readonly name: string;
  readonly source: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly expect: {
    readonly class: string;
    readonly code: string | null;
    readonly retryAfterMs: number | null;
  };
};

const folder = join(import.meta.dir, 'fixtures');
const now = Date.parse('2026-11-21T00:00:00Z');
/** Whose words an API's errors come in. */
const dialectOf: Partial<Record<string, Dialect>> = {
  anthropic: 'anthropic-messages',
  bedrock: 'anthropic-messages',
  vertex: 'anthropic-messages',
  google: 'gemini',
};
const apis = readdirSync(folder) as ProviderApi[];

test('every API has its fixtures', () => {
  expect([...apis].sort()).toEqual([...providerApis].sort());
});

const fixturesOf = (api: string): readonly Fixture[] =>
  readdirSync(join(folder, api)).map(
    (file) => JSON.parse(readFileSync(join(folder, api, file), 'utf8')) as Fixture,
  );

test('every class of every API has a fixture, or a reason why it has none', () => {
  const rows = failureMatrix(
    (api, failureClass) =>
      fixturesOf(api).filter(({ expect: { class: got } }) => got === failureClass).length,
  );
  process.stdout.write(`${matrixLines(rows).join('\n')}\n`);
  const wrong = rows.flatMap(({ failureClass, cells }) =>
    cells.flatMap(({ api, cell }) =>
      cell.kind === 'hole' && cell.reason === null ? [`${api} has no fixture of ${failureClass}`] : [],
    ),
  );
  expect(wrong).toEqual([]);
});

describe.each(apis)('%s', (api) => {
  const adapter = adapterFor(api);
  const dialect = dialectOf[api] ?? 'openai-chat';

  test.each(fixturesOf(api).map((fixture) => [fixture.name, fixture] as const))('%s', (_name, fixture) => {
    const headers = new Headers({ ...fixture.headers });
    const text = typeof fixture.body === 'string' ? fixture.body : null;
    const words =
      text === null
        ? (adapter.readError?.(fixture.body, headers) ?? codecFor(dialect).readError(fixture.body))
        : null;
    const failure = adapter.classify(
      { status: fixture.status, headers, words, bodyStart: text ?? JSON.stringify(fixture.body) },
      now,
    );
    expect({ class: failure.class, code: failure.code, retryAfterMs: failure.retryAfterMs }).toEqual(
      fixture.expect as never,
    );
  });

  test('every fixture says where it is from and expects a class that exists', () => {
    for (const fixture of fixturesOf(api)) {
      expect(fixture.source).toStartWith('https://');
      expect(failureClasses as readonly string[]).toContain(fixture.expect.class);
    }
  });
});
