/** Every way to change a store's file in silence, and that verification says where it was done. */
import { Database } from 'bun:sqlite';
import type { SQLQueryBindings } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { verifyExport } from '../bin/verify-audit.js';
import { ledgerKey, madeKey } from '../src/control/ledger-key.ts';
import { exportLedger, signCheckpoint } from '../src/control/ledger.ts';
import type { LedgerDependencies } from '../src/control/ledger.ts';
import { keyText } from '../src/core/checkpoint.ts';
import { instant } from '../src/core/ids.ts';
import { leafPrefix } from '../src/core/merkle.ts';
import { inputBounds, inputsOf, sha256 } from '../src/store/ledger.ts';
import { columnOf, noNumber } from '../src/store/record-columns.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { verifyStore } from '../src/store/verify.ts';
import type { Verified } from '../src/store/verify.ts';
import { aChange, anIncident, aRecord, aRescue, gpt, opus, start } from './record-fixture.ts';

let folder: string;
let path: string;
let notes: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-tamper-'));
  path = join(folder, 'x.db');
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function withStore<T>(
  work: (dependencies: LedgerDependencies, store: Store) => Promise<T>,
): Promise<T> {
  const opened = await openStore(`sqlite:${path}`);
  if (opened.kind === 'failed') throw new Error(opened.message);
  const { store } = opened;
  const signer = await ledgerKey(store, { origin: 'example.com/ledger', signingKey: null });
  if (typeof signer === 'string') throw new Error(signer);
  let ids = 0;
  const result = await work(
    { store, signer, now: () => start, newId: (prefix) => `${prefix}_${ids++}` },
    store,
  );
  await store.close();
  return result;
}

/** 900 records and 3 changes, in batches of 100, with a checkpoint after each; ids by index. */
const fill = (): Promise<readonly string[]> =>
  withStore(async (dependencies, store) => {
    const ids: string[] = [];
    for (let batch = 0; batch < 9; batch++) {
      const records = Array.from({ length: 100 }, (_, index) =>
        aRecord({ at: instant(start + batch * 100 + index), user: `u${index % 7}` }),
      );
      await store.appendRecords(records);
      ids.push(...records.map(({ id }) => id));
      if (batch % 3 === 0) {
        const change = aChange();
        await store.appendChange(change);
        ids.push(change.id);
      }
      notes.push((await signCheckpoint(dependencies)).note);
    }
    return ids;
  });

const verify = (rows = true): Verified => verifyStore(path, { notes, rows, onProgress: () => {} });

function edit(work: (database: Database) => void): void {
  const database = new Database(path);
  work(database);
  database.close();
}

type Block = {
  first: number;
  count: number;
  leaves: Uint8Array<ArrayBuffer>;
  entries: Uint8Array<ArrayBuffer>;
};

/** Takes a block apart, lets somebody at its entries, and puts it together again, with hashes that fit if they are careful. */
function editEntries(
  database: Database,
  index: number,
  change: (texts: string[], at: number) => void,
  careful: boolean,
): void {
  const block = database
    .query<Block, [number]>('SELECT * FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1')
    .get(index);
  if (block === null) throw new Error('no such block');
  const inputs = inputsOf(block);
  const bounds = inputBounds(inputs, block.count);
  const texts = Array.from({ length: block.count }, (_, at) =>
    new TextDecoder().decode(inputs.subarray((bounds[at] ?? 0) + 1, bounds[at + 1])),
  );
  change(texts, index - block.first);
  const joined = texts.map((text) => String.fromCodePoint(leafPrefix) + text);
  const leaves = careful
    ? Buffer.concat(joined.map((text) => sha256(new TextEncoder().encode(text))))
    : block.leaves;
  database
    .query('UPDATE blocks SET leaves = ?, entries = ? WHERE first = ?')
    .run(leaves, Bun.zstdCompressSync(Buffer.from(joined.join(''))), block.first);
}

/** Lets somebody at what is kept of a record beside its entry, in a run that is still being written. */
const editRow =
  (
    leaf: number,
    change: (row: { ids: Uint8Array; columns: Int32Array; count: number }, at: number) => void,
  ) =>
  (database: Database): void => {
    const row = database
      .query<{ first: number; count: number; ids: Uint8Array; columns: Uint8Array }, [number]>(
        'SELECT * FROM open_rows WHERE first <= ? ORDER BY first DESC LIMIT 1',
      )
      .get(leaf);
    if (row === null) throw new Error('no such row');
    const columns = new Int32Array(new Uint8Array(row.columns).buffer);
    change({ ids: row.ids, columns, count: row.count }, leaf - row.first);
    database
      .query('UPDATE open_rows SET ids = ?, columns = ? WHERE first = ?')
      .run(row.ids, new Uint8Array(columns.buffer), row.first);
  };

const sqlEdit =
  (sql: string, ...values: SQLQueryBindings[]) =>
  (database: Database): void =>
    void database.query(sql).run(...values);

const lie = (texts: string[], at: number): void => {
  texts[at] = (texts[at] ?? '').replace('"outcome":"answered"', '"outcome":"failed"');
};
const swap = (texts: string[], at: number): void => {
  [texts[at], texts[at + 1]] = [texts[at + 1] ?? '', texts[at] ?? ''];
};

test('an untouched store holds, with and without its rows', async () => {
  await fill();
  for (const rows of [true, false])
    expect(verify(rows)).toMatchObject({ size: 903, erased: 0, checkpoints: 18, findings: [] });
});

type Case = readonly [
  what: string,
  touch: (database: Database) => void,
  problem: Verified['findings'][number]['problem'],
  from: number,
  to: number,
];

const cases: readonly Case[] = [
  ['an entry is edited', (db) => editEntries(db, 250, lie, false), 'entry_changed', 250, 250],
  [
    'an entry is edited and its hash with it',
    (db) => editEntries(db, 250, lie, true),
    'hashes_changed',
    0,
    255,
  ],
  [
    'an entry is edited, its hash and those above it',
    (db) => {
      editEntries(db, 250, lie, true);
      db.run('DELETE FROM subtrees');
    },
    'forked',
    201,
    300,
  ],
  ['two entries change places', (db) => editEntries(db, 350, swap, false), 'entry_changed', 350, 350],
  [
    'two entries change places with their hashes',
    (db) => editEntries(db, 350, swap, true),
    'row_changed',
    350,
    350,
  ],
  [
    'an entry is taken out',
    (db) => editEntries(db, 120, (texts, at) => void (texts[at] = ''), false),
    'erased_unrecorded',
    120,
    120,
  ],
  ['a block is deleted', sqlEdit('DELETE FROM blocks WHERE first = 101'), 'entries_missing', 101, 164],
  ['the end is cut off', sqlEdit('DELETE FROM blocks WHERE first >= 803'), 'truncated', 803, 902],
  [
    'the end is cut off, with the checkpoints that were kept of it',
    (db) => {
      db.run('DELETE FROM blocks WHERE first >= 803');
      db.run('DELETE FROM checkpoints');
    },
    'truncated',
    803,
    902,
  ],
  [
    'another history is written over the end',
    (db) => {
      const [from, to] = [502, 703];
      const other = db.query<Block, [number]>('SELECT * FROM blocks WHERE first = ?').get(from);
      if (other === null) throw new Error('no such block');
      db.query('UPDATE blocks SET leaves = ?, entries = ? WHERE first = ?').run(
        other.leaves,
        other.entries,
        to,
      );
      db.run('DELETE FROM subtrees');
    },
    'forked',
    703,
    802,
  ],
  [
    'a row is deleted, so that nobody finds the record',
    editRow(400, ({ ids }, at) => ids.fill(0, at * 16, at * 16 + 16)),
    'row_missing',
    400,
    400,
  ],
  [
    'a row is changed, so that a filter lies',
    editRow(405, ({ columns, count }, at) => void (columns[columnOf('served') * count + at] = noNumber)),
    'row_changed',
    405,
    405,
  ],
  [
    'a row is put where a change is',
    sqlEdit(
      'INSERT INTO open_rows SELECT 401, 1, substr(ids, 1, 16), substr(columns, 1, 84) FROM open_rows WHERE first = 301',
    ),
    'row_changed',
    401,
    401,
  ],
  [
    'the row of a change is deleted',
    sqlEdit('DELETE FROM changes WHERE leaf = 100'),
    'row_missing',
    100,
    100,
  ],
  [
    'a block cannot be read',
    sqlEdit("UPDATE blocks SET entries = x'00' WHERE first = 201"),
    'entry_changed',
    201,
    264,
  ],
];

test.each(cases)('%s', async (_what, touch, problem, from, to) => {
  const ids = await fill();
  edit(touch);
  const { findings } = verify();
  const found = findings.find((each) => each.problem === problem);
  expect(found).toMatchObject({ from, to });
  // An entry that was put in another's place is named as itself.
  if (found?.id !== null && found !== undefined) expect(ids.slice(from, to + 2)).toContain(found.id);
});

describe('in a run that is full', () => {
  const fillRun = (): Promise<void> =>
    withStore(async (_dependencies, store) => {
      for (let at = 0; at < 4_500; at += 250)
        await store.appendRecords(
          Array.from({ length: 250 }, (_, index) =>
            aRecord({
              at: instant(start + at + index),
              user: `u${index % 7}`,
              outcome: index === 9 ? 'failed' : 'answered',
            }),
          ),
        );
    });

  function editPart(part: number, change: (bytes: Uint8Array) => void): void {
    edit((database) => {
      const found = database
        .query<{ bytes: Uint8Array }, [number]>('SELECT bytes FROM run_parts WHERE part = ?')
        .get(part);
      if (found === null) throw new Error('no such part');
      change(found.bytes);
      database.query('UPDATE run_parts SET bytes = ? WHERE part = ?').run(found.bytes, part);
    });
  }
  const findings = () => verify().findings.map(({ problem, from, to }) => [problem, from, to]);

  test('nothing is found when nothing was touched', async () => {
    await fillRun();
    expect(findings()).toEqual([]);
  });
  test('a row that is gone', async () => {
    await fillRun();
    editPart(63, (ids) => ids.fill(0, 1_234 * 16, 1_235 * 16));
    expect(findings()).toContainEqual(['row_missing', 1_234, 1_234]);
  });
  test('a column that lies', async () => {
    await fillRun();
    editPart(columnOf('duration_ms'), (cells) => cells.fill(1, 77 * 4, 78 * 4));
    expect(findings()).toEqual([['row_changed', 77, 77]]);
  });
  test.each([
    ['set', 'UPDATE run_sets SET places = zeroblob(2) WHERE key = (SELECT max(key) FROM run_sets)'],
    ['set that is gone', 'DELETE FROM run_sets WHERE key = (SELECT max(key) FROM run_sets)'],
    ['set that was added', "INSERT INTO run_sets (run, key, places) VALUES (0, 99999999, x'0000')"],
  ])('a %s, so that a filter lies', async (_what, sql) => {
    await fillRun();
    edit(sqlEdit(sql));
    expect(findings()).toEqual([['row_changed', 0, 4_095]]);
  });
});

test('what is erased as it should be is accounted for, and the rest still verifies', async () => {
  await fill();
  await withStore(async (_dependencies, store) => {
    const change = () => aChange({ kind: 'records.expired', after: null });
    expect(await store.expire([{ dataClass: null, before: instant(start + 150) }], 1_000, change())).toBe(
      150,
    );
    const erased = await store.eraseUser('u3', aChange({ kind: 'records.erased', after: null }));
    expect(erased.kind === 'erased' ? erased.records : 0).toBeGreaterThan(90);
  });
  const verified = verify();
  expect(verified.findings).toEqual([]);
  expect(verified.erased).toBeGreaterThan(240);
});

const exported = (): Promise<readonly string[]> =>
  withStore(async (dependencies) => {
    const pieces: string[] = [];
    for await (const piece of exportLedger(dependencies)) pieces.push(piece);
    return pieces.join('').trimEnd().split('\n');
  });

type Line = { index?: number; hash?: string; entry?: string | null; checkpoint?: string };
const isEntry = (line: string, index: number): boolean => (JSON.parse(line) as Line).index === index;

test('an export verifies without us; every edit of it is found and located', async () => {
  await fill();
  const lines = await exported();
  expect(await verifyExport(lines)).toMatchObject({ size: 903, checkpoints: 9, findings: [] });
  const problems = async (changed: readonly string[], held: readonly string[] = notes) =>
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
  const other = await ledgerKey(
    { ledgerKey: () => Promise.resolve(madeKey()), ledgerOrigin: (made) => Promise.resolve(made) },
    { origin: 'example.com/ledger', signingKey: null },
  );
  if (typeof other === 'string') throw new Error(other);
  const { findings } = await verifyExport(lines, { key: keyText(sha256, other.key) });
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
    return verifyExport(lines, { held: notes });
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
    const { findings } = await verifyExport(lines, { held: notes });
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
    notes.push((await signCheckpoint(dependencies)).note);
  });
  const lines = (await exported()).map((line) =>
    isEntry(line, 250) ? JSON.stringify({ ...(JSON.parse(line) as Line), entry: null }) : line,
  );
  expect((await verifyExport(lines)).findings).toEqual([
    expect.objectContaining({ problem: 'erased_unrecorded', from: 250, to: 250 }),
  ]);
});

describe('the command holds a store against the key it is given', () => {
  const command = (...words: string[]) => {
    const main = join(import.meta.dir, '../src/main.ts');
    const store = ['--store', `sqlite:${path}`];
    const ran = Bun.spawnSync([process.execPath, main, 'audit', 'verify', ...store, ...words, '--json']);
    return { exit: ran.exitCode, out: ran.stdout.toString(), err: ran.stderr.toString() };
  };
  const keys = async () => {
    const [{ key }] = (await exported()).map((line) => JSON.parse(line) as { key: string }) as [
      { key: string },
    ];
    const made = await ledgerKey(
      { ledgerKey: () => Promise.resolve(madeKey()), ledgerOrigin: (origin) => Promise.resolve(origin) },
      { origin: 'example.com/ledger', signingKey: null },
    );
    if (typeof made === 'string') throw new Error(made);
    return { own: key, other: keyText(sha256, made.key) };
  };

  test('its own, another one, and what is none', async () => {
    await fill();
    const { own, other } = await keys();
    expect(command('--key', own)).toMatchObject({ exit: 0, err: '' });
    const wrong = command('--key', other);
    expect(wrong.exit).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({ holds: false });
    expect(wrong.out).toContain('checkpoint_unsigned');
    expect(command('--key', 'nothing')).toMatchObject({ exit: 1, out: '' });
  });

  test('one whose checkpoints are gone does not hold', async () => {
    await fill();
    edit((db) => db.run('DELETE FROM checkpoints'));
    const { exit, out } = command();
    expect(exit).toBe(1);
    expect(out).toContain('checkpoint_missing');
  });

  test('a file without a checkpoint is not what was meant', async () => {
    await fill();
    const file = join(folder, 'held.txt');
    await Bun.write(file, 'nothing\n');
    expect(command('--checkpoint', file)).toMatchObject({ exit: 1, out: '' });
  });
});

test('the requests of a reviewed incident are held against their digest', async () => {
  const records = [aRescue(), aRescue(), aRescue()];
  const { incident } = anIncident();
  const said = (state: string, lines: string | null) => ({
    id: incident.id,
    state,
    request_set: lines === null ? null : { hash: sha256(new TextEncoder().encode(lines)).toHex() },
  });
  const lines = records
    .map(({ id }) => `${id} rescued\n`)
    .toSorted()
    .join('');
  const review = (after: unknown): Promise<void> =>
    withStore(async (_dependencies, store) =>
      store.appendChange(aChange({ kind: 'incident.updated', after })),
    );
  await withStore(async (_dependencies, store) => {
    await store.appendRecords(records);
    await store.addHits(
      records.map(({ id: request, at }) => ({
        incident: incident.id,
        request,
        at,
        feature: 'notes',
        preferred: opus,
        how: 'rescued' as const,
        served: gpt,
        leftTo: [],
      })),
    );
  });
  await review(said('reviewed', lines));
  expect(verify().findings).toEqual([]);
  const missing = { problem: 'request_set_changed', from: 3, to: 3, id: incident.id };
  edit((db) =>
    db.run(
      "UPDATE incident_hits SET how = 'failed' WHERE request = (SELECT min(request) FROM incident_hits)",
    ),
  );
  expect(verify().findings).toEqual([expect.objectContaining(missing)]);
  edit((db) => db.run('DELETE FROM incident_hits'));
  expect(verify().findings).toEqual([expect.objectContaining(missing)]);
  // Opened again, its requests are no longer those of the review.
  await review(said('active', lines));
  expect(verify().findings).toEqual([]);
});

test('where two histories were signed over as many entries, the fork lies behind what both have', async () => {
  await fill();
  const [older = ''] = notes.slice(-2);
  const forked = join(folder, 'other.db');
  copyFileSync(path, forked);
  const goOn = (): Promise<string> =>
    withStore(async (dependencies, store) => {
      await store.appendRecords([aRecord()]);
      return (await signCheckpoint(dependencies)).note;
    });
  const elsewhere = await goOn();
  rmSync(path);
  renameSync(forked, path);
  await goOn();
  const where = { problem: 'forked', from: 903, to: 903 };
  const found = verifyStore(path, { notes: [older, elsewhere], rows: true, onProgress: () => {} });
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
