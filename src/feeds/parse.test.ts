/** Feeds as providers write them, and as nobody should: a wrong calm and a wrong alarm are both failures. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';

import { instant } from '../core/ids.ts';
import { parseFeed } from './parse.ts';

const now = instant(Date.UTC(2026, 5, 7, 9, 30));
const at = (minutesAgo: number): string => new Date(now - minutesAgo * 60_000).toISOString();
const read = (document: unknown): ReturnType<typeof parseFeed> =>
  parseFeed(
    new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document)),
    now,
  );
const statusOf = async (document: unknown): Promise<string> => {
  const found = await read(document);
  return found.kind === 'read' ? found.status : 'unknown';
};

const page = { id: 'x', name: 'Claude', url: 'https://status.claude.com', updated_at: at(5) };
const component = (status: string): object => ({ id: 'c', name: 'API', status, group: false });
const incident = (changes: object = {}): object => ({
  id: 'abc',
  name: 'Elevated errors on Claude Opus 4.8',
  status: 'investigating',
  impact: 'minor',
  created_at: at(10),
  updated_at: at(5),
  shortlink: 'https://stspg.io/abc',
  ...changes,
});
const calm = {
  page,
  status: { indicator: 'none', description: 'All Systems Operational' },
  components: [component('operational')],
  incidents: [],
};
const rss = (items: string): string =>
  `<?xml version="1.0"?><rss version="2.0"><channel><title>AWS</title>${items}</channel></rss>`;
const item = (title: string, minutesAgo: number): string =>
  `<item><title><![CDATA[${title}]]></title><pubDate>${new Date(now - minutesAgo * 60_000).toUTCString()}</pubDate><guid>https://status.aws.amazon.com/#bedrock_${minutesAgo}</guid><description>x</description></item>`;
const google = (changes: object = {}): object => ({
  id: 'g1',
  begin: at(30),
  created: at(20),
  end: null,
  external_desc: 'Vertex Gemini API elevated errors',
  affected_products: [{ title: 'Vertex Gemini API', id: 'Z0FZJAMvEB4j3NbCJs6B' }],
  most_recent_update: { status: 'SERVICE_DISRUPTION', when: at(10), text: 'x' },
  uri: 'incidents/g1',
  ...changes,
});
const better = (state: string, included: readonly object[] = []): object => ({
  data: { id: '1', type: 'status_page', attributes: { aggregate_state: state } },
  included,
});
const report = (state: string, ends: string | null): object => ({
  id: '7',
  type: 'status_report',
  attributes: {
    title: 'Slow',
    report_type: 'manual',
    starts_at: at(10),
    ends_at: ends,
    aggregate_state: state,
  },
});
const widget = (ongoing: readonly object[]): object => ({
  ongoing_incidents: ongoing,
  in_progress_maintenances: [],
  scheduled_maintenances: [],
});
const instatus = (status: string, activeIncidents: readonly object[] = []): object => ({
  page: { name: 'X', url: 'https://x.instatus.com', status },
  activeIncidents,
});

describe('what providers say', () => {
  test.each([
    ['Statuspage, calm', calm, 'operational'],
    [
      'Statuspage, only status.json',
      { page, status: { indicator: 'major', description: 'x' } },
      'partial_outage',
    ],
    ['Statuspage, a component', { ...calm, components: [component('major_outage')] }, 'major_outage'],
    ['Statuspage, an incident under a calm indicator', { ...calm, incidents: [incident()] }, 'degraded'],
    [
      'Statuspage, an incident that is over',
      { ...calm, incidents: [incident({ status: 'resolved', resolved_at: at(1) })] },
      'operational',
    ],
    [
      'Statuspage without components, as global pages of incident.io',
      { page, status: { indicator: 'none' }, components: [], incidents: [] },
      'operational',
    ],
    ['incident.io, calm', widget([]), 'operational'],
    [
      'incident.io, an incident',
      widget([
        {
          id: '01J',
          name: 'Errors',
          status: 'investigating',
          current_worst_impact: 'full_outage',
          url: 'https://x',
        },
      ]),
      'major_outage',
    ],
    ['Google Cloud, going on', [google()], 'partial_outage'],
    ['Google Cloud, over', [google({ end: at(1) })], 'operational'],
    [
      'Google Cloud, of other products',
      [google({ affected_products: [{ title: 'Cloud SQL' }] })],
      'operational',
    ],
    ['AWS, going on', rss(item('Service disruption: Increased Error Rates', 20)), 'partial_outage'],
    [
      'AWS, over',
      rss(item('Service is operating normally: [RESOLVED] Increased Error Rates', 20)),
      'operational',
    ],
    [
      'Azure, Atom',
      `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Azure OpenAI - errors</title><id>1</id><published>${at(9)}</published><link href="https://azure"/></entry></feed>`,
      'degraded',
    ],
    ['Better Stack, calm', better('operational'), 'operational'],
    ['Better Stack, down', better('downtime'), 'major_outage'],
    [
      'Better Stack, a report that is over',
      better('operational', [report('resolved', at(1))]),
      'operational',
    ],
    ['Instatus, calm', instatus('UP'), 'operational'],
    [
      'Instatus, issues',
      instatus('HASISSUES', [
        {
          name: 'Errors',
          started: at(9),
          status: 'INVESTIGATING',
          impact: 'MAJOROUTAGE',
          url: 'https://x/1',
        },
      ]),
      'major_outage',
    ],
  ] as const)('%s: %s', async (_name, document, status) => expect(await statusOf(document)).toBe(status));

  test('when it was declared is when they said so, not when it began', async () => {
    const found = await read({ ...calm, incidents: [incident({ started_at: at(90), created_at: at(12) })] });
    expect(found).toMatchObject({
      incidents: [{ id: 'abc', declaredAt: now - 12 * 60_000, resolvedAt: null }],
    });
  });
});

describe('is unknown, and neither calm nor alarm', () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 20 }, (_, index) => `<!ENTITY a${index + 1} "${'&a;'.repeat(10)}">`).join('')}]>`;
  test.each([
    ['nothing', ''],
    ['white space', ' \n '],
    ['a web page', '<!DOCTYPE html><html><body>We have moved</body></html>'],
    ['a web page without a type', '<html><body>operational</body></html>'],
    ['text', 'All Systems Operational'],
    ['cut JSON', JSON.stringify(calm).slice(0, 60)],
    ['an empty object', {}],
    ['an empty list', []],
    ['null', 'null'],
    ['a list of words', ['operational']],
    ['Statuspage without anything', { page }],
    ['Statuspage with empty lists', { page, components: [], incidents: [] }],
    ['a status word nobody knows', { ...calm, components: [component('wobbly')] }],
    ['an indicator nobody knows', { ...calm, status: { indicator: 'purple' } }],
    ['incidents that are no objects', { ...calm, incidents: ['Elevated errors'] }],
    ['incidents without names', { ...calm, incidents: [{ id: 1 }] }],
    ['a prototype name as a word', { ...calm, status: { indicator: 'constructor' } }],
    ['incident.io with a broken list', { ongoing_incidents: 'none' }],
    ['an empty RSS feed', rss('')],
    ['an RSS feed of last week', rss(item('Service disruption', 7 * 24 * 60))],
    ['RSS without times', rss('<item><title>Outage</title></item>')],
    ['XML of another kind', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['broken XML', '<rss><channel><item>'],
    ['an entity bomb', `<?xml version="1.0"?>${bomb}${rss('<item><title>&a20;</title></item>')}`],
    [
      'a file by entity',
      `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>${rss(item('&f;', 1))}`,
    ],
    ['XML nested without end', '<a>'.repeat(100_000)],
    ['JSON nested without end', '['.repeat(200_000)],
  ] as const)('%s', async (_name, document) => expect(await statusOf(document)).toBe('unknown'));

  test('bytes that are no text', async () => {
    const found = await parseFeed(new Uint8Array([0xc3, 0x28, 0xff, 0xfe]), now);
    expect(found.kind).toBe('unknown');
  });

  test('what is hostile in a title stays text, and short', async () => {
    const found = await read({
      ...calm,
      incidents: [
        incident({ name: `\u001b[2J<script>${'x'.repeat(10_000)}`, shortlink: 'javascript:alert(1)' }),
      ],
    });
    if (found.kind !== 'read') throw new Error('it can be read');
    expect(found.incidents[0]?.title.length).toBeLessThanOrEqual(300);
    expect(found.incidents[0]?.title).not.toContain('\u001b');
    expect(found.incidents[0]?.url).toBeNull();
  });

  test('a huge list is cut, and what is going on stays seen', async () => {
    const old = Array.from({ length: 5_000 }, (_, index) =>
      incident({
        id: `o${index}`,
        status: 'resolved',
        created_at: at(10_000 + index),
        resolved_at: at(9_000),
      }),
    );
    const found = await read({ ...calm, incidents: [...old, incident()] });
    if (found.kind !== 'read') throw new Error('it can be read');
    expect(found.incidents.length).toBeLessThanOrEqual(50);
    expect(found.status).toBe('degraded');
  });

  test('no document makes it throw, and none without a known form is calm', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.string().map((text) => `<rss><channel><item><title>${text}</title></item></channel></rss>`),
        ),
        async (document) => {
          const found = await read(document);
          expect(found.kind === 'unknown' || found.incidents.length >= 0).toBe(true);
          if (found.kind === 'read') expect(found.status).not.toBe('operational');
        },
      ),
      { numRuns: 300 },
    );
  });
});
