/**
 * The status in the Statuspage v2 shape, so that the tools that read such pages read ours, with what that shape cannot
 * say in `x_ai`: a feature on a backup model is operational for its users, and yet not as usual.
 */
import type { FeatureStatus } from '../core/status.ts';
import type { Event, StatusPage } from '../core/status-page.ts';
import { momentText } from '../core/moment.ts';

export type Json = { readonly [key: string]: unknown };

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
const incidentStatus: Readonly<Record<Event['state'], string>> = {
  failing: 'investigating',
  paused: 'identified',
  returning: 'monitoring',
};

const pageId = 'breakwater';

function pageOf(page: StatusPage): Json {
  return {
    id: pageId,
    name: 'AI features',
    url: '/status',
    time_zone: 'Etc/UTC',
    updated_at: momentText(page.generatedAt),
  };
}

const statusOf = (page: StatusPage): Json => ({
  indicator: indicators[page.overall],
  description: page.headline,
});

function componentOf(page: StatusPage, feature: StatusPage['features'][number], position: number): Json {
  return {
    id: feature.feature,
    name: feature.title,
    status: componentStatus[feature.status],
    created_at: momentText(page.generatedAt),
    updated_at: momentText(page.generatedAt),
    position,
    description: feature.words,
    showcase: true,
    start_date: null,
    group_id: null,
    page_id: pageId,
    group: false,
    only_show_if_degraded: false,
    x_ai: { state: feature.status, preferred: feature.preferred, serving: feature.serving },
  };
}

function incidentOf(page: StatusPage, event: Event): Json {
  const status = incidentStatus[event.state];
  const since = momentText(event.since);
  return {
    id: event.id,
    name: event.title,
    status,
    created_at: since,
    updated_at: momentText(page.generatedAt),
    monitoring_at: null,
    resolved_at: null,
    impact: event.features.length === 0 ? 'none' : 'minor',
    shortlink: '/status',
    started_at: since,
    page_id: pageId,
    incident_updates: [
      {
        id: `${event.id}-1`,
        status,
        body: event.words,
        incident_id: event.id,
        created_at: since,
        updated_at: since,
        display_at: since,
        affected_components: null,
      },
    ],
    components: page.features
      .map((feature, index) => ({ feature, index }))
      .filter(({ feature }) => event.features.includes(feature.feature))
      .map(({ feature, index }) => componentOf(page, feature, index + 1)),
    x_ai: { state: event.state, models: event.models, failure_class: null },
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

export function statusJson(page: StatusPage, file: StatusFile): Json {
  const common = { page: pageOf(page) };
  const components = page.features.map((feature, index) => componentOf(page, feature, index + 1));
  const incidents = page.events.map((event) => incidentOf(page, event));
  switch (file) {
    case 'summary':
      return {
        ...common,
        components,
        incidents,
        scheduled_maintenances: [],
        status: statusOf(page),
        x_ai: { state: page.overall, models: page.models.map(({ model, status }) => ({ model, status })) },
      };
    case 'status':
      return { ...common, status: statusOf(page) };
    case 'components':
      return { ...common, components };
    case 'incidents':
    case 'incidents/unresolved':
      return { ...common, incidents };
    case 'scheduled-maintenances':
    case 'scheduled-maintenances/upcoming':
    case 'scheduled-maintenances/active':
      return { ...common, scheduled_maintenances: [] };
  }
}
