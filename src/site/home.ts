/** The front page: what works, what is going on, how it has been, what is planned, how to be told. At most 30 KB. */
import type { StatusPage } from '../core/status-page.ts';
import { barsSvg } from './bars.ts';
import { escaped, href, htmlPage, time } from './html.ts';
import { barsKey, featureItem, modelItem, plannedItem, storyArticle } from './pieces.ts';
import type { Place, Site } from './site.ts';

/** How much of each kind is shown. */
type Room = {
  /** Bars of quiet features are short; those of eventful ones could fill a page. What has no room is said in words. */
  readonly barsLength: number;
  readonly features: number;
  readonly models: number;
  readonly stories: number;
  readonly planned: number;
};
const pageBytesMax = 30_000;
const room: Room = { barsLength: 11_000, features: 30, models: 20, stories: 5, planned: 8 };
/** A page that is too long is made again with less. */
const scales = [1, 0.6, 0.3, 0.1] as const;

const place: Place = 'home';

function featureList(page: StatusPage, has: Room): string {
  if (page.features.length === 0) return '<p>No features are configured.</p>';
  let used = 0;
  const items = page.features.slice(0, has.features).map((feature) => {
    used += barsSvg(feature.past.days, '').length;
    return featureItem(feature, used <= has.barsLength);
  });
  return `<ul class="list">${items.join('')}</ul>${barsKey}`;
}

const section = (title: string, content: string): string =>
  content === '' ? '' : `<h2>${title}</h2>${content}`;

function goingOn(site: Site, has: Room): string {
  const { stories, events } = site.page;
  const open = stories.filter(({ isOpen }) => isOpen);
  const held = events
    .slice(0, has.stories)
    .map(
      (event) =>
        `<article><h3>${escaped(event.title)}</h3><p>${escaped(event.words)}</p><p class="when">since ${time(event.since)}</p></article>`,
    );
  const rest = open.length - has.stories;
  const more = rest > 0 ? `<p class="note">And ${rest} more: see the last 90 days.</p>` : '';
  return [...open.slice(0, has.stories).map((story) => storyArticle(site, place, story)), more, ...held].join(
    '',
  );
}

function models(page: StatusPage, has: Room): string {
  if (page.models.length === 0) return '';
  const troubled = page.models.filter(({ status }) => status !== 'working');
  const shown = [...troubled, ...page.models.filter(({ status }) => status === 'working')];
  const rest = shown.slice(has.models).map(({ model }) => model);
  const more = rest.length === 0 ? '' : `<p class="note">And ${rest.length} more.</p>`;
  return `<ul class="list">${shown.slice(0, has.models).map(modelItem).join('')}</ul>${more}`;
}

function planned(page: StatusPage, has: Room): string {
  const titles = new Map(page.features.map(({ feature, title }) => [feature, title]));
  const ahead = page.planned.filter(({ state }) => state !== 'completed').slice(0, has.planned);
  if (ahead.length === 0) return '';
  return `<ul class="list">${ahead.map((each) => plannedItem(each, titles)).join('')}</ul>`;
}

function subscribe(site: Site): string {
  const to = (target: Place, words: string): string => `<a href="${href(site, place, target)}">${words}</a>`;
  return `<p class="links">${[
    to('atom', 'Atom'),
    to('rss', 'RSS'),
    to('jsonFeed', 'JSON Feed'),
    to('calendar', 'Calendar of what is planned'),
    to({ api: 'summary' }, 'JSON for programs'),
    to('badge', 'Badge'),
  ].join('')}</p>`;
}

function pageWith(site: Site, has: Room): string {
  const { page } = site;
  const hidden = page.features.length - has.features;
  const past = page.stories.filter(({ isOpen }) => !isOpen).slice(0, has.stories);
  const history = `<p><a href="${href(site, place, 'history')}">The last 90 days, day by day</a>: incidents, uptime and how it is counted.</p>`;
  const more = hidden > 0 ? `<p class="note">And ${hidden} more features: see the last 90 days.</p>` : '';
  return htmlPage(site, {
    place,
    title: page.headline,
    heading: `<h1 class="${page.overall}">${escaped(page.headline)}</h1>`,
    body: [
      section('What is going on', goingOn(site, has)),
      section('Features', `${featureList(page, has)}${more}${history}`),
      section('Models', models(page, has)),
      section('Planned', planned(page, has)),
      section('Past incidents', past.map((story) => storyArticle(site, place, story)).join('')),
      section('Be told', subscribe(site)),
    ].join(''),
  });
}

const scaled = (scale: number): Room => ({
  barsLength: Math.floor(room.barsLength * scale),
  features: Math.ceil(room.features * scale),
  models: Math.ceil(room.models * scale),
  stories: Math.ceil(room.stories * scale),
  planned: Math.ceil(room.planned * scale),
});

export function homePage(site: Site): string {
  let html = '';
  for (const scale of scales) {
    html = pageWith(site, scaled(scale));
    if (Buffer.byteLength(html) <= pageBytesMax) break;
  }
  return html;
}
