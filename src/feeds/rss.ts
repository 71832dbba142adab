/**
 * RSS and Atom, as AWS, Azure and many others have them. Such a feed says what was announced, not how things are: an
 * empty one looks the same on a quiet day and when it is broken, so it is `unknown`; and an announcement that nobody
 * has called resolved says nothing any more after a day.
 *
 * Entities are not expanded, so that a small document cannot become a large one.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';

import type { Instant } from '../core/ids.ts';
import type { FeedIncident, FeedReading, ProviderStatus } from '../core/provider-word.ts';
import { addressOf, fieldsOf, gravest, listOf, reading, textOf, timeOf, unknown } from './fields.ts';
import type { Fields } from './fields.ts';

const freshMs = 24 * 3_600_000;
/** Elements deeper than a feed ever has them. */
const depthMax = 60;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  processEntities: false,
  htmlEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => name === 'item' || name === 'entry' || name === 'link',
});

/** The five entities of XML, and numbers; no others exist here. */
function plain(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll(/&(?:apos|#39);/g, "'")
    .replaceAll('&amp;', '&');
}

function wordsOf(value: unknown): string | null {
  const inner = fieldsOf(value)?.['#text'] ?? value;
  return typeof inner === 'string' ? textOf(plain(inner).replaceAll(/<[^>]{0,500}>/g, ' ')) : textOf(inner);
}

function linkOf(value: unknown): string | null {
  for (const each of Array.isArray(value) ? value : [value]) {
    const found = addressOf(fieldsOf(each)?.['@href'] ?? fieldsOf(each)?.['#text'] ?? each);
    if (found !== null) return found;
  }
  return null;
}

const over = /\b(?:resolved|operating normally|mitigated|completed|recovered)\b/i;
const gone = /\b(?:outage|disruption|unavailable|down)\b/i;
const planned = /\bmaintenance\b/i;

function statusOf(title: string): ProviderStatus {
  if (gone.test(title)) return 'partial_outage';
  return planned.test(title) ? 'maintenance' : 'degraded';
}

function incidentOf(item: Fields, now: Instant): FeedIncident | null {
  const title = wordsOf(item['title']);
  if (title === null) return null;
  const at = timeOf(item['pubDate'] ?? item['published'] ?? item['dc:date'] ?? item['updated'], now);
  if (at === null) return null;
  const url = linkOf(item['link']);
  // The newest update stands first in the text.
  const latest = (wordsOf(item['description'] ?? item['summary'] ?? item['content']) ?? '').slice(0, 120);
  const isOver = over.test(title) || over.test(latest);
  return {
    id: wordsOf(item['guid'] ?? item['id']) ?? url ?? title,
    title,
    url,
    status: statusOf(title),
    declaredAt: at,
    resolvedAt: isOver ? (timeOf(item['updated'], now) ?? at) : null,
  };
}

/** Whether elements are nested deeper than any feed: looked at before a parser does. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [tag] of text.matchAll(/<\/?[A-Za-z][^>]{0,2000}>/g)) {
    if (tag.startsWith('</')) depth--;
    else if (!tag.endsWith('/>')) depth++;
    if (depth > depthMax) return true;
  }
  return false;
}

export function readXml(text: string, now: Instant): FeedReading {
  if (/<!DOCTYPE|<!ENTITY/i.test(text))
    return unknown('It has a document type of its own, which no feed needs.');
  if (isTooDeep(text)) return unknown('It is nested deeper than a feed is.');
  let document: Fields | null;
  try {
    if (XMLValidator.validate(text) !== true) return unknown('It is not well-formed XML.');
    document = fieldsOf(parser.parse(text));
  } catch {
    return unknown('It is not well-formed XML.');
  }
  const channel = fieldsOf(fieldsOf(document?.['rss'])?.['channel']);
  const atom = fieldsOf(document?.['feed']);
  const list = channel ?? atom;
  if (list === null) return unknown('It is XML, but neither RSS nor Atom.');
  const items = listOf(list['item'] ?? list['entry']) ?? [];
  if (items.length === 0)
    return unknown('It lists nothing, which is what a quiet day and a broken feed look like.');
  const incidents = items.flatMap((item) => incidentOf(item, now) ?? []);
  if (incidents.length === 0) return unknown('Its entries have no title or no time.');
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === null);
  const fresh = open.filter(({ declaredAt }) => now - declaredAt <= freshMs);
  if (open.length > fresh.length && fresh.length === 0)
    return unknown('Its latest announcement is older than a day, and nobody has called it resolved.');
  return reading(gravest(fresh.map(({ status }) => status)), null, incidents);
}
