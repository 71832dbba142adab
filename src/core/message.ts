/**
 * Messages to users about an incident: which stage it is in, what is said in each language, and when something is said
 * without anybody asking. People come first: what somebody published or suppressed is not repeated or contradicted by
 * the machine; but when nobody speaks, users are told after a hold-down, and a promised next word is kept.
 *
 * A text that says no more than "degraded" is refused: it was once read as "the model got worse", and it was an outage.
 */
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import { german } from './german.ts';
import { english } from './message-texts.ts';
import type { MessageStage, Placeholder, TextSet, Wording } from './message-texts.ts';
import { modelWords } from './model-names.ts';
import { momentText } from './moment.ts';
import type { IncidentClass, IncidentState } from './incident.ts';
import type { FeatureStatus } from './status.ts';
import { listWords } from './words.ts';

export type MessageText = { readonly title: string; readonly body: string; readonly desk: string };

export type Message = {
  /** `pub_…` */
  readonly id: string;
  readonly incident: string;
  readonly stage: MessageStage;
  readonly state: 'published' | 'suppressed';
  readonly at: Instant;
  readonly by: string;
  readonly automatic: boolean;
  /** Why it was suppressed. */
  readonly reason: string | null;
  /** By language; empty for a suppressed one. */
  readonly texts: Readonly<Record<string, MessageText>>;
  readonly nextUpdateAt: Instant | null;
  /** How the features of the incident were when it was said. */
  readonly features: readonly FeatureThen[];
};

export type FeatureThen = { readonly feature: string; readonly status: FeatureStatus };

/** What is known of an incident, as far as texts need it. */
export type MessageFacts = {
  readonly incident: string;
  readonly failureClass: IncidentClass;
  /** Their names; empty when none is known. */
  readonly models: readonly string[];
  readonly features: readonly { readonly title: string; readonly status: FeatureStatus }[];
  /** Null: the same model at another provider. */
  readonly backups: readonly (string | null)[];
  readonly dataLeftTo: readonly string[] | null;
  readonly nextUpdateAt: Instant | null;
  readonly normalAt: Instant | null;
  /** The same stage was said before: this is a promised word, and there is nothing new. */
  readonly again: boolean;
};

export type StageFacts = {
  readonly state: IncidentState;
  readonly features: readonly { readonly status: FeatureStatus }[];
};

/** Where a story stands, as users see it. */
export function stageOf({ state, features }: StageFacts): MessageStage {
  if (state === 'resolved' || state === 'reviewed' || state === 'dismissed') return 'resolved';
  if (state === 'restoring') return 'restoring';
  const hit = features.filter(({ status }) => status !== 'normal');
  if (hit.some(({ status }) => status === 'paused')) return 'paused';
  return hit.length > 0 && hit.every(({ status }) => status === 'backup') ? 'backup' : 'investigating';
}

const readable = (at: Instant | null, { unnamed }: TextSet): string =>
  at === null ? unnamed.time : `${momentText(at).slice(0, 16).replace('T', ' ')} UTC`;

function fill(template: string, values: Readonly<Record<Placeholder, string>>): string {
  const text = template.replaceAll(
    /\{(\w+)\}/g,
    (whole, name: string) => values[name as Placeholder] ?? whole,
  );
  return text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** "Claude Opus 4.7 and 4.8" */
const modelsIn = ({ models }: MessageFacts, texts: TextSet): string =>
  models.length === 0 ? texts.unnamed.model : modelWords(models, texts.and);

function valuesOf(facts: MessageFacts, texts: TextSet): Readonly<Record<Placeholder, string>> {
  const list = (items: readonly string[]): string => listWords(items, texts.and);
  return {
    features: list(facts.features.map(({ title }) => title)),
    models: modelsIn(facts, texts),
    backups: list(facts.backups.map((backup) => backup ?? texts.unnamed.sameModel)),
    companies: list(facts.dataLeftTo ?? []),
    normal_at: readable(facts.normalAt, texts),
    next_update_at: readable(facts.nextUpdateAt, texts),
    incident: facts.incident,
  };
}

/** How features are when a title at a stage is about them; at the others it is about all. */
const titled: Readonly<Partial<Record<MessageStage, readonly FeatureStatus[]>>> = {
  investigating: ['partial', 'slow', 'unavailable', 'paused'],
  backup: ['backup'],
  paused: ['paused'],
};

/** Whom a title names: those it is true of. Where models are paused and features go on, it names the models. */
function titleSubject(facts: MessageFacts, stage: MessageStage, texts: TextSet): string {
  const met = titled[stage];
  const about = facts.features.filter(({ status }) => met === undefined || met.includes(status));
  if (stage === 'paused' && about.length === 0) return modelsIn(facts, texts);
  const named = about.length === 0 ? facts.features : about;
  return listWords(
    named.map(({ title }) => title),
    texts.and,
  );
}

/** Features by how they are, where that is not the same for all. */
function stateLines(facts: MessageFacts, texts: TextSet): readonly string[] {
  const byStatus = Map.groupBy(facts.features, ({ status }) => status);
  if (byStatus.size < 2) return [];
  return [...byStatus].map(
    ([status, features]) =>
      `${listWords(
        features.map(({ title }) => title),
        texts.and,
      )}: ${texts.states[status]}.`,
  );
}

/** What is said at a stage, in one language. */
export function composed(facts: MessageFacts, stage: MessageStage, texts: TextSet): MessageText {
  const values = valuesOf(facts, texts);
  const cause: Wording = texts.causes[facts.failureClass];
  const wording = texts.stages[stage];
  const pair = texts.pairs[`${facts.failureClass}.${stage}`] ?? {};
  const isOver = stage === 'resolved';
  const left = facts.dataLeftTo ?? [];
  const parts = [
    facts.again && !isOver ? texts.again : '',
    ...(pair.body === undefined ? [isOver ? '' : cause.body, wording.body] : [pair.body]),
    ...(isOver ? [] : stateLines(facts, texts)),
    facts.dataLeftTo === null ? '' : left.length > 0 ? texts.data.left : texts.data.stayed,
    isOver || facts.nextUpdateAt === null ? '' : texts.nextUpdate,
  ];
  return {
    title: fill(pair.title ?? wording.title, { ...values, features: titleSubject(facts, stage, texts) }),
    body: parts
      .filter((part) => part !== '')
      .map((part) => fill(part, values))
      .join(' '),
    desk: [pair.desk ?? wording.desk, cause.desk].map((part) => fill(part, values)).join(' '),
  };
}

export type MessageSettings = {
  readonly automatic: boolean;
  /** How long users are affected before they are told without anybody asking. */
  readonly holdDownMs: number;
  /** When the next word is promised. */
  readonly nextUpdateMs: number;
  readonly locales: ReadonlyMap<string, TextSet>;
};

/** How long a later stage has to last before it is told: a ramp that fails at once is no news. */
export const settleMs = 60_000;

export type DueFacts = StageFacts & {
  readonly detectedAt: Instant;
  readonly stage: MessageStage;
  readonly stageSince: Instant;
  /** Of this incident, oldest first. */
  readonly messages: readonly Message[];
};

/** What is to be said now without anybody asking: a stage, for the first time or again; null when nothing is. */
export function dueStage(
  facts: DueFacts,
  settings: MessageSettings,
  now: Instant,
): { readonly stage: MessageStage; readonly again: boolean } | null {
  const { state, features, stage, messages } = facts;
  if (!settings.automatic || state === 'suspected' || state === 'dismissed') return null;
  const last = messages.at(-1);
  const news = { stage, again: false };
  if (last === undefined || messages.every((message) => message.state === 'suppressed')) {
    const isFelt = features.some(({ status }) => status !== 'normal');
    if (stage === 'restoring' || stage === 'resolved' || !isFelt) return null;
    if (last?.stage === stage) return null;
    return now - facts.detectedAt >= settings.holdDownMs ? news : null;
  }
  // What was said of a story stands until the story moves.
  const isMoved = last.stage !== stage && facts.stageSince > last.at;
  if (stage === 'resolved' && last.stage !== stage) return news;
  if (isMoved) return now - facts.stageSince >= settleMs ? news : null;
  const isPromised = last.state === 'published' && last.nextUpdateAt !== null && now >= last.nextUpdateAt;
  return isPromised && last.stage !== 'resolved' ? { stage: last.stage, again: true } : null;
}

/** Each time that there is nothing new, the next word may take twice as long; at most this many times the first. */
const patienceMax = 4;

/** When the next word is promised, after a stage was said so many times before; nobody waits for one after the last. */
export function nextUpdateAfter(
  stage: MessageStage,
  { nextUpdateMs }: Pick<MessageSettings, 'nextUpdateMs'>,
  now: Instant,
  before = 0,
): Instant | null {
  return stage === 'resolved' ? null : instant(now + nextUpdateMs * Math.min(patienceMax, 2 ** before));
}

/** How often a stage was said last, without another in between. */
export function saidLately(messages: readonly Message[], stage: MessageStage): number {
  const since = messages.findLastIndex((message) => message.stage !== stage || message.state !== 'published');
  return messages.length - 1 - since;
}

/** A text in the language asked for, or in English. */
export function inLocale<T>(texts: Readonly<Record<string, T>>, locale: string): T | null {
  return texts[locale] ?? texts[locale.split('-')[0] ?? ''] ?? texts['en'] ?? null;
}

/** Languages that are shipped in full; English is always spoken, others where a configuration names them. */
export const shippedLocales: ReadonlyMap<string, TextSet> = new Map([
  ['en', english],
  ['de', german],
]);
