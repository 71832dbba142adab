/** The ledger of a running server: proofs that others verify, holders of checkpoints, and what a lost end does at start. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, test } from 'bun:test';
import { createPublicKey } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { notesIn, verifyExport } from '../../bin/verify-audit.js';
import { readEnvironment } from '../../src/config.ts';
import { startServer } from '../../src/app.ts';
import type { RunningServer } from '../../src/app.ts';
import { checkpointFromText, keyFromText, noteFromText, proofFromText } from '../../src/core/checkpoint.ts';
import { hashLeaf } from '../../src/core/merkle.ts';
import { sha256 } from '../../src/store/ledger.ts';
import { verifyStore } from '../../src/store/verify.ts';
import { adminToken, startHouse, until } from '../harness.ts';
import type { House } from '../harness.ts';

const root = resolve(import.meta.dir, '../..');
let house: House | null = null;
const folders: string[] = [];
afterEach(async () => {
  await house?.stop();
  house = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-audit-'));
  folders.push(folder);
  return folder;
};

async function ask(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  return response.headers.get('x-breakwater-request-id') ?? '';
}

async function textOf(url: string, path: string): Promise<string> {
  const response = await fetch(`${url}/admin/v1/${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(response.status).toBe(200);
  return response.text();
}

/** The verifier as an auditor runs it: Node, one file, somewhere else. */
async function offline(
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly text: string }> {
  const folder = newFolder();
  cpSync(join(root, 'bin/verify-audit.js'), join(folder, 'verify-audit.mjs'));
  const child = Bun.spawn(['node', join(folder, 'verify-audit.mjs'), ...words], {
    stdout: 'pipe',
    stderr: 'inherit',
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const text = await new Response(child.stdout).text();
  return { code: await child.exited, text };
}

async function keyOf(url: string): Promise<string> {
  const [head = ''] = (await textOf(url, 'audit/export')).split('\n');
  return (JSON.parse(head) as { key: string }).key;
}

test('one request is proved, and the proof is verified offline by one file without dependencies', async () => {
  house = await startHouse();
  for (let count = 0; count < 5; count++) await ask(house.url);
  const id = await ask(house.url);
  await ask(house.url);
  const folder = newFolder();
  const path = join(folder, 'proof.txt');
  writeFileSync(path, await textOf(house.url, `audit/proof/${id}`));
  const key = await keyOf(house.url);
  const held = await offline(path, '--key', key);
  expect(held.code).toBe(0);
  expect(held.text).toContain(id);
  const proof = readFileSync(path, 'utf8');
  writeFileSync(path, proof.replace(/^index \d+/m, 'index 0'));
  expect((await offline(path, '--key', key)).code).toBe(1);
});

test('an export is verified offline, with a checkpoint that was held elsewhere', async () => {
  const folder = newFolder();
  const heldPath = join(folder, 'held', 'checkpoints.txt');
  house = await startHouse({ audit: { checkpoints: { file: heldPath } } });
  await ask(house.url);
  await textOf(house.url, 'audit/checkpoint');
  await ask(house.url);
  const path = join(folder, 'ledger.ndjson');
  writeFileSync(path, await textOf(house.url, 'audit/export'));
  const held = await offline(path, '--checkpoint', heldPath, '--key', await keyOf(house.url));
  expect(held.text).toContain('It holds.');
  expect(held.code).toBe(0);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  writeFileSync(path, `${lines.filter((line) => !line.includes('"index":0,')).join('\n')}\n`);
  expect((await offline(path, '--checkpoint', heldPath)).code).toBe(1);
});

/** Parts of an independent implementation that its package does not offer at the front. */
type SigstoreEntry = {
  readonly canonicalizedBody: Buffer;
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly hashes: readonly Buffer[];
    readonly checkpoint: { readonly envelope: string };
  };
};
type SigstoreCheckpoint = { readonly logSize: bigint; readonly logHash: Buffer };

test('checkpoints and proofs are verified by an independent implementation', async () => {
  const { verifyCheckpoint } = (await import('@sigstore/verify/dist/tlog/checkpoint.js')) as unknown as {
    verifyCheckpoint: (entry: SigstoreEntry, logs: readonly unknown[]) => SigstoreCheckpoint;
  };
  const { verifyMerkleInclusion } = (await import('@sigstore/verify/dist/tlog/merkle.js')) as unknown as {
    verifyMerkleInclusion: (entry: SigstoreEntry, checkpoint: SigstoreCheckpoint) => void;
  };
  house = await startHouse({ audit: { origin: 'example.com/ledger' } });
  const ids: string[] = [];
  for (let count = 0; count < 9; count++) ids.push(await ask(house.url));
  const key = keyFromText(sha256, await keyOf(house.url));
  if (key === null) throw new Error('no key');
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.publicKey]),
    format: 'der',
    type: 'spki',
  });
  const note = noteFromText(await textOf(house.url, 'audit/checkpoint'));
  const logs = [{ logID: Buffer.from(note?.signatures[0]?.keyId ?? []), baseURL: key.name, publicKey }];
  for (const id of ids) {
    const proof = proofFromText(await textOf(house.url, `audit/proof/${id}`));
    if (proof?.entry === undefined || proof.entry === null) throw new Error('no proof');
    const entry: SigstoreEntry = {
      canonicalizedBody: Buffer.from(proof.entry),
      inclusionProof: {
        logIndex: String(proof.index),
        hashes: proof.path.map((hash) => Buffer.from(hash)),
        checkpoint: { envelope: proof.checkpoint },
      },
    };
    const checkpoint = verifyCheckpoint(entry, logs);
    verifyMerkleInclusion(entry, checkpoint);
    const lie = { ...entry, canonicalizedBody: Buffer.from(proof.entry.replace('answered', 'failed')) };
    expect(() => verifyMerkleInclusion(lie, checkpoint)).toThrow();
  }
});

test('the leaf that a record shows is the hash of its entry, and the file verifies beside the running server', async () => {
  house = await startHouse();
  const id = await ask(house.url);
  const record = (await house.admin('GET', `requests/${id}`)).body as {
    leaf: { index: number; hash: string };
  };
  const proof = proofFromText(await textOf(house.url, `audit/proof/${id}`));
  const entry = new TextEncoder().encode(proof?.entry ?? '');
  expect(hashLeaf(sha256, entry).toHex()).toBe(record.leaf.hash);
  expect(proof?.index).toBe(record.leaf.index);
  const verified = verifyStore(house.storePath, { notes: [], rows: true, onProgress: () => {} });
  expect(verified.findings).toEqual([]);
  expect(verified.size).toBeGreaterThan(record.leaf.index);
});

test('checkpoints go to a webhook and to an object store, and a holder that fails is said in the log', async () => {
  const received: { readonly path: string; readonly method: string; readonly text: string }[] = [];
  const holder = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url);
      received.push({ path: pathname, method: request.method, text: await request.text() });
      return new Response(null, { status: pathname === '/broken' ? 500 : 200, headers: { etag: '"x"' } });
    },
  });
  const address = `http://127.0.0.1:${holder.port}`;
  house = await startHouse({
    audit: {
      checkpoints: {
        every: '1s',
        webhook: `${address}/hook`,
        s3: {
          bucket: 'ledger',
          prefix: 'p/',
          endpoint: address,
          region: 'us-east-1',
          accessKeyId: 'env:KEY_A',
          secretAccessKey: 'env:KEY_B',
        },
      },
    },
  });
  await ask(house.url);
  await until(
    () => received.some(({ path }) => path === '/hook') && received.some(({ method }) => method === 'PUT'),
    'both have one',
  );
  const put = received.find(({ method }) => method === 'PUT');
  expect(put?.path).toMatch(/^\/ledger\/p\/checkpoint-\d{15}\.txt$/);
  for (const { text } of received) expect(checkpointFromText(text)?.size).toBeGreaterThan(0);
  expect(house.logs.join('')).not.toContain('"event":"checkpoint"');
  await holder.stop(true);
  await ask(house.url);
  await until(() => house?.logs.join('').includes('"event":"checkpoint"') === true, 'it is said');
});

async function startOn(configPath: string, store: string, logs: string[]): Promise<RunningServer> {
  const started = await startServer({
    configPath,
    listen: '127.0.0.1:0',
    store: `sqlite:${store}`,
    environment: readEnvironment({
      KEY_A: 'a',
      KEY_B: 'b',
      KEY_O: 'o',
      KEY_W: 'w',
      KEY_G: 'g',
      KEY_AWS: 'AKIASIMULATED0000001:x',
      KEY_AWS_WRONG: 'AKIASIMULATED0000001:y',
      KEY_AWS_BEARER: 'z',
      KEY_GOOGLE: 'g',
      KEY_AZURE: 'z',
      BREAKWATER_ADMIN_TOKEN: adminToken,
    }),
    write: (line) => void logs.push(line),
    show: () => {},
  });
  if (started.kind === 'failed') throw new Error(started.lines.join('\n'));
  return started.server;
}

test('a ledger whose end is gone is said at start; nothing is written until somebody acknowledges it, and traffic flows', async () => {
  house = await startHouse();
  for (let count = 0; count < 5; count++) await ask(house.url);
  await textOf(house.url, 'audit/checkpoint');
  const folder = newFolder();
  const store = join(folder, 'x.db');
  for (const ending of ['', '-wal', '.checkpoint'])
    cpSync(`${house.storePath}${ending}`, `${store}${ending}`);
  const database = new Database(store);
  database.run('DELETE FROM blocks WHERE first >= 1');
  database.run('DELETE FROM checkpoints');
  database.close();
  const logs: string[] = [];
  const server = await startOn(house.configPath, store, logs);
  const admin = (path: string, body?: unknown): Promise<Response> =>
    fetch(`${server.url}/admin/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${adminToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  try {
    expect(logs.join('')).toContain('"standing":"truncated"');
    expect(await (await admin('audit')).json()).toMatchObject({ standing: 'truncated' });
    const id = await ask(server.url);
    expect(id).toStartWith('req_');
    const off = { scope: { provider: 'anthropic' }, reason: 'a try while nothing is written' };
    expect((await admin('switches', off)).status).toBe(503);
    await until(() => server.engine.records.counts().spooled > 0, 'the record waits on disk');
    const acknowledged = await admin('audit/acknowledge', { reason: 'restored from a backup' });
    expect(acknowledged.status).toBe(200);
    await until(() => server.engine.records.counts().spooled === 0, 'the record is written');
    expect((await admin(`requests/${id}`)).status).toBe(200);
    expect((await admin('switches', off)).status).toBe(201);
    expect(await (await admin('changes')).text()).toContain('ledger.acknowledged');
    expect((await admin('audit/acknowledge', { reason: 'once more' })).status).toBe(409);
  } finally {
    await server.stop();
  }
  expect(verifyStore(store, { notes: [], rows: true, onProgress: () => {} }).findings).toEqual([]);
});

test('one user is erased on request: nothing of them is found, everything verifies', async () => {
  house = await startHouse();
  const send = async (user: string): Promise<string> => {
    const response = await fetch(`${house?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-breakwater-user': user },
      body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'x' }] }),
    });
    await response.text();
    return response.headers.get('x-breakwater-request-id') ?? '';
  };
  const gone = await send('user-to-forget-4711');
  const stays = await send('user-who-stays');
  const erased = await house.admin('POST', 'audit/erase', {
    user: 'user-to-forget-4711',
    reason: 'asked to',
  });
  expect(erased.body).toEqual({ records: 1, contents: 0 });
  expect((await house.admin('GET', `requests/${gone}`)).status).toBe(404);
  expect((await house.admin('GET', `requests/${stays}`)).status).toBe(200);
  const lines = (await textOf(house.url, 'audit/export')).trimEnd().split('\n');
  expect(lines.join('\n')).not.toContain('user-to-forget-4711');
  expect(await verifyExport(lines)).toMatchObject({ erased: 1, findings: [] });
  const records = async (format: string): Promise<string> =>
    textOf(house?.url ?? '', `audit/export?format=${format}`);
  expect(await records('ndjson')).toBe(`${lines.join('\n')}\n`);
  expect((await records('csv')).split('\n')[1]).toStartWith(`${stays},`);
  for (const format of ['ocsf', 'cloudevents'])
    expect(JSON.parse((await records(format)).split('\n')[0] ?? '')).toBeObject();
  const changes = (await house.admin('GET', 'changes')).body as { items: { kind: string; reason: string }[] };
  expect(changes.items[0]).toMatchObject({ kind: 'records.erased', reason: 'asked to' });
});

test('records whose time is over are erased, by class, and the store still verifies', async () => {
  house = await startHouse({
    dataClasses: { brief: {}, internal: { training: 'no' } },
    audit: { retention: { default: '400d', brief: '1s' } },
  });
  const send = async (dataClass: string): Promise<string> => {
    const response = await fetch(`${house?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-breakwater-data-class': dataClass },
      body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'x' }] }),
    });
    await response.text();
    return response.headers.get('x-breakwater-request-id') ?? '';
  };
  const brief = await send('brief');
  const long = await ask(house.url);
  await house.server.engine.records.flush();
  const isGone = async (id: string): Promise<boolean> =>
    (await house?.server.store.findRecord(id)) === null && (await house?.server.store.leafOf(id)) === null;
  for (let tries = 0; tries < 1_000 && !(await isGone(brief)); tries++) await Bun.sleep(50);
  expect(await isGone(brief)).toBe(true);
  expect(await isGone(long)).toBe(false);
  const verified = verifyStore(house.storePath, { notes: [], rows: true, onProgress: () => {} });
  expect(verified).toMatchObject({ erased: 1, findings: [] });
});

test('prompts, answers, keys and errors of providers are nowhere in what is kept or shown', async () => {
  const canary = 'CANARY-b7f1-purple-heron';
  house = await startHouse();
  const body = (model: string): string =>
    JSON.stringify({ model, messages: [{ role: 'user', content: `say ${canary}` }], user: 'u1' });
  for (const model of ['notes', 'chat', 'default'])
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses']) {
      const response = await fetch(`${house.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${canary}` },
        body: body(model),
      });
      await response.text();
    }
  const folder = join(house.storePath, '..');
  await textOf(house.url, 'audit/checkpoint');
  const exported = await textOf(house.url, 'audit/export');
  const metrics = await (await fetch(`${house.url}/metrics`)).text();
  const listed = JSON.stringify((await house.admin('GET', 'requests')).body);
  for (const text of [exported, metrics, listed, house.logs.join('')])
    for (const secret of [canary, 'key-a', 'key-o', adminToken]) expect(text).not.toContain(secret);
  await house.server.engine.records.flush();
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.yaml')) continue;
    const bytes = readFileSync(join(folder, name)).toString('latin1');
    expect(bytes.includes(canary)).toBe(false);
  }
  expect(notesIn(readFileSync(`${house.storePath}.checkpoint`, 'utf8'))).toHaveLength(1);
});
