/** The last 90 days in words and figures: the same as the bars, for those who read; and how uptime is counted. */
import { uptimePercent } from '../core/status-history.ts';
import type { DayTally } from '../core/status-history.ts';
import { featureWords } from '../core/feature-words.ts';
import type { FeatureLine } from '../core/status-page.ts';
import type { FeatureStatus } from '../core/status.ts';
import { durationWords } from '../core/words.ts';
import { day as dayTime, escaped, href, htmlPage } from './html.ts';
import { figure, storyArticle } from './pieces.ts';
import type { Site } from './site.ts';

const told: readonly FeatureStatus[] = ['unavailable', 'paused', 'partial', 'slow', 'backup'];

function dayRow(day: DayTally): string {
  const parts = told.flatMap((status) =>
    day[status] === 0 ? [] : [`${durationWords(day[status])} ${featureWords[status]}`],
  );
  if (parts.length === 0) return '';
  return `<tr><th scope="row">${dayTime(day.day)}</th><td>${figure(uptimePercent(day))}</td><td>${parts.join('; ')}</td></tr>`;
}

function featureSection({ title, past }: FeatureLine): string {
  const rows = [...past.days].reverse().map(dayRow).join('');
  const table =
    rows === ''
      ? ''
      : `<div class="wide"><table><thead><tr><th scope="col">Day (UTC)</th><th scope="col">Uptime</th><th scope="col">Not as usual</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return `<h3>${escaped(title)}</h3><p>${escaped(past.words)}</p>${table}`;
}

const maths = `<p>Uptime is 1 − (not available + paused by us + 0.3 × some requests fail) ÷ (time that was watched), rounded down. Time on a backup model is shown apart and is not downtime; neither is time that was slower than usual. Time that nobody watched is left out.</p>`;

export function historyPage(site: Site): string {
  const { page } = site;
  const past = page.stories.map((story) => storyArticle(site, 'history', story)).join('');
  return htmlPage(site, {
    place: 'history',
    title: 'The last 90 days',
    heading: `<p><a href="${href(site, 'history', 'home')}">How it is now</a></p><h1>The last 90 days</h1>`,
    body: `<h2>How uptime is counted</h2>${maths}<h2>Features</h2>${page.features.map(featureSection).join('')}<h2>Incidents</h2>${past === '' ? '<p>None.</p>' : past}`,
  });
}
