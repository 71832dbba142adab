/**
 * What the status page says: features first, in six states and in words their users understand, then models, then what
 * is going on. It is made from what routing would do and what gates and switches say now, so the page cannot be calmer
 * than the gateway. It speaks of models and features, never of quality: that a model fails says nothing about how well
 * it answers. It refuses to guess causes that nobody has written down.
 */
import { featureWords } from './feature-words.ts';
import { graver } from './felt.ts';
import type { HealthState } from './health-cell.ts';
import type { Instant } from './ids.ts';
import type { FeatureStatus, FeatureView } from './status.ts';
import { pastOf } from './status-history.ts';
import type { FeaturePast, StatusHistory } from './status-history.ts';
import type { Planned } from './status-planned.ts';
import type { Story } from './status-story.ts';
import { listWords } from './words.ts';

export type ModelStatus = 'working' | 'failing' | 'returning' | 'paused';

/** A target as the page needs it. */
export type TargetNow = {
  readonly target: string;
  readonly model: string;
  readonly vendor: string;
  readonly gate: HealthState;
  readonly gateSince: Instant | null;
  /** Since when a switch for everybody holds it out; null when none does. */
  readonly pausedSince: Instant | null;
};

export type FeatureLine = FeatureView & {
  readonly words: string;
  /** The model that answers now, when it is not the usual one. */
  readonly backup: string | null;
  readonly past: FeaturePast;
};

export type ModelLine = {
  readonly model: string;
  readonly vendor: string;
  readonly status: ModelStatus;
  readonly words: string;
  readonly since: Instant | null;
};

export type Event = {
  readonly id: string;
  readonly state: 'failing' | 'returning' | 'paused';
  readonly title: string;
  readonly words: string;
  readonly since: Instant;
  readonly models: readonly string[];
  readonly features: readonly string[];
};

export type StatusPage = {
  readonly generatedAt: Instant;
  readonly overall: FeatureStatus;
  readonly headline: string;
  readonly features: readonly FeatureLine[];
  readonly models: readonly ModelLine[];
  /** What gates and switches hold out, as far as no incident tells of it. */
  readonly events: readonly Event[];
  /** Incidents: open ones first, then the newest. */
  readonly stories: readonly Story[];
  readonly planned: readonly Planned[];
};

/** What a page is made from. */
export type StatusFacts = {
  readonly features: readonly FeatureView[];
  readonly targets: readonly TargetNow[];
  readonly history: StatusHistory;
  readonly stories: readonly Story[];
  readonly planned: readonly Planned[];
  readonly now: Instant;
};

export const modelWords: Readonly<Record<ModelStatus, string>> = {
  working: 'working',
  failing: 'failing; we do not use it right now',
  returning: 'coming back step by step',
  paused: 'paused by us',
};

/** From calm to grave. */
const modelGravity: readonly ModelStatus[] = ['working', 'returning', 'failing', 'paused'];

function modelStatus(target: TargetNow): ModelStatus {
  if (target.pausedSince !== null) return 'paused';
  switch (target.gate) {
    case 'healthy':
      return 'working';
    case 'shedding':
    case 'ejected':
    case 'probing':
      return 'failing';
    case 'ramping':
      return 'returning';
  }
}

function modelLines(targets: readonly TargetNow[]): readonly ModelLine[] {
  const byModel = new Map<string, TargetNow[]>();
  for (const target of targets) byModel.set(target.model, [...(byModel.get(target.model) ?? []), target]);
  return [...byModel].map(([model, hosts]): ModelLine => {
    // A model works as long as one of its hosts does.
    const [best] = [...hosts].sort(
      (one, other) => modelGravity.indexOf(modelStatus(one)) - modelGravity.indexOf(modelStatus(other)),
    );
    const status = best === undefined ? 'working' : modelStatus(best);
    const isPartly = status === 'working' && hosts.some((host) => modelStatus(host) !== 'working');
    return {
      model,
      vendor: hosts[0]?.vendor ?? '',
      status,
      words: isPartly ? 'working, but not at every provider' : modelWords[status],
      since: status === 'working' ? null : (best?.pausedSince ?? best?.gateSince ?? null),
    };
  });
}

const modelOf = (target: string): string => target.slice(target.indexOf('/') + 1);

function eventWords(state: Event['state'], features: readonly FeatureLine[]): string {
  const onBackup = features.filter((feature) => feature.status === 'backup').map((feature) => feature.title);
  const out = features
    .filter((feature) => feature.status === 'paused' || feature.status === 'unavailable')
    .map((feature) => feature.title);
  const asked = features.filter((feature) => feature.status === 'partial').map((feature) => feature.title);
  const first: Readonly<Record<Event['state'], string>> = {
    failing: 'More of its answers fail than we accept, so we do not send requests to it.',
    returning: 'It answers again. We bring it back step by step.',
    paused: 'We have taken it out.',
  };
  return [
    first[state],
    ...(onBackup.length === 0 ? [] : [`${listWords(onBackup, 'and')}: working with a backup model.`]),
    ...(asked.length === 0 ? [] : [`${listWords(asked, 'and')}: some requests fail or need your consent.`]),
    ...(out.length === 0 ? [] : [`${listWords(out, 'and')}: not available until it is back.`]),
  ].join(' ');
}

/** Models in the same trouble since about the same time are one story. */
const togetherMs = 5 * 60_000;

function eventsOf(models: readonly ModelLine[], features: readonly FeatureLine[]): readonly Event[] {
  const groups: { state: Event['state']; since: Instant; models: ModelLine[] }[] = [];
  for (const model of models) {
    if (model.status === 'working' || model.since === null) continue;
    const { since, status } = model;
    const group = groups.find((each) => each.state === status && Math.abs(each.since - since) <= togetherMs);
    if (group === undefined) groups.push({ state: status, since, models: [model] });
    else group.models.push(model);
  }
  return groups.map(({ state, since, models: held }): Event => {
    const names = held.map((model) => model.model);
    const affected = features.filter(
      (feature) => names.includes(modelOf(feature.preferred)) && feature.status !== 'normal',
    );
    const title = `${listWords(names, 'and')} ${names.length === 1 ? 'is' : 'are'} ${state === 'paused' ? 'paused by us' : state === 'failing' ? 'failing' : 'coming back'}`;
    return {
      id: `${state}-${since}-${names.join('-')}`,
      state,
      title,
      words: eventWords(state, affected),
      since,
      models: names,
      features: affected.map((feature) => feature.feature),
    };
  });
}

/** A headline names so many at most. */
const headlineFeaturesMax = 4;

function headlineOf(features: readonly FeatureLine[], overall: FeatureStatus): string {
  if (overall === 'normal') return 'Everything is working normally';
  const hit = features.filter((feature) => feature.status === overall).map((feature) => feature.title);
  const named =
    hit.length <= headlineFeaturesMax
      ? hit
      : [...hit.slice(0, headlineFeaturesMax - 1), `${hit.length - headlineFeaturesMax + 1} more features`];
  return `${listWords(named, 'and')}: ${featureWords[overall]}`;
}

const inOrder = (stories: readonly Story[]): readonly Story[] =>
  [...stories].sort(
    (one, other) => Number(other.isOpen) - Number(one.isOpen) || other.startedAt - one.startedAt,
  );

export function buildStatusPage(facts: StatusFacts): StatusPage {
  const { history, now } = facts;
  const features = facts.features.map((view): FeatureLine => ({
    ...view,
    words: featureWords[view.status],
    backup: view.status === 'backup' && view.serving !== null ? modelOf(view.serving) : null,
    past: pastOf(history.get(view.feature) ?? [], now),
  }));
  const models = modelLines(facts.targets);
  const overall = features.reduce<FeatureStatus>((worst, { status }) => graver(worst, status), 'normal');
  const told = new Set(facts.stories.filter(({ isOpen }) => isOpen).flatMap((story) => story.models));
  return {
    generatedAt: now,
    overall,
    headline: headlineOf(features, overall),
    features,
    models,
    events: eventsOf(
      models.filter(({ model }) => !told.has(model)),
      features,
    ),
    stories: inOrder(facts.stories),
    planned: facts.planned,
  };
}
