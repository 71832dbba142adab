/** Incidents for readers of feeds: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1. An incident is one entry that is updated. */
import { momentText } from '../core/moment.ts';
import { dataWords } from '../core/status-story.ts';
import type { TextSet } from '../core/message-texts.ts';
import type { Story } from '../core/status-story.ts';
import { publicLink } from './site.ts';
import type { Site } from './site.ts';

const entriesMax = 50;

const xml = (text: string): string =>
  text
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '')
    .replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0) ?? 0};`);

/** `inc_<uuid>` → a name that never changes, whatever the address of the page. */
const urn = (id: string): string => `urn:uuid:${id.replace(/^[a-z]+_/, '')}`;

/** A feed's id must be a whole address, also where nobody has said what ours is. */
const feedId = (site: Site): string =>
  site.settings.url === null ? 'tag:breakwater.invalid,2026:status' : publicLink('atom', site);

function textOf(story: Story, texts: TextSet): string {
  return [
    ...story.updates.map(({ at, text }) => `${momentText(at).slice(0, 16).replace('T', ' ')} UTC: ${text}`),
    texts.kinds[story.failureClass],
    dataWords(story, texts),
  ].join('\n\n');
}

const entriesOf = ({ page }: Site): readonly Story[] => page.stories.slice(0, entriesMax);
const updatedAt = (site: Site): number =>
  Math.max(...entriesOf(site).map((story) => story.updatedAt), 0) || site.page.generatedAt;
const linkTo = (site: Site, story: Story): string => publicLink({ incident: story.id }, site);

export function atomFeed(site: Site): string {
  const { title } = site.settings;
  const entries = entriesOf(site).map(
    (story) =>
      `<entry><id>${xml(urn(story.id))}</id><title>${xml(story.title)}</title><link rel="alternate" type="text/html" href="${xml(linkTo(site, story))}"/><published>${momentText(story.startedAt)}</published><updated>${momentText(story.updatedAt)}</updated><category term="${story.failureClass}"/><category term="${story.state}"/><content type="text">${xml(textOf(story, site.texts))}</content></entry>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>${xml(feedId(site))}</id><title>${xml(title)}</title><updated>${momentText(updatedAt(site))}</updated><author><name>${xml(title)}</name></author><link rel="self" type="application/atom+xml" href="${xml(publicLink('atom', site))}"/><link rel="alternate" type="text/html" href="${xml(publicLink('home', site))}"/>${entries.join('')}</feed>
`;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Sun, 07 Jun 2026 09:00:00 GMT` */
function mailDate(at: number): string {
  const text = momentText(at);
  // The epoch was a Thursday.
  const day = days[(Math.floor(at / 86_400_000) + 4) % 7] ?? '';
  return `${day}, ${text.slice(8, 10)} ${months[Number(text.slice(5, 7)) - 1] ?? ''} ${text.slice(0, 4)} ${text.slice(11, 19)} GMT`;
}

export function rssFeed(site: Site): string {
  const { title } = site.settings;
  const items = entriesOf(site).map(
    (story) =>
      `<item><guid isPermaLink="false">${xml(urn(story.id))}</guid><title>${xml(story.title)}</title><link>${xml(linkTo(site, story))}</link><pubDate>${mailDate(story.updatedAt)}</pubDate><category>${story.failureClass}</category><description>${xml(textOf(story, site.texts))}</description></item>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>${xml(title)}</title><link>${xml(publicLink('home', site))}</link><description>Incidents of AI features</description><atom:link rel="self" type="application/rss+xml" href="${xml(publicLink('rss', site))}"/><lastBuildDate>${mailDate(updatedAt(site))}</lastBuildDate>${items.join('')}</channel></rss>
`;
}

export function jsonFeed(site: Site): string {
  return JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: site.settings.title,
    home_page_url: publicLink('home', site),
    feed_url: publicLink('jsonFeed', site),
    items: entriesOf(site).map((story) => ({
      id: urn(story.id),
      url: linkTo(site, story),
      title: story.title,
      content_text: textOf(story, site.texts),
      date_published: momentText(story.startedAt),
      date_modified: momentText(story.updatedAt),
      tags: [story.failureClass, story.state],
    })),
  });
}
