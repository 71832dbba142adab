/** Pieces of pages: a feature with its past, a model, an incident in short. */
import type { FeaturePast } from '../core/status-history.ts';
import type { FeatureLine, ModelLine, ModelStatus } from '../core/status-page.ts';
import type { Planned } from '../core/status-planned.ts';
import { uptimeWords } from '../core/status-history.ts';
import type { TextSet } from '../core/message-texts.ts';
import { filled } from '../core/site-words.ts';
import { dataWords } from '../core/status-story.ts';
import type { Story } from '../core/status-story.ts';
import type { FeatureStatus } from '../core/status.ts';
import { listWords } from '../core/words.ts';
import { barsSvg } from './bars.ts';
import { day, escaped, href, marked, paragraphs, time } from './html.ts';
import type { Place, Site } from './site.ts';

/** A shape besides a colour, for those who do not see colours. */
const featureSigns: Readonly<Record<FeatureStatus, string>> = {
  normal: '✓',
  backup: '⇄',
  slow: '…',
  partial: '!',
  paused: '❚❚',
  unavailable: '✕',
};
const modelSigns: Readonly<Record<ModelStatus, string>> = {
  working: '✓',
  failing: '✕',
  returning: '↗',
  paused: '❚❚',
};

export const figure = (uptime: number | null, texts: TextSet): string =>
  uptime === null ? escaped(texts.site.key.unknown) : uptimeWords(uptime, texts);

const sign = (name: string, shape: string, words: string): string =>
  `<span class="state ${name}"><span aria-hidden="true">${shape}</span> ${words}</span>`;

export const stateSpan = (status: FeatureStatus, words: string): string =>
  sign(status, featureSigns[status], words);

function pastSpan({ days, uptime, words }: FeaturePast, hasBars: boolean, texts: TextSet): string {
  if (!hasBars) return `<span class="past">${escaped(words)}</span>`;
  return `<span class="past">${barsSvg(days, escaped(words))}<span>${figure(uptime, texts)}</span></span>`;
}

/** What the bars' colours mean. */
export function barsKey({ site: { key } }: TextSet): string {
  const entries = [
    ['g', key.normal],
    ['k', key.backup],
    ['w', key.partly],
    ['b', key.out],
    ['u', key.unknown],
  ] as const;
  const items = entries.map(
    ([name, words]) =>
      `<span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="${name}" d="M0 5H10"/></svg>${escaped(words)}</span>`,
  );
  return `<p class="key">${items.join('')}</p>`;
}

/** A backup by its model, or as what it is where the model is the usual one. */
const backupWords = (backup: string, usual: string, { site }: TextSet): string =>
  usual.endsWith(`/${backup}`) ? site.feature.sameModel : backup;

export function featureItem(feature: FeatureLine, hasBars: boolean, texts: TextSet): string {
  const more =
    feature.backup === null
      ? ''
      : `<span class="more">${escaped(filled(texts.site.feature.answers, { backup: backupWords(feature.backup, feature.preferred, texts) }))}</span>`;
  return `<li><span class="name">${escaped(feature.title)}</span>${stateSpan(feature.status, escaped(feature.words))}${more}${pastSpan(feature.past, hasBars, texts)}</li>`;
}

export function modelItem(model: ModelLine, { site: { story } }: TextSet): string {
  const more =
    model.since === null
      ? ''
      : `<span class="more">${marked(story.since, { time: time(model.since) })}</span>`;
  return `<li><span class="name">${escaped(model.model)}</span>${sign(model.status, modelSigns[model.status], escaped(model.words))}${more}</li>`;
}

export function storyArticle(site: Site, from: Place, story: Story): string {
  const { texts } = site;
  const words = texts.site.story;
  const [latest] = story.updates;
  const kind =
    latest?.isOurs === true
      ? ''
      : `<p>${escaped(texts.kinds[story.failureClass])}${story.isOpen ? ` ${escaped(dataWords(story, texts))}` : ''}</p>`;
  const next =
    story.nextUpdateAt === null || !story.isOpen
      ? ''
      : ` ${marked(words.next, { time: time(story.nextUpdateAt) })}`;
  const over =
    story.resolvedAt === null ? '' : `, ${marked(words.resolved, { time: time(story.resolvedAt) })}`;
  return `<article${story.isOpen ? '' : ' class="over"'}><h3><a href="${href(site, from, { incident: story.id })}">${escaped(story.title)}</a></h3>${kind}${latest === undefined ? '' : paragraphs(latest.text)}<p class="when">${marked(words.since, { time: time(story.startedAt) })}${over}.${next}</p></article>`;
}

export function plannedItem(
  planned: Planned,
  titles: ReadonlyMap<string, string>,
  { and, site: { planned: words } }: TextSet,
): string {
  const features = planned.features.flatMap((name) => titles.get(name) ?? []);
  const when =
    planned.kind === 'retirement'
      ? marked(words.from, { day: day(planned.from) })
      : `${marked(words.between, { from: time(planned.from), until: time(planned.until) })}${planned.state === 'in_progress' ? `, ${escaped(words.now)}` : ''}`;
  const whom =
    planned.kind === 'retirement' || features.length === 0
      ? ''
      : ` ${escaped(filled(words.affects, { features: listWords(features, and) }))}`;
  return `<li><span class="name">${escaped(planned.title)}</span><span class="more">${when}. ${escaped(planned.text)}${whom}</span></li>`;
}
