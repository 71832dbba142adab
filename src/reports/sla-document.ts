/** The report of one month as a document. */
import { writtenShare } from '../core/percent.ts';
import { momentText } from '../core/moment.ts';
import type { FeatureSla, SlaReport, TargetSla } from '../core/report-sla.ts';
import { table, text } from './document.ts';
import type { ReportDocument, Section } from './document.ts';

const shareText = (share: number | null): string => (share === null ? '–' : writtenShare(share));
/** What was counted is never rounded up, least of all to a whole. */
const countedText = (share: number | null): string =>
  shareText(share === null ? null : Math.floor(share * 1e6 + 1e-6) / 1e6);
const timeText = (ms: number | null): string => (ms === null ? '–' : `${ms} ms`);

function features(report: SlaReport): Section {
  const row = (each: FeatureSla): readonly string[] => [
    each.title,
    String(each.requests),
    String(each.failed),
    countedText(each.availability),
    shareText(each.objective),
    countedText(each.budgetLeft),
    timeText(each.p50Ms),
    timeText(each.p99Ms),
    String(each.minutes.backup),
    String(each.minutes.unavailable + each.minutes.paused),
    String(each.minutes.unwatched),
  ];
  return {
    title: 'Features',
    parts: [
      text(
        'Availability: answers that arrived whole, of those that arrived, broke off or failed. What policy refused and what callers gave up is left out, and so are counts of tokens. Times are of whole answers, from the arrival of the request: those that a provider gave as a backup hold the wait for whoever failed before.',
      ),
      table(
        [
          'Feature',
          'Requests',
          'Failed',
          'Availability',
          'Aim',
          'Error budget left',
          'Median',
          '99 %',
          'Minutes on backup',
          'Minutes off',
          'Minutes unwatched',
        ],
        report.features.map(row),
        'No feature is configured.',
      ),
    ],
  };
}

const targetRow = (each: TargetSla): readonly string[] => [
  each.provider,
  ...(each.model === null ? [] : [each.model]),
  String(each.tries),
  String(each.failed),
  countedText(each.availability),
  shareText(each.promised),
  each.keepsPromise === null ? '–' : each.keepsPromise ? 'yes' : 'no',
  timeText(each.p50Ms),
  timeText(each.p99Ms),
];
const targetHead = ['Tried', 'Failed', 'Availability', 'Promised', 'Kept', 'Median', '99 %'];

function promises(report: SlaReport): Section {
  return {
    title: 'Promises',
    parts: [
      table(
        ['Feature', 'Promised', 'Verdict', 'Why'],
        report.features.map(({ title, promised, coherence }) => [
          title,
          shareText(promised),
          coherence.verdict.replaceAll('_', ' '),
          coherence.words,
        ]),
      ),
      text('How far failures went together, in windows of five minutes in which both were asked:'),
      table(
        ['Feature', 'One', 'Other', 'Correlation', 'Windows'],
        report.features.flatMap(({ title, coherence }) =>
          coherence.pairs.map((pair) => [
            title,
            pair.one,
            pair.other,
            pair.value === null ? 'not measured' : pair.value.toFixed(2),
            String(pair.windows),
          ]),
        ),
        'No feature has two providers with a promise.',
      ),
    ],
  };
}

export function slaDocument(report: SlaReport): ReportDocument {
  const cut = report.isCut ? ' Only the newest records of the month were counted.' : '';
  return {
    title: `Availability in ${report.month}`,
    intro: `From ${momentText(report.from)} to ${momentText(report.until)}, counted from records.${cut}`,
    sections: [
      features(report),
      {
        title: 'Providers',
        parts: [table(['Provider', ...targetHead], report.providers.map(targetRow), 'None was asked.')],
      },
      {
        title: 'Model versions',
        parts: [table(['Provider', 'Model', ...targetHead], report.models.map(targetRow), 'None was asked.')],
      },
      promises(report),
    ],
  };
}
