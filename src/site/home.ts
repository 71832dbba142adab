/** The front page: what works, what is going on, how it has been, what is planned, how to be told. At most 30 KB. */
import { barsSvg } from './bars.ts';
import { filled } from '../core/site-words.ts';
import { escaped, href, htmlPage, marked, time } from './html.ts';
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

function featureList({ page, texts }: Site, has: Room): string {
  if (page.features.length === 0) return `<p>${escaped(texts.site.home.noFeatures)}</p>`;
  let used = 0;
  const items = page.features.slice(0, has.features).map((feature) => {
    used += barsSvg(feature.past.days, '').length;
    return featureItem(feature, used <= has.barsLength, texts);
  });
  return `<ul class="list">${items.join('')}</ul>${barsKey(texts)}`;
}

const section = (title: string, content: string): string =>
  content === '' ? '' : `<h2>${escaped(title)}</h2>${content}`;

function goingOn(site: Site, has: Room): string {
  const { stories, events } = site.page;
  const words = site.texts.site;
  const open = stories.filter(({ isOpen }) => isOpen);
  const held = events
    .slice(0, has.stories)
    .map(
      (event) =>
        `<article><h3>${escaped(event.title)}</h3><p>${escaped(event.words)}</p><p class="when">${marked(words.story.since, { time: time(event.since) })}</p></article>`,
    );
  const rest = open.length - has.stories;
  const more = rest > 0 ? note(words.home.moreStories, rest) : '';
  return [...open.slice(0, has.stories).map((story) => storyArticle(site, place, story)), more, ...held].join(
    '',
  );
}

const note = (template: string, count: number): string =>
  `<p class="note">${escaped(filled(template, { count }))}</p>`;

function models({ page, texts }: Site, has: Room): string {
  if (page.models.length === 0) return '';
  const troubled = page.models.filter(({ status }) => status !== 'working');
  const shown = [...troubled, ...page.models.filter(({ status }) => status === 'working')];
  const rest = shown.slice(has.models).map(({ model }) => model);
  const more = rest.length === 0 ? '' : note(texts.site.home.moreModels, rest.length);
  return `<ul class="list">${shown
    .slice(0, has.models)
    .map((each) => modelItem(each, texts))
    .join('')}</ul>${more}`;
}

function planned({ page, texts }: Site, has: Room): string {
  const titles = new Map(page.features.map(({ feature, title }) => [feature, title]));
  const ahead = page.planned.filter(({ state }) => state !== 'completed').slice(0, has.planned);
  if (ahead.length === 0) return '';
  return `<ul class="list">${ahead.map((each) => plannedItem(each, titles, texts)).join('')}</ul>`;
}

function subscribe(site: Site): string {
  const { home } = site.texts.site;
  const to = (target: Place, words: string): string =>
    `<a href="${href(site, place, target)}">${escaped(words)}</a>`;
  return `<p class="links">${[
    to('atom', 'Atom'),
    to('rss', 'RSS'),
    to('jsonFeed', 'JSON Feed'),
    to('calendar', home.calendar),
    to({ api: 'summary' }, home.programs),
    to('badge', home.badge),
  ].join('')}</p>`;
}

function pageWith(site: Site, has: Room): string {
  const { page } = site;
  const { home, sections } = site.texts.site;
  const hidden = page.features.length - has.features;
  const past = page.stories.filter(({ isOpen }) => !isOpen).slice(0, has.stories);
  const history = `<p><a href="${href(site, place, 'history')}">${escaped(home.pastLink)}</a>: ${escaped(home.pastMore)}</p>`;
  const more = hidden > 0 ? note(home.moreFeatures, hidden) : '';
  return htmlPage(site, {
    place,
    title: page.headline,
    heading: `<h1 class="${page.overall}">${escaped(page.headline)}</h1>`,
    body: [
      section(sections.now, goingOn(site, has)),
      section(sections.features, `${featureList(site, has)}${more}${history}`),
      section(sections.models, models(site, has)),
      section(sections.planned, planned(site, has)),
      section(sections.past, past.map((story) => storyArticle(site, place, story)).join('')),
      section(sections.told, subscribe(site)),
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
