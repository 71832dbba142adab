/** Every file of the site, by its place: what it is and what stands in it. */
import { badgeJson, badgeOf, badgeSvg } from './badge.ts';
import { banner } from './banner.ts';
import { calendar } from './calendar.ts';
import { atomFeed, jsonFeed, rssFeed } from './feeds.ts';
import { historyPage } from './history-page.ts';
import { homePage } from './home.ts';
import { incidentPage } from './incident-page.ts';
import { pathOf, usualLocale } from './site.ts';
import type { Place, Site } from './site.ts';
import { statusFiles, statusJson } from './statuspage-json.ts';

export type SiteFile = { readonly type: string; readonly body: string };

const html = (body: string): SiteFile => ({ type: 'text/html; charset=utf-8', body });
const json = (body: string): SiteFile => ({ type: 'application/json', body });
const svg = (body: string): SiteFile => ({ type: 'image/svg+xml', body });

function badgeFile(site: Site, feature: string | null, form: 'svg' | 'json'): SiteFile | null {
  const badge = badgeOf(site, feature);
  if (badge === null) return null;
  return form === 'svg' ? svg(badgeSvg(badge)) : json(badgeJson(badge));
}

function namedFile(place: Exclude<Place, string>, site: Site): SiteFile | null {
  if ('incident' in place) {
    const story = site.page.stories.find(({ id }) => id === place.incident);
    return story === undefined ? null : html(incidentPage(site, story));
  }
  if ('badge' in place) return badgeFile(site, place.badge, 'svg');
  if ('badgeJson' in place) return badgeFile(site, place.badgeJson, 'json');
  const file = statusFiles.find((each) => each === place.api);
  return file === undefined ? null : json(JSON.stringify(statusJson(site, file)));
}

/** Null when there is no such incident or feature. */
export function siteFile(place: Exclude<Place, 'banner'>, site: Site): SiteFile | null {
  if (typeof place === 'object') return namedFile(place, site);
  switch (place) {
    case 'home':
      return html(homePage(site));
    case 'history':
      return html(historyPage(site));
    case 'atom':
      return { type: 'application/atom+xml; charset=utf-8', body: atomFeed(site) };
    case 'rss':
      return { type: 'application/rss+xml; charset=utf-8', body: rssFeed(site) };
    case 'jsonFeed':
      return { type: 'application/feed+json', body: jsonFeed(site) };
    case 'calendar':
      return { type: 'text/calendar; charset=utf-8', body: calendar(site) };
    case 'badge':
      return badgeFile(site, null, 'svg');
    case 'badgeJson':
      return badgeFile(site, null, 'json');
  }
}

const fixed = ['home', 'history', 'atom', 'rss', 'jsonFeed', 'calendar', 'badge', 'badgeJson'] as const;

const files: ReadonlyMap<string, (typeof fixed)[number]> = new Map(
  fixed.map((place) => [pathOf(place, 'served'), place]),
);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not valid percent-encoding: it stays as it is
  }
}

/** The place a path leads to; null when it leads to none. */
export function placeAt(path: string): Exclude<Place, 'banner'> | null {
  const found = files.get(path);
  if (found !== undefined) return found;
  const [, kind, name = ''] = /^\/status\/(incidents|badge)\/([^/]+)$/.exec(path) ?? [];
  if (kind === 'incidents') return { incident: decoded(name) };
  if (kind === 'badge' && name.endsWith('.svg')) return { badge: decoded(name.slice(0, -4)) };
  if (kind === 'badge' && name.endsWith('.json')) return { badgeJson: decoded(name.slice(0, -5)) };
  const api = /^\/api\/v2\/(.+)\.json$/.exec(path)?.[1];
  return api === undefined ? null : { api };
}

/** A whole copy in every language: the usual one in the folder itself, others in folders of their own. */
export function copiesOf(sites: readonly Site[]): ReadonlyMap<string, string> {
  return new Map(
    sites.flatMap((site) =>
      [...copyOf(site)].map(([path, text]) => [
        site.locale === usualLocale ? path : `${site.locale}/${path}`,
        text,
      ]),
    ),
  );
}

/** A whole copy of the site: path within its folder → what stands there. */
export function copyOf(site: Omit<Site, 'flavour'>): ReadonlyMap<string, string> {
  const copied: Site = { ...site, flavour: 'copied' };
  const places: readonly Exclude<Place, 'banner'>[] = [
    ...fixed,
    ...statusFiles.map((api) => ({ api })),
    ...site.page.stories.map(({ id }) => ({ incident: id })),
    ...site.page.features.flatMap(({ feature }) => [{ badge: feature }, { badgeJson: feature }]),
  ];
  const inside: readonly (readonly [string, string])[] = [
    [
      pathOf('banner', 'copied').slice(1),
      JSON.stringify(banner(copied, { feature: null, locale: site.locale })),
    ],
  ];
  return new Map([
    ...inside,
    ...places.flatMap((place): readonly (readonly [string, string])[] => {
      const file = siteFile(place, copied);
      return file === null ? [] : [[pathOf(place, 'copied').slice(1), file.body]];
    }),
  ]);
}
