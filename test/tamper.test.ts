/** Every way to change a store's file in silence, and that verification says where it was done. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';

import { instant } from '../src/core/ids.ts';
import { leafPrefix } from '../src/core/merkle.ts';
import { inputBounds, inputsOf, sha256 } from '../src/store/ledger.ts';
import { columnOf, noNumber } from '../src/store/record-columns.ts';
import type { Verified } from '../src/store/verify.ts';
import { aChange, aRecord, start } from './record-fixture.ts';
import { groundForEach } from './tamper-fixture.ts';

const ground = groundForEach();
const { edit, fill, verify, withStore } = ground;

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

const lie = (texts: string[], at: number): void => {
  texts[at] = (texts[at] ?? '').replace('"outcome":"answered"', '"outcome":"failed"');
};

const swap = (texts: string[], at: number): void => {
  [texts[at], texts[at + 1]] = [texts[at + 1] ?? '', texts[at] ?? ''];
};

const sqlEdit =
  (sql: string, ...values: SQLQueryBindings[]) =>
  (database: Database): void =>
    void database.query(sql).run(...values);

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
