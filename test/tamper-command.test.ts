/** `audit verify` holds a store against the key it is given; a reviewed incident, against the digest of its requests. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';

import { sha256 } from '../src/store/ledger.ts';
import { aChange, anIncident, aRescue, gpt, opus } from './record-fixture.ts';
import { anotherKey, groundForEach } from './tamper-fixture.ts';

const ground = groundForEach();
const { edit, exported, fill, verify, withStore } = ground;

describe('the command holds a store against the key it is given', () => {
  const command = (...words: string[]) => {
    const main = join(import.meta.dir, '../src/main.ts');
    const store = ['--store', `sqlite:${ground.path}`];
    const ran = Bun.spawnSync([process.execPath, main, 'audit', 'verify', ...store, ...words, '--json']);
    return { exit: ran.exitCode, out: ran.stdout.toString(), err: ran.stderr.toString() };
  };
  const keys = async () => {
    const [{ key }] = (await exported()).map((line) => JSON.parse(line) as { key: string }) as [
      { key: string },
    ];
    return { own: key, other: await anotherKey() };
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
    const file = join(ground.folder, 'held.txt');
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
