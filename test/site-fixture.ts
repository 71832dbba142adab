/** A status site on a bad day, with a past: everything that a page can show at once. */
import { instant } from '../src/core/ids.ts';
import type { Instant } from '../src/core/ids.ts';
import { dayMs } from '../src/core/status-history.ts';
import type { StatusInterval } from '../src/core/status-history.ts';
import { buildStatusPage } from '../src/core/status-page.ts';
import { german } from '../src/core/german.ts';
import { shippedLocales } from '../src/core/message.ts';
import { english } from '../src/core/message-texts.ts';
import type { Message } from '../src/core/message.ts';
import type { Planned } from '../src/core/status-planned.ts';
import type { Story } from '../src/core/status-story.ts';
import type { FeatureStatus, FeatureView } from '../src/core/status.ts';
import type { Site } from '../src/site/site.ts';

export const noon = instant(Date.UTC(2026, 5, 7, 12));
const minute = 60_000;
const ago = (minutes: number): Instant => instant(noon - minutes * minute);

const statuses: readonly FeatureStatus[] = ['normal', 'backup', 'slow', 'partial', 'paused', 'unavailable'];

/** Quiet since a while, with some bad days; `eventful` has everything on each day. */
function past(feature: string, eventful: boolean): StatusInterval[] {
  const intervals: StatusInterval[] = [];
  const first = noon - (eventful ? 89 : 70) * dayMs;
  for (let at = first, n = 0; at < noon; n++) {
    const isOdd = eventful || n % 9 === 4;
    const status = isOdd ? (statuses[n % statuses.length] ?? 'normal') : 'normal';
    const until = Math.min(noon, at + (isOdd ? (eventful ? 2.5 : 1) * 3_600_000 : dayMs));
    intervals.push({ feature, status, since: instant(at), until: instant(until) });
    at = until;
  }
  return intervals;
}

export function aStory(changes: Partial<Story> = {}): Story {
  return {
    id: 'inc_01975000-0000-7000-8000-000000000001',
    title: 'Claude Opus 4.7 and 4.8 are failing',
    state: 'identified',
    isOpen: true,
    failureClass: 'availability',
    impact: 'major',
    startedAt: ago(50),
    updatedAt: ago(10),
    resolvedAt: null,
    nextUpdateAt: instant(noon + 20 * minute),
    models: ['claude-opus-4-7', 'claude-opus-4-8'],
    features: [
      {
        feature: 'f0',
        title: 'Meeting notes',
        status: 'backup',
        worst: 'partial',
        backup: 'gpt-5.2',
        share: 0.384,
        normalAt: null,
      },
      {
        feature: 'f4',
        title: 'Contract review <of & "all">',
        status: 'paused',
        worst: 'paused',
        backup: null,
        share: null,
        normalAt: null,
      },
    ],
    dataLeftTo: ['OpenAI'],
    times: {
      detected: ago(50),
      switched: ago(49),
      providerDeclared: ago(20),
      providerResolved: null,
      normalRoutingResumed: null,
    },
    updates: [
      {
        id: 'upd_2',
        at: ago(10),
        state: 'identified',
        title: 'Working with a backup model',
        text: 'Meeting notes works with a backup model.\n\nYou need to do nothing.',
        isOurs: false,
        features: [{ feature: 'f0', status: 'backup' }],
      },
      {
        id: 'upd_1',
        at: ago(45),
        state: 'investigating',
        title: null,
        text: 'We look into failures <script>.',
        isOurs: false,
        features: [
          { feature: 'f0', status: 'partial' },
          { feature: 'f4', status: 'paused' },
        ],
      },
    ],
    ...changes,
  };
}

export function aMessage(changes: Partial<Message> = {}): Message {
  return {
    id: 'pub_01975000-0000-7000-8000-000000000009',
    incident: aStory().id,
    stage: 'backup',
    state: 'published',
    at: ago(10),
    by: 'mara',
    automatic: false,
    reason: null,
    texts: {
      en: {
        title: 'Working with a backup model',
        body: 'Meeting notes works with a backup model.',
        desk: 'Say so.',
      },
      de: {
        title: 'Ein Ersatzmodell antwortet',
        body: 'Besprechungsnotizen laufen mit einem Ersatzmodell.',
        desk: '',
      },
    },
    nextUpdateAt: instant(noon + 20 * minute),
    features: [{ feature: 'f0', status: 'backup' }],
    ...changes,
  };
}

export const overStory = (n: number): Story =>
  aStory({
    id: `inc_01974000-0000-7000-8000-00000000000${n}`,
    title: `Answers were slow (${n})`,
    state: 'resolved',
    isOpen: false,
    failureClass: 'latency',
    startedAt: ago(60 * 24 * n),
    updatedAt: ago(60 * 24 * n - 60),
    resolvedAt: ago(60 * 24 * n - 60),
    nextUpdateAt: null,
    dataLeftTo: [],
  });

const planned: readonly Planned[] = [
  {
    id: 'mnt_database-move_20260610',
    kind: 'maintenance',
    title: 'Database move; short pauses, all regions',
    text: 'Answers may take longer.\nNothing to do, “really” – äöü 雪.',
    from: instant(noon + 3 * dayMs),
    until: instant(noon + 3 * dayMs + 3_600_000),
    features: ['f0'],
    models: [],
    state: 'scheduled',
  },
  {
    id: 'ret_claude-opus-4-7_20261001',
    kind: 'retirement',
    title: 'claude-opus-4-7 may be retired',
    text: 'Its maker promises to keep claude-opus-4-7 until 2026-10-01. Used by Meeting notes.',
    from: instant(Date.UTC(2026, 9, 1)),
    until: instant(Date.UTC(2026, 9, 2)),
    features: ['f0'],
    models: ['claude-opus-4-7'],
    state: 'scheduled',
  },
];

const titles = [
  'Meeting notes',
  'Chat',
  'Search answers',
  'Summaries',
  'Contract review <of & "all">',
  'Translation',
];

export type SiteShape = {
  readonly features?: number;
  readonly eventful?: boolean;
  readonly stories?: readonly Story[];
  readonly settings?: Partial<Site['settings']>;
  /** With German beside English, this one speaks. */
  readonly locale?: 'en' | 'de';
};

export function aSite({
  features = 6,
  eventful = false,
  stories,
  settings = {},
  locale,
}: SiteShape = {}): Site {
  const texts = locale === 'de' ? german : english;
  const views = Array.from({ length: features }, (_, n): FeatureView => ({
    feature: `f${n}`,
    title: titles[n] ?? `Feature number ${n} with a long name`,
    status: statuses[(n + 1) % statuses.length] ?? 'normal',
    preferred: 'anthropic/claude-opus-4-8',
    serving: 'openai/gpt-5.2',
  }));
  return {
    page: buildStatusPage(
      {
        features: views,
        targets: ['claude-opus-4-8', 'claude-opus-4-7', 'gpt-5.2', 'gemini-3-flash', 'mistral-large'].map(
          (model, n) => ({
            target: `p/${model}`,
            model,
            vendor: 'v',
            gate: (['ejected', 'ejected', 'healthy', 'ramping', 'healthy'] as const)[n] ?? 'healthy',
            gateSince: n % 2 === 0 ? null : ago(49),
            pausedSince: n === 4 ? ago(30) : null,
          }),
        ),
        history: new Map(views.map(({ feature }, n) => [feature, past(feature, eventful || n === 1)])),
        stories: stories ?? [aStory(), overStory(1), overStory(2)],
        planned,
        now: noon,
      },
      texts,
    ),
    said: new Map([[aStory().id, aMessage()]]),
    locales: locale === undefined ? new Map([['en', english]]) : shippedLocales,
    locale: locale ?? 'en',
    texts,
    isChosen: false,
    settings: {
      title: 'Acme AI status',
      url: 'https://status.acme.example/status',
      logo: 'data:image/svg+xml,%3Csvg%20xmlns%3D%22http%3A%2F%2Fwww.w3.org%2F2000%2Fsvg%22%20viewBox%3D%220%200%2010%2010%22%3E%3Ccircle%20cx%3D%225%22%20cy%3D%225%22%20r%3D%225%22%20fill%3D%22%231d4f91%22%2F%3E%3C%2Fsvg%3E',
      css: '',
      support: 'mailto:help@acme.example',
      ...settings,
    },
    flavour: 'served',
    origin: null,
  };
}
