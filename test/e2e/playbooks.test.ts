/** Playbooks over real sockets: an outage at a simulated provider, a run that switches, asks and restores. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { adminToken, configuration, eventually, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const playbook = `
name: opus-fails
title: Opus fails
agreed: { by: [platform], on: 2026-05-01, review: 30d }
match: { scope: { vendor: anthropic }, when: { failureRate: '>= 20%', requests: '>= 2', window: 2m } }
cooldown: 1h
decide:
  - otherwise:
      - switch: { scope: { model: $model }, effect: off, expiresIn: 1h }
      - incident: { class: availability, severity: SEV2 }
      - ask: { question: Shall the provider go too?, timeout: 10m, otherwise: skip_rest }
      - switch: { scope: { provider: $provider }, effect: off, expiresIn: 1h }
      - wait: 1h
`;

let house: House;
beforeEach(async () => {
  house = await startHouse((simulator) => ({ ...configuration(simulator), playbooks: './playbooks-*.yaml' }));
});
afterEach(() => house.stop());

const itemsOf = (body: Json): readonly Json[] => body['items'] as readonly Json[];
const runNow = (where: (run: Json) => boolean, what: string): Promise<Json> =>
  eventually(async () => itemsOf((await house.admin('GET', 'runs')).body).find(where) ?? null, what);

async function failTwice(times: number): Promise<void> {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  for (let count = 0; count < times; count++)
    await house.anthropic.messages
      .create({ model: 'notes', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] })
      .catch(() => null);
}

test('an outage begins a run: it switches, asks, and does what a person says', async () => {
  writeFileSync(join(dirname(house.configPath), 'playbooks-one.yaml'), playbook);
  await house.server.reload();
  const listed = itemsOf((await house.admin('GET', 'playbooks')).body);
  expect(listed).toMatchObject([{ name: 'opus-fails', source: 'file', run: null }]);
  expect(listed[0]?.['stale']).toContain('was to be reviewed');
  const plan = await house.admin('POST', 'playbooks/opus-fails/run', {
    reason: 'only looking',
    dry_run: true,
  });
  expect(plan).toMatchObject({ status: 200, body: { dry_run: true, rule: 1 } });
  expect(itemsOf((await house.admin('GET', 'runs')).body)).toEqual([]);

  await failTwice(8);
  const asking = await runNow((run) => run['state'] === 'asking', 'the run asks');
  expect(asking).toMatchObject({ playbook: 'opus-fails', question: 'Shall the provider go too?' });
  const first = itemsOf((await house.admin('GET', 'switches')).body);
  expect(first).toMatchObject([{ scope: { model: 'claude-opus-4-8' }, created_by: 'playbook opus-fails' }]);
  expect(asking['switches']).toEqual([first[0]?.['id']]);

  const incident = await house.admin('GET', `incidents/${String(asking['incident'])}`);
  expect(incident.body).toMatchObject({ severity: 'SEV2', failure_class: 'availability' });
  expect(JSON.stringify(incident.body['timeline'])).toContain('playbook opus-fails');

  // The link of the question: looking changes nothing, a forged one leads nowhere.
  const { createApprovals } = await import('../../src/wiring/approvals.ts');
  const stored = await house.server.store.loadRuns();
  const { pageOf } = createApprovals(
    { runs: () => stored } as never,
    await house.server.store.fingerprintKey(),
  );
  const step = stored.map(({ id: run, at, rounds }) => `${run}/${at}/${rounds}`)[0] ?? '';
  const link = `${house.url}/status${pageOf(step)}`;
  const shown = await fetch(link);
  expect([shown.status, await shown.text()]).toEqual([
    200,
    expect.stringContaining('Shall the provider go too?'),
  ]);
  expect((await fetch(`${link}x`)).status).toBe(404);
  const nameless = await fetch(link, {
    method: 'POST',
    body: new URLSearchParams({ answer: 'approve', reason: 'fine' }),
  });
  expect(nameless.status).toBe(400);

  const id = String(asking['id']);
  expect(
    (await house.admin('POST', `runs/${id}/answer`, { answer: 'maybe', reason: 'not sure' })).status,
  ).toBe(400);
  const form = { by: 'maria', answer: 'approve', reason: 'two versions are sick' };
  expect((await fetch(link, { method: 'POST', body: new URLSearchParams(form) })).status).toBe(200);
  expect((await fetch(link)).status).toBe(404);
  await eventually(
    async () => (itemsOf((await house.admin('GET', 'switches')).body).length === 2 ? true : null),
    'the provider is off',
  );
  const changes = itemsOf((await house.admin('GET', 'changes?limit=100')).body).map(
    (change) => change['kind'],
  );
  for (const kind of [
    'playbook.started',
    'playbook.step',
    'playbook.notified',
    'playbook.told',
    'switch.created',
  ])
    expect(changes).toContain(kind);
  const over = await house.admin('POST', `runs/${id}/abort`, { reason: 'the test is over' });
  expect(over.body).toMatchObject({ state: 'aborted' });
  expect((await house.admin('POST', `runs/${id}/abort`, { reason: 'again' })).status).toBe(409);
});

test('a playbook that is handed in is kept, tested and run; a broken one is refused with its place', async () => {
  const broken = await house.admin('POST', 'playbooks', {
    text: playbook.replace('otherwise:', 'otherwize:'),
  });
  expect(broken.status).toBe(400);
  expect(JSON.stringify(broken.body)).toContain('otherwize');
  expect((await house.admin('POST', 'playbooks', { text: playbook })).status).toBe(201);
  const one = await house.admin('GET', 'playbooks/opus-fails');
  expect(one.body).toMatchObject({ source: 'store', text: playbook });
  expect(String(one.body['mermaid'])).toStartWith('flowchart TD');
  expect((await house.admin('POST', 'playbooks/opus-fails/test')).body).toMatchObject({
    ok: true,
    tests: [],
  });
  const begun = await house.admin('POST', 'playbooks/opus-fails/run', { reason: 'a rehearsal' });
  expect(begun.status).toBe(201);
  expect((await house.admin('POST', 'playbooks/opus-fails/run', { reason: 'again' })).status).toBe(409);
  expect((await house.admin('POST', 'playbooks/nothing/run', { reason: 'again' })).status).toBe(404);
});

test('while a test of many hours is played, requests are answered', async () => {
  const text = readFileSync(join(import.meta.dir, '../../examples/playbooks/vendor-off.yaml'), 'utf8');
  expect((await house.admin('POST', 'playbooks', { text })).status).toBe(201);
  const order: string[] = [];
  const played = house.admin('POST', 'playbooks/vendor-off/test').then(({ body }) => {
    order.push('played');
    return body;
  });
  for (const each of ['first', 'second', 'third']) {
    await (await fetch(`${house.url}/healthz`)).text();
    order.push(each);
  }
  expect(await played).toMatchObject({ playbook: 'vendor-off' });
  expect(order).toEqual(['first', 'second', 'third', 'played']);
});

test('a playbook rehearses, and says how it went', async () => {
  const text = `
name: rehearsal
agreed: { by: [platform], on: 2026-05-01 }
automatic: false
match: { scope: { vendor: anthropic }, when: { requests: '>= 0' } }
decide:
  - otherwise:
      - drill: loss-of:anthropic
`;
  expect((await house.admin('POST', 'playbooks', { text })).status).toBe(201);
  await house.admin('POST', 'playbooks/rehearsal/run', { reason: 'every month' });
  const run = await runNow((each) => each['state'] === 'done', 'the drill is over');
  expect(JSON.stringify(run['log'])).toMatch(/rehearsed loss-of:anthropic: (?:what|a claim)/);
});

test('what was decided on another version of a playbook, or another step of a run, is refused', async () => {
  const call = (path: string, body: unknown, tag: string | null = null) =>
    fetch(`${house.url}/admin/v1/${path}`, {
      method: body === null ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(tag === null ? {} : { 'if-match': tag }),
      },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
  const tagOf = (answer: Response): string => answer.headers.get('etag') ?? 'none';
  const text = playbook.replace('opus-fails', 'kept');
  const first = tagOf(await call('playbooks', { text }));
  expect(first).toMatch(/^".+"$/);
  const second = tagOf(await call('playbooks', { text: `${text}\n` }, first));
  expect(second).not.toBe(first);
  expect((await call('playbooks', { text }, first)).status).toBe(412);
  expect(tagOf(await call('playbooks/kept', null))).toBe(second);
  expect((await call('playbooks', { text: playbook.replace('opus-fails', 'new') }, first)).status).toBe(412);

  const started = await call('playbooks/kept/run', { reason: 'a test' });
  const { id } = (await started.json()) as Json;
  const path = `runs/${String(id)}`;
  expect((await call(`${path}/pause`, { reason: 'look' }, '"999"')).status).toBe(412);
  const paused = await call(`${path}/pause`, { reason: 'look' }, '*');
  expect(paused.status).toBe(200);
  expect(tagOf(await call(path, null))).toBe(tagOf(paused));
  expect((await call(`${path}/abort`, { reason: 'done' }, tagOf(paused))).status).toBe(200);
});
