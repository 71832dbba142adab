/** Questions about requests, asked of a running server and from the command line. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
const canary = 'CANARY-7f3a';

async function ask(user: string, feature: string): Promise<string> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01', 'x-breakwater-user': user },
    body: JSON.stringify({
      model: feature,
      max_tokens: 20,
      messages: [{ role: 'user', content: `Hello ${canary}` }],
    }),
  });
  await response.text();
  return response.headers.get('x-breakwater-request-id') ?? '';
}

async function command(...words: string[]): Promise<{ exit: number; text: string }> {
  const said: string[] = [];
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  const exit = await runCommand(words, environment, {
    print: (text) => said.push(text),
    complain: (text) => said.push(text),
  });
  return { exit, text: said.join('\n') };
}

async function text(path: string): Promise<{ status: number; type: string; body: string }> {
  const response = await fetch(`${house.url}/admin/v1/${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: await response.text(),
  };
}

let rescued: string;
beforeAll(async () => {
  house = await startHouse();
  await ask('ann', 'notes');
  await ask('-1', 'notes');
  await ask('bob', 'chat');
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'status', status: 500 } });
  rescued = await ask('ann', 'notes');
  house.simulator.clearFaults();
});
afterAll(() => house.stop());

describe('filters', () => {
  test('by why another answered', async () => {
    const { body } = await house.admin('GET', 'requests?fallback=server_error');
    expect((body['items'] as Json[]).map(({ id }) => id)).toEqual([rescued]);
  });

  test('a page goes on where it ended, whatever came in between', async () => {
    const first = await house.admin('GET', 'requests?limit=2&until=1ms');
    const seen = (first.body['items'] as Json[]).map(({ id }) => id);
    await ask('late', 'chat');
    const second = await house.admin('GET', `requests?limit=200&cursor=${String(first.body['next_cursor'])}`);
    const rest = (second.body['items'] as Json[]).map(({ id }) => id);
    expect(new Set([...seen, ...rest]).size).toBe(4);
    expect(rest).toHaveLength(2);
  });

  test('one that is not known names the nearest', async () => {
    const { status, body } = await house.admin('GET', 'requests?falback=x');
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('fallback')]);
  });
});

describe('statistics', () => {
  test('by two properties', async () => {
    const { body } = await house.admin('GET', 'requests/stats?by=feature,target&user=ann');
    expect(body).toMatchObject({ by: ['feature', 'target'], records: 2, cut: false });
    const items = body['items'] as Json[];
    expect(items).toHaveLength(2);
    const backup = items.find(({ group }) => (group as Json)['target'] === 'openai/gpt-5.2');
    expect(backup).toMatchObject({ requests: 1, answered: 1, rescued: 1, failed: 0 });
    expect(backup).toHaveProperty('duration_ms.p50', expect.any(Number));
  });

  test('from the command line', async () => {
    const { exit, text: said } = await command('requests', 'stats', '--by', 'feature,failure');
    expect([exit, said]).toEqual([0, expect.stringMatching(/notes +server_error +1/)]);
    const wrong = await command('requests', 'stats', '--by', 'faeture');
    expect([wrong.exit, wrong.text]).toEqual([2, expect.stringContaining('did you mean "feature"')]);
  });
});

describe('exports', () => {
  test.each([
    ['ndjson', 'application/x-ndjson'],
    ['csv', 'text/csv'],
    ['ocsf', 'application/x-ndjson'],
    ['cloudevents', 'application/x-ndjson'],
  ])('as %s hold every record that fits and no text of a prompt', async (format, type) => {
    const found = await text(`requests/export?format=${format}&feature=notes`);
    expect([found.status, found.type]).toEqual([200, expect.stringContaining(type)]);
    const lines = found.body.trimEnd().split('\n');
    expect(lines).toHaveLength(format === 'csv' ? 4 : 3);
    expect(found.body).not.toContain(canary);
    if (format === 'csv') expect(found.body).toContain(`"'-1"`);
    else expect(lines.every((line) => typeof JSON.parse(line) === 'object')).toBe(true);
  });

  test('go into a file from the command line', async () => {
    const out = join(house.storePath, '..', 'records.csv');
    const { exit } = await command('requests', 'export', '--format', 'csv', '--user', 'bob', '--out', out);
    expect(exit).toBe(0);
    const written = readFileSync(out, 'utf8');
    expect(written.trimEnd().split('\r\n')).toHaveLength(2);
    expect((await command('requests', 'export', '--format', 'none', '--out', out)).exit).not.toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(written);
  });
});

describe('reports', () => {
  test('of the month are counted from what happened', async () => {
    const { status, body } = await house.admin('GET', 'reports/sla');
    expect(status).toBe(200);
    const notes = (body['features'] as Json[]).find(({ feature }) => feature === 'notes');
    expect(notes).toMatchObject({ requests: 3, failed: 0, availability: 1 });
    const anthropic = (body['providers'] as Json[]).find(({ provider }) => provider === 'anthropic');
    expect(anthropic).toMatchObject({ failed: 1, promised: null });
    expect((await house.admin('GET', 'reports/sla?month=2026-1')).status).toBe(400);
  });

  test('of the month take the time of no refusal for that of an answer', async () => {
    const refused = await fetch(`${house.url}/v1/messages`, {
      method: 'POST',
      headers: { 'anthropic-version': '2023-06-01', 'x-breakwater-data-class': 'unheard-of' },
      body: JSON.stringify({
        model: 'alone',
        max_tokens: 20,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    });
    expect(refused.status).toBe(403);
    const { body } = await house.admin('GET', 'reports/sla');
    const alone = (body['features'] as Json[]).find(({ feature }) => feature === 'alone');
    expect(alone).toMatchObject({
      requests: 1,
      availability: null,
      duration_ms: { p50: null, p99: null },
    });
  });

  test('of continuity name every question, as Markdown and as HTML', async () => {
    const markdown = await text('reports/continuity?format=markdown');
    expect([markdown.status, markdown.type]).toEqual([200, 'text/markdown; charset=utf-8']);
    expect(markdown.body).toContain(String.raw`server\_error`);
    const html = await text('reports/continuity?format=html');
    expect([html.type, html.body]).toEqual(['text/html; charset=utf-8', expect.stringContaining('Chat')]);
    expect((await house.admin('GET', 'reports/continuity')).body).toMatchObject({
      recorded: { mode: 'best_effort' },
    });
  });

  test('from the command line', async () => {
    const { exit, text: said } = await command('report', 'continuity');
    expect([exit, said]).toEqual([0, expect.stringContaining('## Are fallbacks automatic?')]);
    const out = join(house.storePath, '..', 'sla.html');
    expect((await command('report', 'sla', '--format', 'html', '--out', out)).exit).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('<h2>Providers</h2>');
  });

  test('what goes into a file is said as JSON where JSON is asked for', async () => {
    const out = join(house.storePath, '..', 'checkpoint.txt');
    const { exit, text: said } = await command('audit', 'checkpoint', '--out', out, '--json');
    expect([exit, JSON.parse(said)]).toEqual([0, { out }]);
  });
});
