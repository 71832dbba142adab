/**
 * The public status site: which files it has and how they lead to each other. The same files are served and written to
 * disk; links are relative, so that a copy works from any place, a folder included, and behind any prefix.
 */
import type { StatusPageSettings } from '../core/configure-status.ts';
import type { Message } from '../core/message.ts';
import type { TextSet } from '../core/message-texts.ts';
import type { StatusPage } from '../core/status-page.ts';

/** Spoken where nobody asks for another; a copy has it in its own folder, and others beside it. */
export const usualLocale = 'en';

/** `served`: at /status and /api. `copied`: as files in one folder. */
export type Flavour = 'served' | 'copied';

export type Site = {
  readonly page: StatusPage;
  /** What was last said of each open incident. */
  readonly said: ReadonlyMap<string, Message>;
  /** Texts by language; the first is the usual one. */
  readonly locales: ReadonlyMap<string, TextSet>;
  /** In which language it speaks, and its words. */
  readonly locale: string;
  readonly texts: TextSet;
  /** The language is part of the address, and of the addresses that it leads to. */
  readonly isChosen: boolean;
  readonly settings: Pick<StatusPageSettings, 'title' | 'url' | 'logo' | 'css' | 'support'>;
  readonly flavour: Flavour;
  /** Where it was asked for, `https://host`: its address where none is configured. A copy does not know its own. */
  readonly origin: string | null;
};

/** The site's places, each once; an incident and a badge have one for each of theirs. */
export type Place =
  | 'home'
  | 'history'
  | 'atom'
  | 'rss'
  | 'jsonFeed'
  | 'calendar'
  | 'badge'
  | 'badgeJson'
  | 'banner'
  | { readonly incident: string }
  | { readonly badge: string }
  | { readonly badgeJson: string }
  | { readonly api: string };

function servedPath(place: Place): string {
  if (typeof place === 'object') {
    if ('incident' in place) return `/status/incidents/${place.incident}`;
    if ('badge' in place) return `/status/badge/${place.badge}.svg`;
    if ('badgeJson' in place) return `/status/badge/${place.badgeJson}.json`;
    return `/api/v2/${place.api}.json`;
  }
  switch (place) {
    case 'home':
      return '/status';
    case 'history':
      return '/status/history';
    case 'atom':
      return '/status/feed.atom';
    case 'rss':
      return '/status/feed.rss';
    case 'jsonFeed':
      return '/status/feed.json';
    case 'calendar':
      return '/status/calendar.ics';
    case 'badge':
      return '/status/badge.svg';
    case 'badgeJson':
      return '/status/badge.json';
    case 'banner':
      return '/status/banner';
  }
}

function copiedPath(place: Place): string {
  if (place === 'home') return '/index.html';
  if (place === 'history') return '/history.html';
  if (place === 'banner') return '/banner.json';
  if (typeof place === 'object' && 'incident' in place) return `/incidents/${place.incident}.html`;
  return servedPath(place).replace(/^\/status/, '');
}

export const pathOf = (place: Place, flavour: Flavour): string =>
  flavour === 'served' ? servedPath(place) : copiedPath(place);

/** How one file names another. */
export function link(from: Place, to: Place, flavour: Flavour): string {
  const here = pathOf(from, flavour).split('/').slice(1, -1);
  const there = pathOf(to, flavour).split('/').slice(1);
  let shared = 0;
  while (shared < here.length && here[shared] === there[shared] && shared < there.length - 1) shared++;
  return [...here.slice(shared).map(() => '..'), ...there.slice(shared)].map(encodeURIComponent).join('/');
}

/** The way to the same place in another language: as a parameter, or in a copy as a folder. */
export function languageLink(place: Place, locale: string, site: Pick<Site, 'flavour' | 'locale'>): string {
  if (site.flavour === 'served') return `${link(place, place, 'served')}?lang=${locale}`;
  const path = pathOf(place, 'copied').split('/').slice(1);
  const up = '../'.repeat(path.length - 1 + (site.locale === usualLocale ? 0 : 1));
  return `${up}${locale === usualLocale ? '' : `${locale}/`}${path.map(encodeURIComponent).join('/')}`;
}

/** How the outside names a file: within the configured address, or else by where it was asked for. */
export function publicLink(to: Place, { settings, origin }: Pick<Site, 'settings' | 'origin'>): string {
  const path = servedPath(to).split('/').map(encodeURIComponent).join('/');
  return settings.url === null ? `${origin ?? ''}${path}` : `${settings.url}${path.replace(/^\/status/, '')}`;
}
