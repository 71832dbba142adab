/** What every page of the site is set in: head, title, staleness, foot; and the small pieces they share. No script anywhere. */
import { dayText, momentText } from '../core/moment.ts';
import { filled } from '../core/site-words.ts';
import { languageLink, link } from './site.ts';
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
export const href = (site: Site, from: Place, to: Place): string =>
  escaped(`${link(from, to, site.flavour)}${isPage(to) && site.isChosen ? `?lang=${site.locale}` : ''}`);

/** What people read, and has a language. */
const isPage = (place: Place): boolean =>
  place === 'home' || place === 'history' || (typeof place === 'object' && 'incident' in place);

/** A text of ours for a page: escaped, with places that are markup already. */
export const marked = (template: string, values: Readonly<Record<string, string>>): string =>
  filled(escaped(template), values);

function top({ settings }: Site): string {
  const logo = settings.logo === null ? '' : `<img src="${escaped(settings.logo)}" alt="">`;
  return `<header class="top">${logo}<p>${escaped(settings.title)}</p></header>`;
}

/** A page in a browser knows no time but its own: what is old is told by style, and by the moment itself. */
function staleness(site: Site): string {
  const { foot } = site.texts.site;
  const old = filled(foot.stale, { minutes: staleSeconds / 60 });
  const again = site.flavour === 'served' ? foot.reload : foot.staleCopy;
  return `<div class="stale" role="status"><p>${escaped(`${old} ${again}`)}</p></div>`;
}

function copyNote({ flavour, settings, texts }: Site): string {
  const { foot } = texts.site;
  if (flavour === 'served') return '';
  const source =
    settings.url === null
      ? ''
      : ` ${marked(foot.source, { url: `<a href="${escaped(settings.url)}">${escaped(settings.url)}</a>` })}`;
  return ` ${escaped(foot.copy)}${source}`;
}

/** The same page in the other languages there are. */
function languages(site: Site, place: Place): string {
  if (site.locales.size < 2) return '';
  const others = [...site.locales].map(([locale, { name }]) =>
    locale === site.locale
      ? `<span aria-current="true">${escaped(name)}</span>`
      : `<a href="${escaped(languageLink(place, locale, site))}" hreflang="${escaped(locale)}" lang="${escaped(locale)}">${escaped(name)}</a>`,
  );
  return `<nav class="links" aria-label="${escaped(site.texts.site.foot.languages)}">${others.join('')}</nav>`;
}

export type PageParts = {
  readonly place: Place;
  readonly title: string;
  /** What stands above the content: the heading's own class and text. */
  readonly heading: string;
  readonly body: string;
};

export function htmlPage(site: Site, { place, title, heading, body }: PageParts): string {
  const { page, settings, texts } = site;
  const to = (target: Place): string => href(site, place, target);
  const help =
    settings.support === null
      ? ''
      : ` <a href="${escaped(settings.support)}">${escaped(texts.site.foot.help)}</a>.`;
  return `<!DOCTYPE html>
<html lang="${escaped(site.locale)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)} – ${escaped(settings.title)}</title>
<link rel="alternate" type="application/atom+xml" title="${escaped(texts.site.past.incidents)}" href="${to('atom')}"><link rel="alternate" type="application/feed+json" title="${escaped(texts.site.past.incidents)}" href="${to('jsonFeed')}">
<style>${style}${settings.css}</style></head>
<body>${top(site)}<main>${heading}
${staleness(site)}
${body}</main>
<footer><p>${marked(texts.site.foot.asOf, { time: time(page.generatedAt) })}${copyNote(site)}${help}</p>${languages(site, place)}</footer></body></html>
`;
}
