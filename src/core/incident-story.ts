/**
 * From an incident as we know it to what the public may see of it. What is only suspected, was dismissed before
 * anybody was told, or became part of another incident is no story. What was published as a message, and what somebody added to the timeline for the
 * public, is what was said; everything else stays inside.
 */
import { isOpen, modelsOf, severityElsewhere } from './incident.ts';
import type { Incident, IncidentState, TimelineEntry } from './incident.ts';
import { rescuedShare } from './incident-impact.ts';
import type { Impact } from './incident-impact.ts';
import { instant, modelIn } from './ids.ts';
import { inLocale } from './message.ts';
import type { Message } from './message.ts';
import { incidentTitle } from './incident-words.ts';
import { english } from './message-texts.ts';
import type { MessageStage, TextSet } from './message-texts.ts';
import type { Impact as StoryImpact, Story, StoryState, StoryUpdate } from './status-story.ts';

export type IncidentKnown = {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly impact: Impact;
  /** All requests of each affected feature while it was affected. */
  readonly asked: ReadonlyMap<string, number>;
  readonly messages: readonly Message[];
};

function stateOf(state: IncidentState): StoryState | null {
  switch (state) {
    case 'active':
      return 'investigating';
    case 'mitigated':
      return 'identified';
    case 'restoring':
      return 'monitoring';
    case 'resolved':
      return 'resolved';
    case 'reviewed':
      return 'postmortem';
    case 'suspected':
    case 'dismissed':
      return null;
  }
}

const stageStates: Readonly<Record<MessageStage, StoryState>> = {
  investigating: 'investigating',
  backup: 'identified',
  paused: 'identified',
  restoring: 'monitoring',
  resolved: 'resolved',
};

function updatesOf(
  { timeline, messages, incident }: IncidentKnown,
  state: StoryState,
  locale: string,
): readonly StoryUpdate[] {
  const said = messages.flatMap((message): readonly StoryUpdate[] => {
    const text = inLocale(message.texts, locale);
    if (message.state !== 'published' || text === null) return [];
    return [
      {
        id: message.id,
        at: message.at,
        state: stageStates[message.stage],
        title: text.title,
        text: text.body,
        isOurs: message.automatic,
        features: message.features,
      },
    ];
  });
  const added = timeline
    .filter(({ audience, text }) => audience === 'public' && text !== '')
    .map((entry): StoryUpdate => ({
      id: `${incident.id}-${entry.n}`,
      at: entry.at,
      state: (entry.state === null ? null : stateOf(entry.state)) ?? state,
      title: null,
      text: entry.text,
      isOurs: false,
      features: [],
    }));
  return [...said, ...added].sort((one, other) => other.at - one.at);
}

/** A language, and what is said in it. */
export type Tongue = { readonly locale: string; readonly texts: TextSet };
export const inEnglish: Tongue = { locale: 'en', texts: english };

/** Null for an incident that is nobody's business outside. */
export function storyOf(known: IncidentKnown, { locale, texts } = inEnglish): Story | null {
  const { incident, impact, asked, messages } = known;
  const isTold = messages.some((message) => message.state === 'published');
  // What users were told of does not vanish when it turns out to be nothing: it is over.
  const state = incident.state === 'dismissed' && isTold ? 'resolved' : stateOf(incident.state);
  if (state === null || incident.mergedInto !== null) return null;
  const { times } = incident;
  const open = isOpen(incident.state);
  const updates = updatesOf(known, state, locale);
  const isExamined = incident.targets.every(({ from }) => from !== null);
  return {
    id: incident.id,
    title:
      incident.titleBy === 'system' && incident.targets.length > 0
        ? incidentTitle(incident.targets, incident.failureClass, texts)
        : incident.title,
    state,
    isOpen: open,
    failureClass: incident.failureClass,
    impact: severityElsewhere[incident.severity].impact as StoryImpact,
    startedAt: times.detected ?? incident.openedAt,
    updatedAt: instant(Math.max(incident.stateAt, updates[0]?.at ?? 0)),
    resolvedAt: open ? null : (times.normalRoutingResumed ?? incident.stateAt),
    nextUpdateAt: open ? (messages.at(-1)?.nextUpdateAt ?? incident.nextUpdateAt) : null,
    models: modelsOf(incident),
    features: incident.features.map((feature) => {
      const total = asked.get(feature.feature) ?? 0;
      return {
        feature: feature.feature,
        title: feature.title,
        status: feature.status,
        worst: feature.worst,
        backup: feature.backup === null ? null : modelIn(feature.backup),
        share: total === 0 ? null : rescuedShare(impact.features.get(feature.feature), total),
        normalAt: feature.normalAt,
      };
    }),
    dataLeftTo: isExamined || impact.leftTo.size > 0 ? [...impact.leftTo.keys()] : null,
    times,
    updates,
  };
}
