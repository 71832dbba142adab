/** The status page through an outage: what visitors, feed readers and browsers see. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { configuration, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { browserPath, lookAt, lookingMs } from './browser.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
  // Only what differs from the shipped German.
  mkdirSync(join(dirname(house.configPath), 'locales'));
  writeFileSync(
    join(dirname(house.configPath), 'locales/de.yaml'),
    'site:\n  sections: { features: Bausteine }\n',
  );
  house.configure(configuration(house.simulator, { messages: { locales: './locales' } }));
  await house.server.reload();
});
afterAll(() => house.stop());

const file = async (name: string): Promise<Json> =>
  (await (await fetch(`${house.url}/api/v2/${name}.json`)).json()) as Json;

test('a calm page is small, needs no script and can be cached', async () => {
  const response = await fetch(`${house.url}/status`);
  const html = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(html.length).toBeLessThan(30_000);
  expect(html).not.toContain('<script');
  expect(html).toContain('Everything is working normally');
  expect(html).toContain('Meeting notes');
  // The page is made anew when it is a few moments old, and says when that was: whoever is slow asks for another one.
  let status = 0;
  for (let tries = 0; tries < 50 && status !== 304; tries++) {
    const etag = (await fetch(`${house.url}/status`)).headers.get('etag') ?? '';
    ({ status } = await fetch(`${house.url}/status`, { headers: { 'if-none-match': etag } }));
  }
  expect(status).toBe(304);
});

test('it speaks the language of the address, or of the browser, and caches know', async () => {
  const ask = async (path: string, language = 'en'): Promise<Response> =>
    fetch(`${house.url}${path}`, { headers: { 'accept-language': language } });
  const german = await ask('/status', 'fr;q=0.9, de-AT, en;q=0.5');
  expect(german.headers.get('content-language')).toBe('de');
  expect(german.headers.get('vary')).toContain('accept-language');
  const html = await german.text();
  expect(html).toContain('Alles arbeitet normal');
  expect(html).toContain('<h2>Bausteine</h2>');
  const named = await ask('/status?lang=de', 'en');
  expect(named.headers.get('content-language')).toBe('de');
  expect(named.headers.get('vary')).toBeNull();
  expect(named.headers.get('etag')).not.toBe((await ask('/status?lang=en')).headers.get('etag'));
  expect((await ask('/status?lang=xx')).headers.get('content-language')).toBe('en');
  expect((await ask('/status', 'xx, *;q=0.1')).headers.get('content-language')).toBe('en');
});

test('files have the shape that readers of status pages know', async () => {
  const summary = await file('summary');
  expect(summary).toMatchObject({
    page: { id: 'breakwater', time_zone: 'Etc/UTC' },
    status: { indicator: 'none' },
    incidents: [],
    scheduled_maintenances: [],
    x_ai: { state: 'normal' },
  });
  expect((summary['components'] as readonly Json[])[0]).toMatchObject({
    id: 'notes',
    name: 'Meeting notes',
    status: 'operational',
    x_ai: { state: 'normal', preferred: 'anthropic/claude-opus-4-8' },
  });
  for (const name of ['status', 'components', 'incidents', 'incidents/unresolved', 'scheduled-maintenances'])
    expect(await file(name)).toHaveProperty('page');
  expect((await fetch(`${house.url}/api/v2/nothing.json`)).status).toBe(404);
  // Without a configured address it is where it was asked for.
  expect(summary['page']).toMatchObject({ url: `${house.url}/status` });
  const behind = await fetch(`${house.url}/api/v2/status.json`, {
    headers: { 'x-forwarded-proto': 'https' },
  });
  expect(await behind.json()).toMatchObject({
    page: { url: `${house.url.replace('http:', 'https:')}/status` },
  });
});

describe('while a vendor is switched off', () => {
  let html = '';
  beforeAll(async () => {
    await house.admin('POST', 'switches', {
      scope: { vendor: 'anthropic' },
      effect: 'off',
      reason: 'elevated errors <script>',
    });
    html = await (await fetch(`${house.url}/status`)).text();
  });

  test('the page says who works on a backup, who is paused, and why in plain words', async () => {
    expect(html).toContain('working with a backup model');
    expect(html).toContain('paused by us');
    expect(html).toContain('gpt-5.2 answers instead.');
    expect(html).not.toContain('<script');
    const summary = await file('summary');
    expect(summary).toMatchObject({ status: { indicator: 'major' } });
    expect((summary['incidents'] as readonly Json[])[0]).toMatchObject({
      name: 'claude-opus-4-8 is paused by us',
      status: 'identified',
      x_ai: { models: ['claude-opus-4-8'] },
    });
  });

  test.skipIf(browserPath === undefined)(
    'a browser finds nothing wrong',
    async () => {
      for (const each of await lookAt({
        served: `${house.url}/status`,
        past: `${house.url}/status/history`,
        german: `${house.url}/status?lang=de`,
      }))
        expect(each).toMatchObject({ violations: [], isWide: false, complaints: [] });
    },
    lookingMs,
  );
});
