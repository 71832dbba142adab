/**
 * The status in the Statuspage v2 shape, so that the tools that read such pages read ours, with what that shape cannot
 * say in `x_ai`: a feature on a backup model is operational for its users, and yet not as usual.
 */
import { momentText, timeText } from '../core/moment.ts';
import type { Event } from '../core/status-page.ts';
import type { Planned } from '../core/status-planned.ts';
import { movesOf } from '../core/status-story.ts';
import type { Story, StoryState } from '../core/status-story.ts';
import type { FeatureStatus } from '../core/status.ts';
import { publicLink } from './site.ts';
import type { Site } from './site.ts';

type Json = { readonly [key: string]: unknown };

const componentStatus: Readonly<Record<FeatureStatus, string>> = {
  normal: 'operational',
  backup: 'operational',
  slow: 'degraded_performance',
  partial: 'partial_outage',
  paused: 'major_outage',
  unavailable: 'major_outage',
};
const indicators: Readonly<Record<FeatureStatus, string>> = {
  normal: 'none',
  backup: 'none',
  slow: 'minor',
  partial: 'minor',
  paused: 'major',
  unavailable: 'critical',
};
const eventStates: Readonly<Record<Event['state'], StoryState>> = {
  failing: 'investigating',
  paused: 'identified',
  returning: 'monitoring',
};

const pageId = 'breakwater';
const incidentsMax = 50;

const pageOf = (site: Site): Json => ({
  id: pageId,
  name: site.settings.title,
  url: publicLink('home', site),
  time_zone: 'Etc/UTC',
  updated_at: momentText(site.page.generatedAt),
});

const statusOf = ({ page }: Site): Json => ({
  indicator: indicators[page.overall],
  description: page.headline,
});

function componentsOf({ page }: Site): readonly Json[] {
  return page.features.map((feature, index) => ({
    id: feature.feature,
    name: feature.title,
    status: componentStatus[feature.status],
    created_at: momentText(feature.past.from ?? page.generatedAt),
    updated_at: momentText(feature.past.since ?? page.generatedAt),
    position: index + 1,
    description: feature.words,
    showcase: true,
    start_date: feature.past.from === null ? null : momentText(feature.past.from).slice(0, 10),
    group_id: null,
    page_id: pageId,
    group: false,
    only_show_if_degraded: false,
    x_ai: {
      state: feature.status,
      preferred: feature.preferred,
      serving: feature.serving,
      uptime_90d: feature.past.uptime,
      backup_ms_90d: feature.past.total.backup,
    },
  }));
}

const componentsNamed = (site: Site, names: readonly string[]): readonly Json[] =>
  componentsOf(site).filter(({ id }) => names.includes(id as string));

type Update = {
  readonly id: string;
  readonly state: string;
  readonly text: string;
  readonly at: number;
  readonly incident: string;
  /** What was affected, with how it was before and how it is after. */
  readonly affected: readonly Json[];
};

const stayed = (components: readonly Json[]): readonly Json[] =>
  components.map(({ id: code, name, status }) => ({ code, name, old_status: status, new_status: status }));

function updateOf({ id, state, text, at, incident, affected }: Update): Json {
  return {
    id,
    status: state,
    body: text,
    incident_id: incident,
    created_at: momentText(at),
    updated_at: momentText(at),
    display_at: momentText(at),
    affected_components: affected,
    deliver_notifications: true,
    custom_tweet: null,
    tweet_id: null,
  };
}

function storyJson(site: Site, story: Story): Json {
  const components = componentsNamed(
    site,
    story.features.map(({ feature }) => feature),
  );
  const { times } = story;
  const backups = [...new Set(story.features.flatMap(({ backup }) => backup ?? []))];
  const moves = movesOf(story);
  const titles = new Map(story.features.map(({ feature, title }) => [feature, title]));
  const monitored = [...story.updates].reverse().find(({ state }) => state === 'monitoring');
  return {
    id: story.id,
    name: story.title,
    status: story.state,
    created_at: momentText(story.startedAt),
    updated_at: momentText(story.updatedAt),
    monitoring_at: timeText(monitored?.at ?? null),
    resolved_at: timeText(story.resolvedAt),
    impact: story.impact,
    shortlink: publicLink({ incident: story.id }, site),
    started_at: momentText(story.startedAt),
    page_id: pageId,
    incident_updates: story.updates.map((update, index) =>
      updateOf({
        ...update,
        incident: story.id,
        affected: (moves[index] ?? []).map(({ feature, from, to }) => ({
          code: feature,
          name: titles.get(feature) ?? feature,
          old_status: componentStatus[from],
          new_status: componentStatus[to],
        })),
      }),
    ),
    components,
    reminder_intervals: null,
    x_ai: {
      failure_class: story.failureClass,
      models: story.models,
      features: story.features.map((feature) => ({
        feature: feature.feature,
        state: feature.status,
        worst: feature.worst,
        backup: feature.backup,
        share: feature.share,
        normal_at: timeText(feature.normalAt),
      })),
      fallback: { used: backups.length > 0, to: backups },
      data_boundary: {
        crossed: story.dataLeftTo === null ? null : story.dataLeftTo.length > 0,
        companies: story.dataLeftTo,
      },
      times: {
        detected: timeText(times.detected),
        switched: timeText(times.switched),
        provider_declared: timeText(times.providerDeclared),
        provider_resolved: timeText(times.providerResolved),
        normal_routing_resumed: timeText(times.normalRoutingResumed),
      },
      next_update_at: timeText(story.nextUpdateAt),
    },
  };
}

/** What is held out and has no incident; it is over as soon as it is not held out any more. */
function eventJson(site: Site, event: Event): Json {
  const state = eventStates[event.state];
  const components = componentsNamed(site, event.features);
  return {
    id: event.id,
    name: event.title,
    status: state,
    created_at: momentText(event.since),
    updated_at: momentText(event.since),
    monitoring_at: null,
    resolved_at: null,
    impact: event.features.length === 0 ? 'none' : 'minor',
    shortlink: publicLink('home', site),
    started_at: momentText(event.since),
    page_id: pageId,
    incident_updates: [
      updateOf({
        id: `${event.id}-1`,
        state,
        text: event.words,
        at: event.since,
        incident: event.id,
        affected: stayed(components),
      }),
    ],
    components,
    reminder_intervals: null,
    x_ai: { failure_class: null, models: event.models },
  };
}

function plannedJson(site: Site, planned: Planned): Json {
  const components = componentsNamed(site, planned.features);
  return {
    id: planned.id,
    name: planned.title,
    status: planned.state,
    created_at: momentText(planned.from),
    updated_at: momentText(planned.from),
    monitoring_at: null,
    resolved_at: planned.state === 'completed' ? momentText(planned.until) : null,
    impact: 'maintenance',
    shortlink: publicLink('home', site),
    started_at: momentText(planned.from),
    page_id: pageId,
    scheduled_for: momentText(planned.from),
    scheduled_until: momentText(planned.until),
    incident_updates: [
      updateOf({
        id: `${planned.id}-1`,
        state: planned.state,
        text: planned.text,
        at: planned.from,
        incident: planned.id,
        affected: stayed(components),
      }),
    ],
    components,
    x_ai: { kind: planned.kind, models: planned.models },
  };
}

export const statusFiles = [
  'summary',
  'status',
  'components',
  'incidents',
  'incidents/unresolved',
  'scheduled-maintenances',
  'scheduled-maintenances/upcoming',
  'scheduled-maintenances/active',
] as const;
export type StatusFile = (typeof statusFiles)[number];

function incidentsOf(site: Site, which: 'all' | 'unresolved'): readonly Json[] {
  const { stories, events } = site.page;
  return [
    ...events.map((event) => eventJson(site, event)),
    ...stories
      .filter(({ isOpen }) => which === 'all' || isOpen)
      .slice(0, incidentsMax)
      .map((story) => storyJson(site, story)),
  ];
}

const plansOf = (site: Site, states: readonly Planned['state'][]): readonly Json[] =>
  site.page.planned.filter(({ state }) => states.includes(state)).map((each) => plannedJson(site, each));

export function statusJson(site: Site, file: StatusFile): Json {
  const { page } = site;
  const common = { page: pageOf(site) };
  switch (file) {
    case 'summary':
      return {
        ...common,
        components: componentsOf(site),
        incidents: incidentsOf(site, 'unresolved'),
        scheduled_maintenances: plansOf(site, ['scheduled', 'in_progress']),
        status: statusOf(site),
        x_ai: { state: page.overall, models: page.models.map(({ model, status }) => ({ model, status })) },
      };
    case 'status':
      return { ...common, status: statusOf(site), x_ai: { state: page.overall } };
    case 'components':
      return { ...common, components: componentsOf(site) };
    case 'incidents':
      return { ...common, incidents: incidentsOf(site, 'all') };
    case 'incidents/unresolved':
      return { ...common, incidents: incidentsOf(site, 'unresolved') };
    case 'scheduled-maintenances':
      return { ...common, scheduled_maintenances: plansOf(site, ['scheduled', 'in_progress', 'completed']) };
    case 'scheduled-maintenances/upcoming':
      return { ...common, scheduled_maintenances: plansOf(site, ['scheduled']) };
    case 'scheduled-maintenances/active':
      return { ...common, scheduled_maintenances: plansOf(site, ['in_progress']) };
  }
}
