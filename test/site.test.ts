/** The public site as files, checked by the specialists' own readers: an HTML validator, feed parsers, a calendar parser. */
import { describe, expect, test } from 'bun:test';

import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith';
import { HtmlValidate } from 'html-validate';
import ICAL from 'ical.js';

import { parseFeed } from '../src/feeds/parse.ts';
import { aSite, aStory, noon, overStory } from './site-fixture.ts';
import { englishSite } from '../src/core/site-words.ts';
import { copiesOf, copyOf, placeAt, siteFile } from '../src/site/files.ts';
import { link, pathOf, publicLink } from '../src/site/site.ts';
import type { Site } from '../src/site/site.ts';
import { statusFiles } from '../src/site/statuspage-json.ts';

const site = aSite();
const body = (path: string, from: Site = site): string => {
  const place = placeAt(path);
  const file = place === null ? null : siteFile(place, from);
  if (file === null) throw new Error(`there is nothing at ${path}`);
  return file.body;
};
const json = (path: string): Record<string, unknown> => JSON.parse(body(path)) as Record<string, unknown>;

const validator = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:a11y'],
  rules: { 'no-inline-style': 'off', 'void-style': 'off', 'long-title': 'off', 'attr-quotes': 'off' },
});

describe('pages', () => {
  const pages = ['/status', '/status/history', `/status/incidents/${aStory().id}`];

  test.each(pages)('%s is valid HTML', async (path) => {
    const report = await validator.validateString(body(path));
    const found = report.results.flatMap(({ messages }) =>
      messages.map(({ ruleId, message, line, column }) => `${line}:${column} ${ruleId}: ${message}`),
    );
    expect(found).toEqual([]);
  });

  test.each(pages)('%s has no script, and shows text of others as text', (path) => {
    expect(body(path)).not.toMatch(/<script|onload=|javascript:/i);
  });

  // oxfmt-ignore
  test.each([
    ['an ordinary day',                        aSite({ stories: [] })],
    ['a bad day',                              site],
    ['six features with 90 eventful days',     aSite({ eventful: true })],
    ['thirty features with 90 eventful days',  aSite({ features: 30, eventful: true })],
    ['hundreds of features and incidents',     aSite({ features: 300, eventful: true, stories: Array.from({ length: 300 }, (_, n) => ({ ...overStory(1), id: `inc_${n}`, isOpen: n < 50 })) })],
  ])('the front page is at most 30 KB on %s', (_words, given) => {
    expect(Buffer.byteLength(body('/status', given))).toBeLessThanOrEqual(30_000);
  });

  test('an incident says class, models, backup and share, data, five times, next update', () => {
    const html = body(`/status/incidents/${aStory().id}`);
    for (const words of [
      'Requests to the model fail. This says nothing about how well it answers.',
      'Models affected: claude-opus-4-7 and claude-opus-4-8.',
      'gpt-5.2 answered instead for 38 % of its requests meanwhile.',
      'Some content was processed by another company: OpenAI.',
      'At worst: some requests fail.',
      'Normal routing has not resumed yet.',
      'We noticed',
      'The provider announced it',
      'Next update by',
    ])
      expect(html).toContain(words);
  });

  test('the six states have exactly their words', () => {
    for (const words of [
      'working normally',
      'working with a backup model',
      'slower than usual',
      'some requests fail',
      'paused by us',
      'not available',
    ])
      expect(body('/status')).toContain(` ${words}</span>`);
  });

  test('the page never says a bare "degraded"', () => {
    for (const path of pages) expect(body(path)).not.toMatch(/degraded/i);
  });

  test('colours and logo are the operator’s', () => {
    const html = body('/status', aSite({ settings: { css: ':root{--accent:#c00}' } }));
    expect(html).toContain(':root{--accent:#c00}</style>');
    expect(html).toContain('<img src="data:image/svg+xml');
  });
});

describe('feeds are read by others', () => {
  test('Atom', () => {
    const feed = parseAtomFeed(body('/status/feed.atom'));
    expect(feed.entries).toHaveLength(3);
    const nowhere = body('/status/feed.atom', aSite({ settings: { url: null } }));
    expect([feed, parseAtomFeed(nowhere)].map(({ id }) => URL.canParse(id ?? ''))).toEqual([true, true]);
    expect(feed.entries?.[0]).toMatchObject({
      id: 'urn:uuid:01975000-0000-7000-8000-000000000001',
      title: { value: 'Claude Opus 4.7 and 4.8 are failing' },
      links: [{ href: `https://status.acme.example/status/incidents/${aStory().id}` }],
    });
  });

  test('RSS', () => {
    const feed = parseRssFeed(body('/status/feed.rss'));
    expect(feed.items).toHaveLength(3);
    expect(new Date(feed.items?.[0]?.pubDate ?? '').toISOString()).toBe('2026-06-07T11:50:00.000Z');
    expect(feed.items?.[0]?.pubDate).toStartWith('Sun, 07 Jun 2026');
    expect(feed.items?.[0]?.description).toContain('We look into failures <script>.');
  });

  test('JSON Feed', () => {
    const feed = parseJsonFeed(json('/status/feed.json'));
    expect(feed.items?.[0]).toMatchObject({ tags: ['availability', 'identified'] });
  });

  test('a calendar', () => {
    const text = body('/status/calendar.ics');
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    const events = new ICAL.Component(ICAL.parse(text) as never[])
      .getAllSubcomponents('vevent')
      .map((part) => new ICAL.Event(part));
    expect(events.map((event) => event.summary)).toEqual([
      'Database move; short pauses, all regions',
      'claude-opus-4-7 may be retired',
    ]);
    expect(events[0]?.description).toBe('Answers may take longer.\nNothing to do, “really” – äöü 雪.');
    expect(events[0]?.startDate.toJSDate().toISOString()).toBe('2026-06-10T12:00:00.000Z');
    expect(events[1]?.startDate.isDate).toBe(true);
  });

  test('a badge', () => {
    expect(body('/status/badge.svg')).toContain('aria-label="Acme AI status: not available"');
    expect(json('/status/badge/f0.json')).toEqual({
      schemaVersion: 1,
      label: 'Meeting notes',
      message: 'working with a backup model',
      color: '1d4f91',
      isError: false,
      cacheSeconds: 60,
    });
    expect(siteFile({ badge: 'none' }, site)).toBeNull();
  });
});

describe('Statuspage v2', () => {
  test('what is open and what is over, what is planned and what goes on', () => {
    const counts = Object.fromEntries(
      statusFiles.map((file) => {
        const found = json(`/api/v2/${file}.json`);
        const list = (found['incidents'] ??
          found['scheduled_maintenances'] ??
          found['components']) as unknown;
        return [file, Array.isArray(list) ? list.length : null];
      }),
    );
    // Of the incidents two are of gates and switches that no incident tells of.
    expect(counts).toEqual({
      summary: 3,
      status: null,
      components: 6,
      incidents: 5,
      'incidents/unresolved': 3,
      'scheduled-maintenances': 2,
      'scheduled-maintenances/upcoming': 2,
      'scheduled-maintenances/active': 0,
    });
  });

  test('what that shape cannot say stands in x_ai', () => {
    const { incidents } = json('/api/v2/incidents.json') as { incidents: Record<string, unknown>[] };
    expect(incidents.find(({ id }) => id === aStory().id)).toMatchObject({
      status: 'identified',
      impact: 'major',
      // As it was at each update, and not as it is now.
      incident_updates: [
        {
          status: 'identified',
          affected_components: [
            { code: 'f0', old_status: 'partial_outage', new_status: 'operational' },
            { code: 'f4', old_status: 'major_outage', new_status: 'major_outage' },
          ],
        },
        {
          status: 'investigating',
          affected_components: [
            { code: 'f0', old_status: 'operational', new_status: 'partial_outage' },
            { code: 'f4', old_status: 'operational', new_status: 'major_outage' },
          ],
        },
      ],
      components: [{ id: 'f0', status: 'operational' }, { id: 'f4' }],
      x_ai: {
        failure_class: 'availability',
        features: [{ feature: 'f0', state: 'backup', worst: 'partial', backup: 'gpt-5.2', share: 0.384 }, {}],
        fallback: { used: true, to: ['gpt-5.2'] },
        data_boundary: { crossed: true, companies: ['OpenAI'] },
        times: { detected: '2026-06-07T11:10:00.000Z', normal_routing_resumed: null },
      },
    });
  });
});

describe('a reader that was made for the pages of others', () => {
  test.each(['summary', 'incidents', 'incidents/unresolved', 'components', 'status'])(
    'reads %s without special cases',
    async (file) => {
      const read = await parseFeed(new TextEncoder().encode(body(`/api/v2/${file}.json`)), noon);
      expect(read).toMatchObject({ kind: 'read' });
    },
  );

  test('and finds how it is, what goes on, and that a good day is good', async () => {
    const read = await parseFeed(new TextEncoder().encode(body('/api/v2/summary.json')), noon);
    expect(read).toMatchObject({ kind: 'read', status: 'major_outage', writtenAt: noon });
    const incidents = read.kind === 'read' ? read.incidents : [];
    expect(incidents.find(({ title }) => title === aStory().title)).toMatchObject({
      id: aStory().id,
      declaredAt: aStory().startedAt,
      resolvedAt: null,
    });
    const calm = aSite({ features: 0, stories: [] });
    const good: Site = { ...calm, page: { ...calm.page, events: [], overall: 'normal' } };
    expect(await parseFeed(new TextEncoder().encode(body('/api/v2/summary.json', good)), noon)).toMatchObject(
      {
        kind: 'read',
        status: 'operational',
        incidents: [],
      },
    );
  });

  test('also our Atom and RSS', async () => {
    for (const path of ['/status/feed.atom', '/status/feed.rss'])
      expect(await parseFeed(new TextEncoder().encode(body(path)), noon)).toMatchObject({ kind: 'read' });
  });
});

describe('in another language', () => {
  const german = aSite({ locale: 'de', eventful: true });
  const pages = ['/status', '/status/history', `/status/incidents/${aStory().id}`] as const;
  /** The page's own English, with nothing filled in. */
  const ours = Object.values(englishSite).flatMap((texts) =>
    Object.values(texts).filter((text) => text.length > 12 && !text.includes('{')),
  );

  test.each(pages)('%s speaks it throughout, is valid HTML, and leads to the others', async (path) => {
    const html = body(path, german);
    expect(html).toStartWith('<!DOCTYPE html>\n<html lang="de">');
    for (const text of ours) expect(html).not.toContain(text);
    const report = await validator.validateString(html);
    expect(report.results.flatMap(({ messages }) => messages.map(({ message }) => message))).toEqual([]);
    expect(html).toContain(`?lang=en" hreflang="en" lang="en">English</a>`);
    expect(Buffer.byteLength(html)).toBeLessThan(path === '/status' ? 30_001 : 200_000);
  });

  test('a language in the address stays in the addresses it leads to', () => {
    expect(body('/status', { ...german, isChosen: true })).toContain('href="status/history?lang=de"');
    expect(body('/status', german)).toContain('href="status/history"');
  });

  test('a copy has a folder for it, and every link leads to a file', () => {
    const files = copiesOf([aSite({ locale: 'en' }), german]);
    expect([...files.keys()]).toContain('de/index.html');
    expect(files.get('de/index.html')).toContain('<html lang="de">');
    expect(brokenLinks(files)).toEqual([]);
    expect(files.get('index.html')).toContain('href="de/index.html"');
    expect(files.get('de/index.html')).toContain('href="../index.html"');
  });
});

/** Links of a copy that lead to no file of it. */
function brokenLinks(files: ReadonlyMap<string, string>): readonly string[] {
  const broken: string[] = [];
  for (const [path, text] of files) {
    if (!path.endsWith('.html')) continue;
    for (const [, to = ''] of text.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^(?:[a-z]+:)/.test(to)) continue;
      const target = new URL(to, `https://copy.example/${path}`).pathname.slice(1);
      if (!files.has(target)) broken.push(`${path}: ${to}`);
    }
  }
  return broken;
}

describe('a copy', () => {
  const files = copyOf(site);

  test('is whole: every link within it leads to a file of it', () => {
    expect([...files.keys()]).toContain('index.html');
    expect([...files.keys()]).toContain('api/v2/incidents/unresolved.json');
    expect(brokenLinks(files)).toEqual([]);
  });

  test('says that it is one, and where the page is', () => {
    expect(files.get('index.html')).toContain('This is a copy');
    expect(files.get('index.html')).toContain('https://status.acme.example/status');
  });
});

test('links are relative, so that any prefix may stand before them', () => {
  const incident = { incident: 'inc_1' } as const;
  expect(link('home', incident, 'served')).toBe('status/incidents/inc_1');
  expect(link(incident, 'home', 'served')).toBe('../../status');
  expect(link(incident, { incident: 'inc_2' }, 'served')).toBe('inc_2');
  expect(link('history', 'home', 'served')).toBe('../status');
  expect(link('home', 'history', 'copied')).toBe('history.html');
  expect(link(incident, 'home', 'copied')).toBe('../index.html');
  expect(pathOf('home', 'served')).toBe('/status');
  expect(publicLink(incident, aSite())).toBe('https://status.acme.example/status/incidents/inc_1');
  const nowhere = aSite({ settings: { url: null } });
  expect(publicLink(incident, nowhere)).toBe('/status/incidents/inc_1');
  expect(publicLink(incident, { ...nowhere, origin: 'https://ai.example' })).toBe(
    'https://ai.example/status/incidents/inc_1',
  );
});
