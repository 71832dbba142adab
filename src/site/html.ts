/** What every page of the site is set in: head, title, staleness, foot; and the small pieces they share. No script anywhere. */
import { dayText, momentText } from '../core/moment.ts';
import { link } from './site.ts';
import type { Place, Site } from './site.ts';
import { staleSeconds, style } from './style.ts';

export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0) ?? 0};`);

const readable = (at: number): string => `${momentText(at).slice(0, 16).replace('T', ' ')} UTC`;

export const time = (at: number): string => `<time datetime="${momentText(at)}">${readable(at)}</time>`;

export const day = (at: number): string => `<time datetime="${dayText(at)}">${dayText(at)}</time>`;

export const paragraphs = (text: string): string =>
  text
    .split(/\n{2,}/)
    .map((part) => `<p>${escaped(part.trim())}</p>`)
    .join('');

/** A file's address in another, for an attribute. */
export const href = (site: Site, from: Place, to: Place): string => escaped(link(from, to, site.flavour));

function top({ settings }: Site): string {
  const logo = settings.logo === null ? '' : `<img src="${escaped(settings.logo)}" alt="">`;
  return `<header class="top">${logo}<p>${escaped(settings.title)}</p></header>`;
}

/** A page in a browser knows no time but its own: what is old is told by style, and by the moment itself. */
function staleness(site: Site): string {
  const again =
    site.flavour === 'served'
      ? 'Load it again to see how things are now.'
      : 'This is a copy; if it stays old, its source may be out of reach.';
  return `<div class="stale" role="status"><p>This page is more than ${staleSeconds / 60} minutes old. ${again}</p></div>`;
}

function copyNote({ flavour, settings }: Site): string {
  if (flavour === 'served') return '';
  const source =
    settings.url === null
      ? ''
      : ` The page itself is at <a href="${escaped(settings.url)}">${escaped(settings.url)}</a>.`;
  return ` This is a copy, written whenever something changes and every minute besides: when the moment above is minutes ago, it is out of date.${source}`;
}

export type PageParts = {
  readonly place: Place;
  readonly title: string;
  /** What stands above the content: the heading's own class and text. */
  readonly heading: string;
  readonly body: string;
};

export function htmlPage(site: Site, { place, title, heading, body }: PageParts): string {
  const { page, settings } = site;
  const to = (target: Place): string => href(site, place, target);
  const help = settings.support === null ? '' : ` <a href="${escaped(settings.support)}">Get help</a>.`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)} – ${escaped(settings.title)}</title>
<link rel="alternate" type="application/atom+xml" title="Incidents" href="${to('atom')}"><link rel="alternate" type="application/feed+json" title="Incidents" href="${to('jsonFeed')}">
<style>${style}${settings.css}</style></head>
<body>${top(site)}<main>${heading}
${staleness(site)}
${body}</main>
<footer><p>As of ${time(page.generatedAt)}.${copyNote(site)}${help}</p></footer></body></html>
`;
}
