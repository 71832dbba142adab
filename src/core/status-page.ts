/**
 * What the status page says: features first, in six states and in words their users understand, then models, then what
 * is going on. It is made from what routing would do and what gates and switches say now, so the page cannot be calmer
 * than the gateway. It speaks of models and features, never of quality: that a model fails says nothing about how well
 * it answers. It refuses to guess causes that nobody has written down.
 */
import { modelIn } from './ids.ts';
import { english } from './message-texts.ts';
import type { TextSet } from './message-texts.ts';
import { filled } from './site-words.ts';
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

function modelLines(
  targets: readonly TargetNow[],
  { site: { models: words } }: TextSet,
): readonly ModelLine[] {
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
      words: isPartly ? words.partly : words[status],
      since: status === 'working' ? null : (best?.pausedSince ?? best?.gateSince ?? null),
    };
  });
}

function eventWords(state: Event['state'], features: readonly FeatureLine[], { and, site }: TextSet): string {
  const onBackup = features.filter((feature) => feature.status === 'backup').map((feature) => feature.title);
  const out = features
    .filter((feature) => feature.status === 'paused' || feature.status === 'unavailable')
    .map((feature) => feature.title);
  const asked = features.filter((feature) => feature.status === 'partial').map((feature) => feature.title);
  const said = (names: readonly string[], template: string): readonly string[] =>
    names.length === 0 ? [] : [filled(template, { features: listWords(names, and) })];
  const { events } = site;
  return [
    events[state],
    ...said(onBackup, events.backup),
    ...said(asked, events.asked),
    ...said(out, events.out),
  ].join(' ');
}

/** Models in the same trouble since about the same time are one story. */
const togetherMs = 5 * 60_000;

function eventsOf(
  models: readonly ModelLine[],
  features: readonly FeatureLine[],
  texts: TextSet,
): readonly Event[] {
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
      (feature) => names.includes(modelIn(feature.preferred)) && feature.status !== 'normal',
    );
    const title = filled(texts.site.eventTitles[names.length === 1 ? state : (`${state}Many` as const)], {
      models: listWords(names, texts.and),
    });
    return {
      id: `${state}-${since}-${names.join('-')}`,
      state,
      title,
      words: eventWords(state, affected, texts),
      since,
      models: names,
      features: affected.map((feature) => feature.feature),
    };
  });
}

/** A headline names so many at most. */
const headlineFeaturesMax = 4;

function headlineOf(features: readonly FeatureLine[], overall: FeatureStatus, texts: TextSet): string {
  const { headline } = texts.site;
  if (overall === 'normal') return headline.normal;
  const hit = features.filter((feature) => feature.status === overall).map((feature) => feature.title);
  const named =
    hit.length <= headlineFeaturesMax
      ? hit
      : [
          ...hit.slice(0, headlineFeaturesMax - 1),
          filled(headline.more, { count: hit.length - headlineFeaturesMax + 1 }),
        ];
  return `${listWords(named, texts.and)}: ${texts.states[overall]}`;
}

const inOrder = (stories: readonly Story[]): readonly Story[] =>
  [...stories].sort(
    (one, other) => Number(other.isOpen) - Number(one.isOpen) || other.startedAt - one.startedAt,
  );

export function buildStatusPage(facts: StatusFacts, texts: TextSet = english): StatusPage {
  const { history, now } = facts;
  const features = facts.features.map((view): FeatureLine => ({
    ...view,
    words: texts.states[view.status],
    backup: view.status === 'backup' && view.serving !== null ? modelIn(view.serving) : null,
    past: pastOf(history.get(view.feature) ?? [], now, texts),
  }));
  const models = modelLines(facts.targets, texts);
  const overall = features.reduce<FeatureStatus>((worst, { status }) => graver(worst, status), 'normal');
  const told = new Set(facts.stories.filter(({ isOpen }) => isOpen).flatMap((story) => story.models));
  return {
    generatedAt: now,
    overall,
    headline: headlineOf(features, overall, texts),
    features,
    models,
    events: eventsOf(
      models.filter(({ model }) => !told.has(model)),
      features,
      texts,
    ),
    stories: inOrder(facts.stories),
    planned: facts.planned,
  };
}
