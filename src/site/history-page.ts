/** The last 90 days in words and figures: the same as the bars, for those who read; and how uptime is counted. */
import { uptimePercent } from '../core/status-history.ts';
import type { DayTally } from '../core/status-history.ts';
import type { TextSet } from '../core/message-texts.ts';
import type { FeatureLine } from '../core/status-page.ts';
import type { FeatureStatus } from '../core/status.ts';
import { durationWords } from '../core/words.ts';
import { day as dayTime, escaped, href, htmlPage } from './html.ts';
import { figure, storyArticle } from './pieces.ts';
import type { Site } from './site.ts';

const told: readonly FeatureStatus[] = ['unavailable', 'paused', 'partial', 'slow', 'backup'];

function dayRow(day: DayTally, texts: TextSet): string {
  const parts = told.flatMap((status) =>
    day[status] === 0 ? [] : [`${durationWords(day[status])} ${texts.states[status]}`],
  );
  if (parts.length === 0) return '';
  return `<tr><th scope="row">${dayTime(day.day)}</th><td>${figure(uptimePercent(day), texts)}</td><td>${escaped(parts.join('; '))}</td></tr>`;
}

function featureSection({ title, past }: FeatureLine, texts: TextSet): string {
  const words = texts.site.past;
  const rows = [...past.days]
    .reverse()
    .map((each) => dayRow(each, texts))
    .join('');
  const table =
    rows === ''
      ? ''
      : `<div class="wide"><table><thead><tr><th scope="col">${escaped(words.day)}</th><th scope="col">${escaped(words.uptime)}</th><th scope="col">${escaped(words.unusual)}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return `<h3>${escaped(title)}</h3><p>${escaped(past.words)}</p>${table}`;
}

export function historyPage(site: Site): string {
  const { page, texts } = site;
  const { past: words, incident, sections } = texts.site;
  const past = page.stories.map((story) => storyArticle(site, 'history', story)).join('');
  return htmlPage(site, {
    place: 'history',
    title: words.title,
    heading: `<p><a href="${href(site, 'history', 'home')}">${escaped(incident.back)}</a></p><h1>${escaped(words.title)}</h1>`,
    body: `<h2>${escaped(words.counted)}</h2><p>${escaped(words.maths)}</p><h2>${escaped(sections.features)}</h2>${page.features.map((each) => featureSection(each, texts)).join('')}<h2>${escaped(words.incidents)}</h2>${past === '' ? `<p>${escaped(words.none)}</p>` : past}`,
  });
}
