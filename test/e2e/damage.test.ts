/** A store that is damaged, full or read only: the server starts, says so, serves, and comes back. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { configuration, eventually, simulated, startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { serveProcess } from './serve-process.ts';
import type { ServeProcess } from './serve-process.ts';

let house: House;
let secret: string;
beforeEach(async () => {
  house = await startHouse({ audit: { checkpoints: { every: '1s' } } });
});
afterEach(() => house.stop());

const asked = (url: string, key: string, model = 'notes'): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
  });

const heldOut = 'aws/claude-opus-4-8';

/** Keys, a switch, a gate that is held and many records: enough pages to damage the middle of. */
async function live(): Promise<void> {
  const made = await house.admin('POST', 'keys', { name: 'k', features: ['notes', 'solo'] });
  secret = String(made.body['secret']);
  const held = await house.admin('POST', `gates/${heldOut}/hold`, { reason: 'so that it stays out' });
  expect(held.status).toBe(200);
  await house.admin('POST', 'switches', {
    scope: { provider: 'anthropic' },
    reason: 'so that it stays off',
    failure_class: 'availability',
  });
  for (let round = 0; round < 30; round++) await (await asked(house.url, secret)).text();
  await house.server.engine.records.flush();
}

function overwrite(path: string, from: (size: number) => number, length: (size: number) => number): void {
  const random = seededRandom(3);
  const file = openSync(path, 'r+');
  const { size } = fstatSync(file);
  const bytes = Uint8Array.from({ length: length(size) }, () => Math.floor(random() * 256));
  writeSync(file, bytes, 0, bytes.length, from(size));
  closeSync(file);
}

const standing = async (): Promise<unknown> => (await house.admin('GET', 'audit')).body['standing'];

/** Keys still hold, what was switched off stays off, what was out stays out, and records wait. */
async function servesOn(): Promise<string> {
  const answer = await asked(house.url, secret);
  expect([answer.status, answer.headers.get('x-breakwater-target')]).toEqual([200, 'openai/gpt-5.2']);
  await answer.text();
  expect((await asked(house.url, 'bw_unknown')).status).toBe(401);
  const { targets } = (await house.admin('GET', 'state')).body as { targets: readonly Json[] };
  const { gate } = targets.find(({ target }) => target === heldOut) as { gate: Json };
  expect(gate['state']).toBe('ejected');
  return answer.headers.get('x-breakwater-request-id') ?? '';
}

describe('a file that cannot be read', () => {
  test.each([
    [
      'its header is overwritten',
      (path: string) =>
        overwrite(
          path,
          () => 0,
          () => 200,
        ),
    ],
    [
      'all of it is',
      (path: string) =>
        overwrite(
          path,
          () => 0,
          (size) => size,
        ),
    ],
    [
      'its middle is',
      (path: string) =>
        overwrite(
          path,
          () => 4_096,
          (size) => size - 8_192,
        ),
    ],
    ['it is empty', (path: string) => truncateSync(path, 0)],
    ['it is cut in the middle of a page', (path: string) => truncateSync(path, 9_000)],
  ])(
    '%s: traffic flows, records wait, and a person moves it aside',
    async (_what, damage) => {
      await live();
      const { storePath } = house;
      house = await house.restart(() => damage(storePath));
      const before = readFileSync(storePath);
      expect(await standing()).toBe('damaged');
      expect(house.logs.join('')).toContain('"standing":"damaged"');
      const id = await servesOn();
      await until(() => house.server.engine.records.counts().spooled > 0, 'the record is spooled');
      expect((await house.admin('GET', `requests/${id}`)).status).toBe(503);
      expect((await house.admin('GET', 'requests')).status).toBe(503);
      const off = { scope: { provider: 'openai' }, reason: 'not now', failure_class: 'availability' };
      const refused = await house.admin('POST', 'switches', off);
      expect(refused.status).toBe(503);
      // Whoever must switch now is told how, at once.
      expect(JSON.stringify(refused.body)).toContain('breakwater audit acknowledge --reason');
      expect(readFileSync(storePath).equals(before)).toBe(true);
      house = await house.restart();
      expect(await standing()).toBe('damaged');
      await servesOn();

      const seen = await house.admin('POST', 'audit/acknowledge', { reason: 'the disk is being replaced' });
      expect(seen.status).toBe(200);
      expect(await standing()).toBe('sound');
      expect((await house.admin('POST', 'switches', { ...off, scope: { provider: 'nobody' } })).status).toBe(
        201,
      );
      await until(() => house.server.engine.records.counts().spooled === 0, 'the spool is empty');
      expect((await house.admin('GET', `requests/${id}`)).status).toBe(200);
      const [acknowledged] = ((await house.admin('GET', 'changes')).body['items'] as readonly Json[]).filter(
        ({ kind }) => kind === 'ledger.acknowledged',
      );
      const { moved_to: aside } = (acknowledged ?? {})['after'] as { moved_to: string };
      expect(readFileSync(aside).equals(before)).toBe(true);
      house = await house.restart();
      expect(await standing()).toBe('sound');
      await servesOn();
      expect((await house.admin('GET', `requests/${id}`)).status).toBe(200);
    },
    150_000,
  );

  test('a page anywhere: it starts, and answers', async () => {
    await live();
    const { storePath } = house;
    await house.server.stop();
    const whole = readFileSync(storePath);
    const pages = whole.length / 8_192;
    for (let page = 0; page < pages; page++) {
      for (const ending of ['-wal', '-shm', '.spool', '.checkpoint.new'])
        rmSync(`${storePath}${ending}`, { force: true });
      writeFileSync(storePath, whole);
      overwrite(
        storePath,
        () => page * 8_192,
        () => 8_192,
      );
      const again = await house.restart();
      expect((await asked(again.url, secret)).status).toBe(200);
      await again.server.stop();
    }
    house = await house.restart();
  }, 240_000);

  test('without a copy of what is known it starts too, and says that', async () => {
    await live();
    const { storePath } = house;
    house = await house.restart(() => {
      overwrite(
        storePath,
        () => 0,
        () => 200,
      );
      rmSync(`${storePath}.standby`);
    });
    expect((await house.admin('GET', 'audit')).body['words']).toContain('there is no copy of them');
  });
});

test('damage found while it runs is said, and mended the same way, without a restart', async () => {
  await live();
  const { engine, store } = house.server;
  const head = store.treeHead.bind(store);
  Object.assign(store, {
    treeHead: () => Promise.reject(new StoreUnavailable('failed', 'database disk image is malformed')),
  });
  await until(() => house.logs.join('').includes('"standing":"damaged"'), 'the damage is said', 90_000);
  Object.assign(store, { treeHead: head });
  const id = await servesOn();
  await until(() => engine.records.counts().spooled > 0, 'the record is spooled');
  expect((await house.admin('POST', 'audit/acknowledge', { reason: 'seen' })).status).toBe(200);
  await until(() => engine.records.counts().spooled === 0, 'the spool is empty');
  expect((await house.admin('GET', `requests/${id}`)).status).toBe(200);
  const folder = dirname(house.storePath);
  expect(readdirSync(folder).some((name) => name.startsWith(`${basename(house.storePath)}.damaged-`))).toBe(
    true,
  );
}, 120_000);

type Place = { readonly config: string; readonly path: string };
const variables = { KEY_A: 'key-a', KEY_O: 'key-o', KEY_W: 'key-w' };

/** A server as a process of its own, in a folder of its own. */
async function aside(use: (place: Place) => Promise<void>, on: string | null = null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-damage-'));
  const simulator = await startSimulator({ seed: 1, providers: simulated });
  const config = join(folder, 'breakwater.yaml');
  writeFileSync(config, JSON.stringify(configuration(simulator)));
  try {
    await use({ config, path: join(on ?? folder, `${Bun.randomUUIDv7()}.db`) });
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const serve = ({ config, path }: Place): Promise<ServeProcess> =>
  serveProcess(config, `sqlite:${path}`, variables);

const standingOf = async (server: ServeProcess): Promise<unknown> =>
  (await server.admin('GET', 'audit'))['standing'];

const isSound = (server: ServeProcess): Promise<boolean> =>
  eventually(async () => (await standingOf(server)) === 'sound', 'it is sound');

test.each([
  [
    'its head',
    (path: string) =>
      overwrite(
        path,
        () => 0,
        () => 32,
      ),
  ],
  [
    'its middle',
    (path: string) =>
      overwrite(
        path,
        (size) => Math.floor(size / 2),
        () => 4_096,
      ),
  ],
  [
    'all of it',
    (path: string) =>
      overwrite(
        path,
        () => 0,
        (size) => size,
      ),
  ],
])(
  'a log of writes in which %s is damaged after a kill: it starts, and says what is gone',
  (_what, damage) =>
    aside(async (place) => {
      let server = await serve(place);
      for (let round = 0; round < 30; round++) await (await asked(server.url, 'any')).text();
      await server.admin('GET', 'audit/checkpoint');
      await server.kill();
      expect(existsSync(`${place.path}-wal`)).toBe(true);
      damage(`${place.path}-wal`);
      server = await serve(place);
      expect(['truncated', 'damaged']).toContain((await standingOf(server)) as string);
      expect((await asked(server.url, 'any')).status).toBe(200);
      await server.admin('POST', 'audit/acknowledge', { reason: 'power was lost' });
      expect(await standingOf(server)).toBe('sound');
      await server.kill();
    }),
  120_000,
);

const mounted = mkdtempSync(join(tmpdir(), 'breakwater-mounted-'));
const mayMount =
  Bun.which('mount') !== null &&
  Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mounted]).exitCode === 0;
afterAll(() => {
  if (mayMount && Bun.spawnSync(['umount', mounted]).exitCode !== 0) Bun.spawnSync(['umount', '-l', mounted]);
  rmSync(mounted, { recursive: true, force: true });
});

const remount = (how: 'ro' | 'rw') => Bun.spawnSync(['mount', '-o', `remount,${how}`, mounted]);
const filler = join(mounted, 'filler');
const fill = (): void => void Bun.spawnSync(['sh', '-c', `cat /dev/zero > ${filler}`], { stderr: 'ignore' });

describe.skipIf(!mayMount)('a disk that cannot be written at start', () => {
  test.each([
    ['read only', () => void remount('ro'), () => void remount('rw')],
    ['full', fill, () => rmSync(filler)],
  ])(
    '%s: it starts, says so, and writes again when it can, without a restart',
    (_what, spoil, mend) =>
      aside(async (place) => {
        let server = await serve(place);
        await (await asked(server.url, 'any')).text();
        await server.admin('GET', 'audit/checkpoint');
        await server.kill();
        spoil();
        server = await serve(place);
        expect(await standingOf(server)).toBe('unwritable');
        const answer = await asked(server.url, 'any');
        expect(answer.status).toBe(200);
        await answer.text();
        mend();
        await isSound(server);
        const id = answer.headers.get('x-breakwater-request-id');
        const isThere = async (): Promise<boolean> =>
          (await server.admin('GET', `requests/${id}`))['id'] === id;
        await eventually(isThere, 'the record is there');
        await server.kill();
      }, mounted),
    120_000,
  );

  test(
    'too full for a new store: it starts all the same, and makes it when there is room',
    () =>
      aside(async (place) => {
        fill();
        const server = await serve(place);
        expect(await standingOf(server)).toBe('unwritable');
        expect((await asked(server.url, 'any')).status).toBe(200);
        rmSync(filler);
        await isSound(server);
        expect(existsSync(place.path)).toBe(true);
        await server.kill();
      }, mounted),
    120_000,
  );
});
