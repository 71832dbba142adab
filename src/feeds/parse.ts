/**
 * From what a feed's address answered to what the provider says. The form is told by the content, because providers move
 * from one kind of page to another without notice. Total: any bytes give a reading, at worst that nothing can be read.
 */
import type { Instant } from '../core/ids.ts';
import type { FeedReading } from '../core/provider-word.ts';
import { isBetterStack, readBetterStack } from './better-stack.ts';
import { fieldsOf, unknown } from './fields.ts';
import type { Fields } from './fields.ts';
import { isGoogleCloud, readGoogleCloud } from './google-cloud.ts';
import { isIncidentIo, readIncidentIo } from './incident-io.ts';
import { isInstatus, readInstatus } from './instatus.ts';
import { isStatuspage, readStatuspage } from './statuspage.ts';

type Format = {
  readonly is: (document: Fields) => boolean;
  readonly read: (document: Fields, now: Instant) => FeedReading;
};

const formats: readonly Format[] = [
  { is: isIncidentIo, read: readIncidentIo },
  { is: isInstatus, read: readInstatus },
  { is: isStatuspage, read: readStatuspage },
  { is: isBetterStack, read: readBetterStack },
];

function decoded(bytes: Uint8Array): string | null {
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    return new TextDecoder(isWide ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function readJson(text: string, now: Instant): FeedReading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return unknown('It is not JSON.');
  }
  if (Array.isArray(document))
    return isGoogleCloud(document)
      ? readGoogleCloud(document, now)
      : unknown('It is a list of a form that is not known.');
  const fields = fieldsOf(document);
  const format = fields === null ? undefined : formats.find(({ is }) => is(fields));
  return fields === null || format === undefined
    ? unknown('It is JSON of a form that is not known.')
    : format.read(fields, now);
}

export async function parseFeed(bytes: Uint8Array, now: Instant): Promise<FeedReading> {
  const text =
    decoded(bytes)
      ?.replace(/^\uFEFF/, '')
      .trimStart() ?? null;
  if (text === null) return unknown('It is not text.');
  if (text.trim() === '') return unknown('It is empty.');
  if (/^<(?:!doctype\s+html|html)/i.test(text))
    return unknown('It answered with a web page: the feed may have moved. Look up its new address.');
  if (!text.startsWith('<')) return readJson(text, now);
  // Few servers read such a feed; the others do without the reader of XML in their memory.
  const { readXml } = await import('./rss.ts');
  return readXml(text, now);
}
