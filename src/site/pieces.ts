/** Pieces of pages: a feature with its past, a model, an incident in short. */
import type { FeaturePast } from '../core/status-history.ts';
import type { FeatureLine, ModelLine, ModelStatus } from '../core/status-page.ts';
import type { Planned } from '../core/status-planned.ts';
import { classWords, dataWords } from '../core/status-story.ts';
import type { Story } from '../core/status-story.ts';
import type { FeatureStatus } from '../core/status.ts';
import { listWords } from '../core/words.ts';
import { barsSvg } from './bars.ts';
import { day, escaped, href, paragraphs, time } from './html.ts';
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

export const figure = (uptime: number | null): string =>
  uptime === null ? 'no data' : `${uptime.toFixed(2)} %`;

const sign = (name: string, shape: string, words: string): string =>
  `<span class="state ${name}"><span aria-hidden="true">${shape}</span> ${words}</span>`;

export const stateSpan = (status: FeatureStatus, words: string): string =>
  sign(status, featureSigns[status], words);

export function pastSpan({ days, uptime, words }: FeaturePast, hasBars: boolean): string {
  if (!hasBars) return `<span class="past">${escaped(words)}</span>`;
  return `<span class="past">${barsSvg(days, escaped(words))}<span>${figure(uptime)}</span></span>`;
}

/** What the bars' colours mean. */
export const barsKey = `<p class="key">${[
  ['g', 'no failures'],
  ['k', 'on a backup model'],
  ['w', 'slow or partly failing'],
  ['b', 'paused or not available'],
  ['u', 'no data'],
]
  .map(
    ([name, words]) =>
      `<span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="${name}" d="M0 5H10"/></svg>${words}</span>`,
  )
  .join('')}</p>`;

/** A backup by its model, or as what it is where the model is the usual one. */
export const backupWords = (backup: string, usual: string): string =>
  usual.endsWith(`/${backup}`) ? 'The same model at another provider' : backup;

export function featureItem(feature: FeatureLine, hasBars: boolean): string {
  const more =
    feature.backup === null
      ? ''
      : `<span class="more">${escaped(backupWords(feature.backup, feature.preferred))} answers instead.</span>`;
  return `<li><span class="name">${escaped(feature.title)}</span>${stateSpan(feature.status, feature.words)}${more}${pastSpan(feature.past, hasBars)}</li>`;
}

export function modelItem(model: ModelLine): string {
  const more = model.since === null ? '' : `<span class="more">since ${time(model.since)}</span>`;
  return `<li><span class="name">${escaped(model.model)}</span>${sign(model.status, modelSigns[model.status], model.words)}${more}</li>`;
}

export function storyArticle(site: Site, from: Place, story: Story): string {
  const [latest] = story.updates;
  const kind =
    latest?.isOurs === true
      ? ''
      : `<p>${escaped(classWords[story.failureClass])}${story.isOpen ? ` ${escaped(dataWords(story))}` : ''}</p>`;
  const next =
    story.nextUpdateAt === null || !story.isOpen ? '' : ` Next update by ${time(story.nextUpdateAt)}.`;
  const over = story.resolvedAt === null ? '' : `, resolved ${time(story.resolvedAt)}`;
  return `<article${story.isOpen ? '' : ' class="over"'}><h3><a href="${href(site, from, { incident: story.id })}">${escaped(story.title)}</a></h3>${kind}${latest === undefined ? '' : paragraphs(latest.text)}<p class="when">since ${time(story.startedAt)}${over}.${next}</p></article>`;
}

export function plannedItem(planned: Planned, titles: ReadonlyMap<string, string>): string {
  const features = planned.features.flatMap((name) => titles.get(name) ?? []);
  const when =
    planned.kind === 'retirement'
      ? `from ${day(planned.from)} on`
      : `${time(planned.from)} to ${time(planned.until)}${planned.state === 'in_progress' ? ', going on now' : ''}`;
  const whom =
    planned.kind === 'retirement' || features.length === 0 ? '' : ` Affects ${escaped(listWords(features))}.`;
  return `<li><span class="name">${escaped(planned.title)}</span><span class="more">${when}. ${escaped(planned.text)}${whom}</span></li>`;
}
