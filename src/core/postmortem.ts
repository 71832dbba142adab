/**
 * The draft of a post-mortem: what the system knows, so that nobody types it, and room for what only people know. Every
 * number is followed by the query that gives it again. It speaks of what happened and what was decided, never of guilt.
 */
import type { Incident, TimelineEntry } from './incident.ts';
import { modelsOf } from './incident.ts';
import { hitKinds } from './incident-hits.ts';
import type { HitKind } from './incident-hits.ts';
import { rescuedShare } from './incident-impact.ts';
import type { Impact } from './incident-impact.ts';
import type { Instant } from './ids.ts';
import { modelWords } from './model-names.ts';
import { momentText } from './moment.ts';
import { countedShare } from './percent.ts';
import { countWords, durationWords, listWords } from './words.ts';

export type PostmortemInput = {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly impact: Impact;
  readonly asked: ReadonlyMap<string, number>;
};

const clock = (at: Instant | null): string =>
  at === null ? 'not yet' : `${momentText(at).slice(0, 19).replace('T', ' ')} UTC`;

const hitWords: Readonly<Record<HitKind, string>> = {
  failed: 'got an error',
  rescued: 'were answered by another model',
  asked: 'were asked before another model would answer',
  refused: 'were refused by policy',
  delayed: 'were delayed',
  cut: 'were cut off in the middle',
};

/** Names come from people and providers: they must not become markup. */
const plain = (text: string): string =>
  text.replaceAll(/[|<>\n\r`*_[\]]/g, (each) =>
    each === '|' ? '/' : each === '\n' || each === '\r' ? ' ' : `\\${each}`,
  );

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function summary({ incident, impact }: PostmortemInput): readonly string[] {
  const { times } = incident;
  const models = modelWords(modelsOf(incident));
  const end = times.normalRoutingResumed;
  const lasted =
    times.detected === null || end === null
      ? incident.state === 'resolved' || incident.state === 'reviewed'
        ? 'It was called resolved; routing is not as agreed again yet.'
        : incident.mergedInto !== null
          ? `It was made part of ${incident.mergedInto}, and goes on there.`
          : incident.state === 'dismissed'
            ? 'It was dismissed: it was nothing, or nothing of ours.'
            : 'It is not over yet.'
      : `From detection to normal routing it took ${durationWords(end - times.detected)}.`;
  const features = incident.features.map(({ title }) => plain(title));
  return [
    `${models === '' ? plain(incident.title) : `${models} failed`} (class **${incident.failureClass}**, ${incident.severity}). ${lasted}`,
    features.length === 0 ? 'No feature was affected.' : `Affected: ${listWords(features)}.`,
    `${countWords(impact.total, 'request')} met it: ${listWords(hitKinds.filter((kind) => impact.by[kind] > 0).map((kind) => `${impact.by[kind]} ${hitWords[kind]}`)) || 'none'}.`,
    ...incident.reasoning.map(plain),
  ];
}

function timesTable({ incident }: PostmortemInput): readonly string[] {
  const { times } = incident;
  const after = (at: Instant | null): string =>
    at === null || times.detected === null
      ? ''
      : at >= times.detected
        ? `+${durationWords(at - times.detected)}`
        : `−${durationWords(times.detected - at)}`;
  return [
    row('time', 'at', 'after detection'),
    row('---', '---', '---'),
    row('detected', clock(times.detected), ''),
    row('traffic moved', clock(times.switched), after(times.switched)),
    row('provider declared', clock(times.providerDeclared), after(times.providerDeclared)),
    row('provider resolved', clock(times.providerResolved), after(times.providerResolved)),
    row('normal routing resumed', clock(times.normalRoutingResumed), after(times.normalRoutingResumed)),
  ];
}

function featureTable({ incident, impact, asked }: PostmortemInput): readonly string[] {
  if (incident.features.length === 0) return ['No feature was affected.'];
  return [
    row('feature', 'worst', 'backup', 'requests', ...hitKinds, 'share on backup', 'normal again'),
    row('---', '---', '---', '--:', ...hitKinds.map(() => '--:'), '--:', '---'),
    ...incident.features.map((each) => {
      const felt = impact.features.get(each.feature);
      const total = asked.get(each.feature) ?? 0;
      return row(
        plain(each.title),
        each.worst,
        each.backup ?? '–',
        String(total),
        ...hitKinds.map((kind) => String(felt?.by[kind] ?? 0)),
        total === 0 ? '–' : countedShare(rescuedShare(felt, total)),
        clock(each.normalAt),
      );
    }),
  ];
}

function numbers({ incident, impact }: PostmortemInput): readonly string[] {
  const path = `incidents/${incident.id}/requests`;
  return [
    row('requests', 'number', 'query'),
    row('---', '--:', '---'),
    row('all that met it', String(impact.total), `\`GET /admin/v1/${path}\``),
    ...hitKinds.map((kind) =>
      row(hitWords[kind], String(impact.by[kind]), `\`GET /admin/v1/${path}?how=${kind}\``),
    ),
  ];
}

function boundary({ impact }: PostmortemInput): string {
  return impact.leftTo.size === 0
    ? 'Because of it, no content went to another company.'
    : `Because of it, content went to ${listWords([...impact.leftTo].map(([company, count]) => `${plain(company)} (${countWords(count, 'request')})`))}. Query: \`data_left_to\` of each request.`;
}

function entryLine(entry: TimelineEntry): string {
  const late = entry.notedAt - entry.at > 60_000 ? `, noted ${clock(entry.notedAt)}` : '';
  return `- **${clock(entry.at)}** ${plain(entry.text)} _(${entry.source}, ${plain(entry.by)}${late})_`;
}

function decisions(timeline: readonly TimelineEntry[]): readonly string[] {
  const made = timeline.filter(({ source }) => source === 'person' || source === 'playbook');
  return made.length === 0
    ? ['Nobody had to decide anything: what was agreed beforehand was carried out.']
    : made.map(entryLine);
}

function announced({ incident }: PostmortemInput): readonly string[] {
  const { announcements, times } = incident;
  if (announcements.length === 0)
    return [
      times.providerDeclared === null
        ? 'The provider has announced nothing that we know of.'
        : 'The provider’s announcement was written down by hand.',
    ];
  return announcements.map(
    ({ provider, title, url, declaredAt, resolvedAt }) =>
      `- ${plain(provider)}: "${plain(title)}"${url === null ? '' : ` <${url.replaceAll(/[<>\s]/g, '')}>`}, declared ${clock(declaredAt)}, resolved ${clock(resolvedAt)}.`,
  );
}

function lead({ incident }: PostmortemInput): string {
  const { detected, providerDeclared } = incident.times;
  if (detected === null || providerDeclared === null) return '';
  return providerDeclared >= detected
    ? `We knew ${durationWords(providerDeclared - detected)} before the provider said so.`
    : `The provider said so ${durationWords(detected - providerDeclared)} before we knew.`;
}

/** Markdown. A draft: the last part is for people. */
export function postmortem(input: PostmortemInput): string {
  const { incident, timeline } = input;
  const paragraphs: readonly (readonly string[])[] = [
    [`# ${plain(incident.title)}`],
    [`\`${incident.id}\`, ${incident.state}. Draft, generated from records and changes; times are UTC.`],
    ['## Summary'],
    summary(input),
    ['## Five times'],
    timesTable(input),
    ['## Whom it hit'],
    featureTable(input),
    numbers(input),
    [boundary(input)],
    ...(incident.frozen === null
      ? []
      : [
          [
            `The set of requests was frozen when it was reviewed: ${incident.frozen.count}, SHA-256 \`${incident.frozen.hash}\`.`,
          ],
        ]),
    ['## What the provider said'],
    [...announced(input), lead(input)].filter((line) => line !== ''),
    ['## What was decided, by whom and why'],
    decisions(timeline),
    ['## Timeline'],
    timeline.map(entryLine),
    ['## What we learn'],
    ['- What went well:', '- What was luck:', '- What we change, who does it, until when:'],
  ];
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
