/** One incident for the public: what fails, whom it meets, what answers instead, where data went, five times, what was said. */
import { countedShare } from '../core/percent.ts';
import type { TextSet } from '../core/message-texts.ts';
import { filled } from '../core/site-words.ts';
import { dataWords } from '../core/status-story.ts';
import type { Story, StoryFeature } from '../core/status-story.ts';
import { listWords } from '../core/words.ts';
import { escaped, href, htmlPage, marked, paragraphs, time } from './html.ts';
import { stateSpan } from './pieces.ts';
import type { Site } from './site.ts';

const capitalised = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase());

function answeredWords(feature: StoryFeature, models: readonly string[], texts: TextSet): string {
  const { incident, feature: words } = texts.site;
  if (feature.backup === null) return incident.noBackup;
  const backup = models.includes(feature.backup) ? words.sameModel : feature.backup;
  if (feature.share === null) return filled(incident.answered, { backup });
  const share = countedShare(feature.share).replace('.', texts.decimal);
  return filled(incident.answeredShare, { backup, share });
}

function featureItem(feature: StoryFeature, models: readonly string[], texts: TextSet): string {
  const words = texts.site.incident;
  const normal =
    feature.normalAt === null
      ? escaped(words.notNormal)
      : marked(words.normalAt, { time: time(feature.normalAt) });
  const worst =
    feature.worst === feature.status
      ? ''
      : ` ${escaped(filled(words.worst, { state: texts.states[feature.worst] }))}`;
  return `<li><span class="name">${escaped(feature.title)}</span>${stateSpan(feature.status, escaped(texts.states[feature.status]))}<span class="more">${escaped(answeredWords(feature, models, texts))}${worst} ${normal}</span></li>`;
}

const timeNames = [
  'detected',
  'switched',
  'providerDeclared',
  'providerResolved',
  'normalRoutingResumed',
] as const;

function timesList(story: Story, { site: { times, incident } }: TextSet): string {
  const missing = escaped(story.isOpen ? incident.notYet : incident.notKnown);
  const rows = timeNames.map((name) => {
    const at = story.times[name];
    return `<dt>${escaped(times[name])}</dt><dd>${at === null ? missing : time(at)}</dd>`;
  });
  return `<dl>${rows.join('')}</dl>`;
}

function updates(story: Story, { site: { storyStates, incident } }: TextSet): string {
  const said = story.updates.map(
    (update) =>
      `<article class="over"><h3>${escaped(update.title ?? capitalised(storyStates[update.state]))}</h3>${paragraphs(update.text)}<p class="when">${time(update.at)}</p></article>`,
  );
  return said.length === 0 ? '' : `<h2>${escaped(incident.said)}</h2>${said.join('')}`;
}

export function incidentPage(site: Site, story: Story): string {
  const place = { incident: story.id } as const;
  const { texts } = site;
  const { incident: words, story: storyWords, storyStates, sections } = texts.site;
  const next =
    story.nextUpdateAt === null || !story.isOpen
      ? ''
      : `<p>${marked(storyWords.next, { time: time(story.nextUpdateAt) })}</p>`;
  const models =
    story.models.length === 0
      ? ''
      : `<p>${escaped(filled(story.models.length === 1 ? words.model : words.models, { models: listWords(story.models, texts.and) }))}</p>`;
  const features =
    story.features.length === 0
      ? `<p>${escaped(words.noFeature)}</p>`
      : `<ul class="list">${story.features.map((feature) => featureItem(feature, story.models, texts)).join('')}</ul>`;
  return htmlPage(site, {
    place,
    title: story.title,
    heading: `<p><a href="${href(site, place, 'home')}">${escaped(words.back)}</a></p><h1>${escaped(story.title)}</h1><p>${escaped(filled(words.state, { state: storyStates[story.state] }))}</p>`,
    body: `<h2>${escaped(words.what)}</h2><p>${escaped(texts.kinds[story.failureClass])}</p>${models}<p>${escaped(dataWords(story, texts))}</p>${next}<h2>${escaped(sections.features)}</h2>${features}<h2>${escaped(words.when)}</h2>${timesList(story, texts)}${updates(story, texts)}`,
  });
}
