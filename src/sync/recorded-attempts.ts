/** Attempts of records from a file: one record a line, or a list as `breakwater requests --json` prints it. */
import { readFile } from 'node:fs/promises';

import { failureClasses } from '../core/failure.ts';
import type { FailureClass } from '../core/failure.ts';
import type { Recorded } from '../core/playbook-replay.ts';

/** More attempts than this are not read. */
const attemptsMax = 1_000_000;

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : null;
  return Array.isArray(items) ? items : [value];
}

function recordsIn(text: string): readonly unknown[] {
  try {
    return listOf(JSON.parse(text) as unknown);
  } catch {
    return text
      .split('\n')
      .flatMap((line) => (line.trim() === '' ? [] : listOf(JSON.parse(line) as unknown)));
  }
}

function attemptsOf(record: unknown): readonly Omit<Recorded, 'atMs'>[] {
  return typeof record === 'object' &&
    record !== null &&
    'attempts' in record &&
    Array.isArray(record.attempts)
    ? (record.attempts as readonly Record<string, unknown>[]).map((attempt) => ({
        target: String(attempt['target']),
        failure: failureClasses.find((each): each is FailureClass => each === attempt['failure']) ?? null,
      }))
    : [];
}

/** Attempts in the order of time, the first at 0 ms; a text when the file cannot be read. */
export async function readRecorded(path: string): Promise<readonly Recorded[] | string> {
  try {
    const found = recordsIn(await readFile(path, 'utf8')).flatMap((record) => {
      const at = Date.parse(String((record as { at?: unknown } | null)?.at));
      return Number.isNaN(at) ? [] : attemptsOf(record).map((attempt) => ({ ...attempt, atMs: at }));
    });
    const sorted = found.slice(0, attemptsMax).sort((a, b) => a.atMs - b.atMs);
    const [first] = sorted;
    return first === undefined
      ? `${path} holds no records`
      : sorted.map((each) => ({ ...each, atMs: each.atMs - first.atMs }));
  } catch {
    return `${path} cannot be read as records`;
  }
}
