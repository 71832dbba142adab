/** What users of a feature saw, as pictures: outcomes as stacked bars, waiting times below them. */
import { durationWords } from '../core/words.ts';
import { escaped } from '../site/html.ts';
import { seenOutcomes } from '../simulation/tally.ts';
import type { SeenOutcome } from '../simulation/tally.ts';
import type { Window } from './drill-claims.ts';
import type { FeatureDrill, MinuteReport } from './drill-report.ts';
import { minuteText, outcomeWords, requestsOf } from './drill-words.ts';

const colours: Readonly<Record<SeenOutcome, string>> = {
  answered: '#2f855a',
  backup: '#3182ce',
  limited: '#805ad5',
  agreed: '#319795',
  cut: '#9b2c2c',
  asked: '#d69e2e',
  refused: '#718096',
  busy: '#dd6b20',
  failed: '#e53e3e',
};

export const outcomeColour = (outcome: SeenOutcome): string => colours[outcome];

const chart = { width: 920, height: 90, waitHeight: 40 } as const;
const barsMax = 240;

type Bar = { readonly x: number; readonly width: number; readonly minutes: readonly MinuteReport[] };

/** Several minutes in one bar where there are many. */
function barsOf(minutes: readonly MinuteReport[]): readonly Bar[] {
  const perBar = Math.max(1, Math.ceil(minutes.length / barsMax));
  const width = (chart.width * perBar) / minutes.length;
  return Array.from({ length: Math.ceil(minutes.length / perBar) }, (_, index) => {
    const part = minutes.slice(index * perBar, (index + 1) * perBar);
    return { x: index * width, width: (width * part.length) / perBar, minutes: part };
  });
}

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

function rect(box: Box, fill: string, title: string): string {
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((each) => each.toFixed(2));
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"><title>${title}</title></rect>`;
}

function outcomeBar({ x, width, minutes }: Bar): string {
  const total = minutes.reduce((sum, { outcomes }) => sum + requestsOf(outcomes), 0);
  let y = 0;
  return seenOutcomes
    .map((outcome) => {
      const seen = minutes.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0);
      if (seen === 0) return '';
      const height = (seen / total) * chart.height;
      const title = `${minuteText(minutes[0]?.minute ?? 0)}: ${seen} ${outcomeWords[outcome]}`;
      y += height;
      return rect({ x, y: y - height, width: width + 0.05, height }, colours[outcome], title);
    })
    .join('');
}

const waitOf = ({ minutes }: Bar): number => Math.max(0, ...minutes.map(({ waitMs }) => waitMs ?? 0));

function waitBar(bar: Bar, longest: number): string {
  const waitMs = waitOf(bar);
  if (waitMs === 0) return '';
  const height = (waitMs / longest) * chart.waitHeight;
  const title = `${minuteText(bar.minutes[0]?.minute ?? 0)}: 95 % waited ${durationWords(waitMs)} at most`;
  const box = { x: bar.x, y: chart.waitHeight - height, width: bar.width + 0.05, height };
  return rect(box, '#718096', title);
}

function picture(height: number, label: string, shapes: string): string {
  return `<svg viewBox="0 0 ${chart.width} ${height}" shape-rendering="crispEdges" role="img" aria-label="${escaped(label)}">${shapes}</svg>`;
}

/** Outcomes and waiting times over the drill, with the trouble marked below. */
export function outcomeCharts({ title, minutes }: FeatureDrill, { from, to }: Window): string {
  const bars = barsOf(minutes);
  const longest = Math.max(1, ...bars.map(waitOf));
  const perMinute = chart.width / Math.max(1, minutes.length);
  const trouble = rect(
    { x: from * perMinute, y: 0, width: (to - from) * perMinute, height: 4 },
    '#e53e3e',
    `in trouble from ${minuteText(from)} to ${minuteText(to)}`,
  );
  return `<figure>${picture(chart.height, `${title}: what users saw, minute by minute`, bars.map(outcomeBar).join(''))}${picture(4, `${title}: when something is wrong`, trouble)}<div class="axis"><span>00:00</span><span>${minuteText(minutes.length)}</span></div>${picture(chart.waitHeight, `${title}: how long 95 % waited, minute by minute`, bars.map((bar) => waitBar(bar, longest)).join(''))}<figcaption>Above: what users saw, with the trouble marked red below it. Below: how long 95 % waited, at most ${durationWords(longest)}.</figcaption></figure>`;
}
