/** What a buyer asks about continuity, as a document. */
import { writtenShare } from '../core/percent.ts';
import type { Verdict } from '../core/coverage.ts';
import { dayText, momentText } from '../core/moment.ts';
import type { ContinuityReport } from '../core/report-continuity.ts';
import { hops } from '../core/target.ts';
import { countWords, hopWords, keptWords, listWords } from '../core/words.ts';
import { table, text } from './document.ts';
import type { ReportDocument, Section } from './document.ts';

const modeWords = {
  auto: 'automatic',
  notify: 'automatic, and the user is told',
  reduce: 'automatic, in the limited mode',
  ask: 'only if the user agrees',
  never: 'never',
} as const;

const verdictWords: Readonly<Record<Verdict, string>> = {
  survives: 'goes on by itself',
  reduced: 'goes on in the limited mode',
  asks: 'goes on if the user agrees',
  stops: 'stops',
};

const toldWords: Readonly<Record<string, string>> = {
  none: 'nothing to tell, or nothing told',
  header: 'in the headers of the answer',
  notice: 'by a notice in the answer',
  asked: 'asked first',
  refused: 'refused, with the reason',
};

function automatic({ fallbacks }: ContinuityReport): Section {
  return {
    title: 'Are fallbacks automatic?',
    parts: [
      table(
        ['Feature', 'Route', ...hops.map((hop) => hopWords[hop]), 'When an answer breaks off'],
        fallbacks.map(({ title, route, modes, midStream }) => [
          title,
          route.join(', then '),
          ...hops.map((hop) => modeWords[modes[hop]]),
          midStream === 'continue' ? 'another target carries on' : 'an error in the stream',
        ]),
        'No feature is configured.',
      ),
    ],
  };
}

function visible({ told, reasons, since }: ContinuityReport): Section {
  return {
    title: 'Are they visible?',
    parts: [
      text(
        'Every answer says in its headers which model and provider answered, which hop led there and which boundary content crossed; a stream that breaks off ends with an error, never as if it were whole.',
      ),
      text(`What users were told since ${dayText(since)}:`),
      table(
        ['Told', 'Requests'],
        told.map((each) => [toldWords[each.told] ?? each.told, String(each.requests)]),
        'No request was recorded.',
      ),
      text('Why the preferred target did not answer:'),
      table(
        ['Reason', 'Requests'],
        reasons.map((each) => [each.reason, String(each.requests)]),
        'It always did.',
      ),
    ],
  };
}

function configurable({ snapshot }: ContinuityReport): Section {
  return {
    title: 'Are they configurable?',
    parts: [
      text(
        `Each feature has its own route, its own rule for each kind of hop, and data classes that hold on every hop. Callers can narrow it for one request. A person can take a provider, model, family, region or target out by a switch, at once and without a deployment. The configuration in force is ${snapshot}.`,
      ),
    ],
  };
}

function recorded({ recorded: facts, since }: ContinuityReport): Section {
  const mode =
    facts.mode === 'strict'
      ? 'An answer ends only when its record is on disk.'
      : 'What cannot be recorded is counted, and no answer waits for it.';
  const byClass = facts.retentionByClass
    .map(({ dataClass, days }) => `, of the class ${dataClass} for ${countWords(days, 'day')}`)
    .join('');
  return {
    title: 'Are they recorded?',
    parts: [
      text(
        `Every request has a record: candidates with the reason for each exclusion, every attempt, who received content, what the user was told. ${countWords(facts.records, 'record')} since ${dayText(since)}. Records are kept for ${countWords(facts.retentionDays, 'day')}${byClass}. ${mode}`,
      ),
      text(`Records and decisions stand in one ledger whose changes show. ${facts.ledger}`),
    ],
  };
}

function processing({ providers, processing: classes }: ContinuityReport): Section {
  return {
    title: 'Which provider may process which data?',
    parts: [
      table(
        [
          'Provider',
          'Company',
          'Regions',
          'Keeps content',
          'Trains on it',
          'Agreement',
          'Facts hold until',
          'Promised availability',
        ],
        providers.map((each) => [
          each.local ? `${each.provider} (own machines)` : each.provider,
          each.entity ?? 'unknown',
          each.regions.length === 0 ? 'unknown' : each.regions.join(', '),
          keptWords(each.retention),
          each.training,
          each.agreement ?? '–',
          each.expiresAt === null ? 'no date' : dayText(each.expiresAt),
          each.sla === null ? '–' : writtenShare(each.sla),
        ]),
        'No provider is configured.',
      ),
      text('What is unknown counts as worst. By class of data:'),
      table(
        ['Data class', 'Provider', 'May process it', 'Why not'],
        classes.flatMap(({ dataClass, providers: each }) =>
          each.map(({ provider, objection }) => [
            dataClass,
            provider,
            objection === null ? 'yes' : 'no',
            objection ?? '–',
          ]),
        ),
        'No data class is configured: any provider of a route may process its content.',
      ),
    ],
  };
}

function losses({ losses: each }: ContinuityReport): Section {
  return {
    title: 'What remains when a provider is lost?',
    parts: [
      table(
        ['Lost', 'Feature', 'Then it', 'Answered by'],
        each.flatMap(({ provider, features }) =>
          features.map(({ title, verdict, by }) => [provider, title, verdictWords[verdict], by ?? '–']),
        ),
        'No feature uses any provider.',
      ),
    ],
  };
}

const moment = (at: number | null): string =>
  at === null ? '–' : `${momentText(at).slice(0, 16).replace('T', ' ')} UTC`;

function incidents({ incidents: list, since }: ContinuityReport): Section {
  return {
    title: `What happened in each incident since ${dayText(since)}?`,
    parts: [
      table(
        [
          'Incident',
          'Kind',
          'State',
          'Opened',
          'Traffic moved',
          'Normal again',
          'Requests hit',
          'Failed or cut',
          'Answered by a backup',
          'Content also went to',
        ],
        list.map((each) => [
          `${each.title} (${each.id})`,
          each.failureClass,
          each.state,
          moment(each.openedAt),
          moment(each.switchedAt),
          moment(each.normalAt),
          String(each.requests),
          String(each.failed),
          String(each.rescued),
          each.leftTo.length === 0 ? 'nobody else' : listWords(each.leftTo),
        ]),
        'There was none.',
      ),
    ],
  };
}

export function continuityDocument(report: ContinuityReport): ReportDocument {
  return {
    title: 'Continuity of AI features',
    intro: `As of ${moment(report.at)}, from the configuration in force and from what was recorded.`,
    sections: [
      automatic(report),
      visible(report),
      configurable(report),
      recorded(report),
      processing(report),
      losses(report),
      incidents(report),
    ],
  };
}
