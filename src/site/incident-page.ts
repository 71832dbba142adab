/** One incident for the public: what fails, whom it meets, what answers instead, where data went, five times, what was said. */
import { featureWords } from '../core/feature-words.ts';
import { countedShare } from '../core/percent.ts';
import { classWords, dataWords } from '../core/status-story.ts';
import type { Story, StoryFeature } from '../core/status-story.ts';
import { listWords } from '../core/words.ts';
import { escaped, href, htmlPage, paragraphs, time } from './html.ts';
import { stateSpan } from './pieces.ts';
import type { Site } from './site.ts';

const stateWords = {
  investigating: 'being looked into',
  identified: 'understood, and being worked on',
  monitoring: 'coming back, and being watched',
  resolved: 'resolved',
  postmortem: 'resolved and reviewed',
} as const;

const capitalised = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase());

function answeredWords(feature: StoryFeature, models: readonly string[]): string {
  if (feature.backup === null) return 'No backup model was used.';
  const backup = models.includes(feature.backup) ? 'The same model at another provider' : feature.backup;
  const share = feature.share === null ? '' : ` for ${countedShare(feature.share)} of its requests meanwhile`;
  return `${backup} answered instead${share}.`;
}

function featureItem(feature: StoryFeature, models: readonly string[]): string {
  const normal =
    feature.normalAt === null
      ? 'Normal routing has not resumed yet.'
      : `Normal routing resumed ${time(feature.normalAt)}.`;
  const worst = feature.worst === feature.status ? '' : ` At worst: ${featureWords[feature.worst]}.`;
  return `<li><span class="name">${escaped(feature.title)}</span>${stateSpan(feature.status, featureWords[feature.status])}<span class="more">${escaped(answeredWords(feature, models))}${worst} ${normal}</span></li>`;
}

const timeNames = [
  ['detected', 'We noticed'],
  ['switched', 'We moved requests away'],
  ['providerDeclared', 'The provider announced it'],
  ['providerResolved', 'The provider called it resolved'],
  ['normalRoutingResumed', 'Normal routing resumed'],
] as const;

function timesList(story: Story): string {
  const rows = timeNames.map(([name, words]) => {
    const at = story.times[name];
    return `<dt>${words}</dt><dd>${at === null ? (story.isOpen ? 'not yet' : 'not known') : time(at)}</dd>`;
  });
  return `<dl>${rows.join('')}</dl>`;
}

function updates(story: Story): string {
  const said = story.updates.map(
    (update) =>
      `<article class="over"><h3>${escaped(update.title ?? capitalised(stateWords[update.state]))}</h3>${paragraphs(update.text)}<p class="when">${time(update.at)}</p></article>`,
  );
  return said.length === 0 ? '' : `<h2>What we said</h2>${said.join('')}`;
}

export function incidentPage(site: Site, story: Story): string {
  const place = { incident: story.id } as const;
  const next =
    story.nextUpdateAt === null || !story.isOpen ? '' : `<p>Next update by ${time(story.nextUpdateAt)}.</p>`;
  const models =
    story.models.length === 0
      ? ''
      : `<p>${story.models.length === 1 ? 'Model' : 'Models'} affected: ${escaped(listWords(story.models))}.</p>`;
  const features =
    story.features.length === 0
      ? '<p>No feature is affected.</p>'
      : `<ul class="list">${story.features.map((feature) => featureItem(feature, story.models)).join('')}</ul>`;
  return htmlPage(site, {
    place,
    title: story.title,
    heading: `<p><a href="${href(site, place, 'home')}">How it is now</a></p><h1>${escaped(story.title)}</h1><p>This incident is ${stateWords[story.state]}.</p>`,
    body: `<h2>What it is</h2><p>${escaped(classWords[story.failureClass])}</p>${models}<p>${escaped(dataWords(story))}</p>${next}<h2>Features</h2>${features}<h2>When</h2>${timesList(story)}${updates(story)}`,
  });
}
