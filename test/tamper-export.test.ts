/** Exports that were edited, cut, renumbered or signed by another, and forks: each is found, located and named. */
import { describe, expect, test } from 'bun:test';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { verifyExport } from '../bin/verify-audit.js';
import { signCheckpoint } from '../src/control/ledger.ts';
import { sha256 } from '../src/store/ledger.ts';
import { verifyStore } from '../src/store/verify.ts';
import { aChange, aRecord } from './record-fixture.ts';
import { anotherKey, groundForEach, isEntry } from './tamper-fixture.ts';
import type { Line } from './tamper-fixture.ts';

const ground = groundForEach();
const { exported, fill, withStore } = ground;

test('an export verifies without us; every edit of it is found and located', async () => {
  await fill();
  const lines = await exported();
  expect(await verifyExport(lines)).toMatchObject({ size: 903, checkpoints: 9, findings: [] });
  const problems = async (changed: readonly string[], held: readonly string[] = ground.notes) =>
    (await verifyExport(changed, { held })).findings.map(({ problem, from, to }) => [problem, from, to]);
  const at = lines.findIndex((line) => isEntry(line, 250));
  const edited = lines.with(
    at,
    (lines[at] ?? '').replace(String.raw`\"told\":\"none\"`, String.raw`\"told\":\"notice\"`),
  );
  expect(await problems(edited)).toEqual([['entry_changed', 250, 250]]);
  const line = JSON.parse(edited[at] ?? '') as { entry: string };
  const hash = sha256(new TextEncoder().encode(`\0${line.entry}`)).toHex();
  expect(await problems(lines.with(at, JSON.stringify({ ...line, hash })))).toEqual([['forked', 201, 300]]);
  expect(await problems(lines.toSpliced(at, 1))).toContainEqual(['entries_missing', 250, 250]);
  expect(await problems(lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? ''))).toContainEqual([
    'entries_missing',
    250,
    250,
  ]);
  expect(await problems(lines.slice(0, -100))).toEqual([['truncated', 803, 902]]);
  const withoutNotes = lines.filter((each) => (JSON.parse(each) as Line).checkpoint === undefined);
  expect(await problems(withoutNotes.slice(0, -100))).toEqual([['truncated', 803, 902]]);
});

test('lines of an export that cannot be read any more are located as well', async () => {
  await fill();
  const lines = await exported();
  const at = lines.findIndex((line) => isEntry(line, 250));
  const { index, hash, entry } = JSON.parse(lines[at] ?? '') as Line;
  for (const broken of [
    (lines[at] ?? '').slice(0, -9),
    '7',
    JSON.stringify({ index, hash }),
    JSON.stringify({ index, entry }),
  ]) {
    const { size, findings } = await verifyExport(lines.with(at, broken));
    expect(size).toBe(903);
    expect(findings).toContainEqual(
      expect.objectContaining({
        problem: 'entry_changed',
        from: 250,
        to: 250,
        words: expect.stringContaining(`line ${at + 1} `),
      }),
    );
  }
  for (const other of [-1, Number.MAX_SAFE_INTEGER, '250'])
    expect(
      (await verifyExport(lines.with(at, JSON.stringify({ index: other, hash, entry })))).findings,
    ).toEqual([expect.objectContaining({ problem: 'entries_reordered', from: 250, to: 250 })]);
  const noteAt = lines.findIndex((line) => (JSON.parse(line) as Line).checkpoint !== undefined);
  const noNote = lines.with(noteAt, JSON.stringify({ checkpoint: 'none' }));
  expect((await verifyExport(noNote)).findings).toEqual([
    expect.objectContaining({
      problem: 'checkpoint_unsigned',
      words: expect.stringContaining('cannot be read'),
    }),
  ]);
});

test('an export that another key signed does not pass for ours', async () => {
  await fill();
  const lines = await exported();
  const { findings } = await verifyExport(lines, { key: await anotherKey() });
  expect(findings.map(({ problem }) => problem)).toContain('checkpoint_unsigned');
});

describe('an export whose lines were told other numbers', () => {
  type Numbered = readonly [what: string, number: (index: number) => unknown];
  const located = async (renumber: (index: number) => unknown, from = 0) => {
    await fill();
    const lines = (await exported()).map((line) => {
      const value = JSON.parse(line) as Line;
      const isMeant = value.index !== undefined && value.index >= from;
      return isMeant ? JSON.stringify({ ...value, index: renumber(value.index ?? 0) }) : line;
    });
    return verifyExport(lines, { held: ground.notes });
  };

  test.each<Numbered>([
    ['one more', (index) => index + 1],
    ['far away', (index) => index + 20_000_000],
    ['twice as much', (index) => index * 2],
    ['backwards', (index) => 902 - index],
    ['all the same', () => 0],
    ['below nothing', (index) => index - 903],
    ['text', String],
  ])('%s: found where it begins, once', async (what, number) => {
    const { size, findings } = await located(number);
    const from = what === 'all the same' || what === 'twice as much' ? 1 : 0;
    expect(findings.map(({ problem, from: first, to }) => [problem, first, to])).toEqual([
      ['entries_reordered', from, 902],
    ]);
    expect(findings[0]?.words).toContain('in the order of their lines they are what was signed');
    expect(size).toBe(903);
  });

  test('from the middle on', async () => {
    const { findings } = await located((index) => index + 7, 450);
    expect(findings.map(({ problem, from, to }) => [problem, from, to])).toEqual([
      ['entries_reordered', 450, 902],
    ]);
  });

  test('with an edit among them, nothing is taken for what was signed', async () => {
    await fill();
    const lines = (await exported()).flatMap((line) => {
      const { index = -1, ...rest } = JSON.parse(line) as Line;
      if (index === 250) return [];
      return index < 0 ? [line] : [JSON.stringify({ ...rest, index: index + 20_000_000 })];
    });
    const { findings } = await verifyExport(lines, { held: ground.notes });
    expect(findings[0]).toMatchObject({ problem: 'entries_reordered', from: 0 });
    expect(findings).toContainEqual(expect.objectContaining({ problem: 'forked', from: 201, to: 300 }));
  });
});

describe('checkpoints of an export', () => {
  const careful = async (): Promise<{ entries: readonly string[]; heads: readonly string[] }> => {
    await fill();
    const lines = await exported();
    const at = lines.findIndex((line) => isEntry(line, 250));
    const line = JSON.parse(lines[at] ?? '') as { entry: string };
    const entry = line.entry.replace('"told":"none"', '"told":"notice"');
    const hash = sha256(new TextEncoder().encode(`\0${entry}`)).toHex();
    const edited = lines.with(at, JSON.stringify({ ...line, entry, hash }));
    const isHead = (each: string) => (JSON.parse(each) as Line).index === undefined;
    return { heads: edited.filter(isHead), entries: edited.filter((each) => !isHead(each)) };
  };

  test('that stand behind their entries hold no less, or it is said', async () => {
    const { heads, entries } = await careful();
    const [first = '', ...checkpoints] = heads;
    expect((await verifyExport([first, ...entries, ...checkpoints])).findings).toEqual([
      expect.objectContaining({ problem: 'forked', from: 0, to: 902 }),
    ]);
    expect((await verifyExport([first, ...entries, ...checkpoints.slice(0, -1)])).findings).toEqual([
      expect.objectContaining({ problem: 'checkpoint_missing', from: 0, to: 902 }),
    ]);
  });

  test('that are taken out leave entries that nothing holds, and that is said', async () => {
    const { heads, entries } = await careful();
    expect((await verifyExport([...heads.slice(0, 3), ...entries])).findings).toEqual([
      expect.objectContaining({ problem: 'checkpoint_missing', from: 201, to: 902 }),
    ]);
  });
});

test('only an entry of an erasure accounts for one, whatever others say of themselves', async () => {
  await fill();
  await withStore(async (dependencies, store) => {
    const leaves = { kind: 'records.erased', leaves: [[0, 900]] };
    await store.appendChange(aChange({ kind: 'write.rejected', after: leaves }));
    ground.notes.push((await signCheckpoint(dependencies)).note);
  });
  const lines = (await exported()).map((line) =>
    isEntry(line, 250) ? JSON.stringify({ ...(JSON.parse(line) as Line), entry: null }) : line,
  );
  expect((await verifyExport(lines)).findings).toEqual([
    expect.objectContaining({ problem: 'erased_unrecorded', from: 250, to: 250 }),
  ]);
});

test('where two histories were signed over as many entries, the fork lies behind what both have', async () => {
  await fill();
  const [older = ''] = ground.notes.slice(-2);
  const forked = join(ground.folder, 'other.db');
  copyFileSync(ground.path, forked);
  const goOn = (): Promise<string> =>
    withStore(async (dependencies, store) => {
      await store.appendRecords([aRecord()]);
      return (await signCheckpoint(dependencies)).note;
    });
  const elsewhere = await goOn();
  rmSync(ground.path);
  renameSync(forked, ground.path);
  await goOn();
  const where = { problem: 'forked', from: 903, to: 903 };
  const found = verifyStore(ground.path, { notes: [older, elsewhere], rows: true, onProgress: () => {} });
  expect(found.findings).toEqual([expect.objectContaining(where)]);
  for (const held of [[elsewhere], [older, elsewhere]])
    expect((await verifyExport(await exported(), { held })).findings).toEqual([
      expect.objectContaining(where),
    ]);
  const lines = await exported();
  expect((await verifyExport([...lines, JSON.stringify({ checkpoint: elsewhere })])).findings).toEqual([
    expect.objectContaining(where),
  ]);
});
