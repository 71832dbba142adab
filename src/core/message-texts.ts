/**
 * What users are told, in their words: one set of texts per language, filled in from facts. A text is put together from
 * what kind of failure it is and how far it has come, so that eight kinds and five stages need thirteen texts and not
 * forty; where a pair needs words of its own, it may have them. English is shipped; a configuration may correct it and
 * add languages, in part or whole: what a language lacks is said in English.
 */
import { featureWords } from './feature-words.ts';
import { classTitles } from './incident-words.ts';
import type { IncidentClass } from './incident.ts';
import { englishSite } from './site-words.ts';
import type { SiteWords } from './site-words.ts';
import type { FeatureStatus } from './status.ts';

export const messageStages = ['investigating', 'backup', 'paused', 'restoring', 'resolved'] as const;
export type MessageStage = (typeof messageStages)[number];

/** For users, and for those whom users ask. */
export type Wording = { readonly body: string; readonly desk: string };
export type StageWording = Wording & { readonly title: string };

export type TextSet = {
  /** What the language calls itself. */
  readonly name: string;
  /** What kind of failure it is, in one sentence. */
  readonly kinds: Readonly<Record<IncidentClass, string>>;
  /** To complete "Claude Opus 4.8: …". */
  readonly titles: Readonly<Record<IncidentClass, string>>;
  /** What kind of failure it is. */
  readonly causes: Readonly<Record<IncidentClass, Wording>>;
  /** How far it has come, and what users have to do. */
  readonly stages: Readonly<Record<MessageStage, StageWording>>;
  /** In place of cause and stage, for a pair such as `quality.resolved`. */
  readonly pairs: Readonly<Record<string, Partial<StageWording>>>;
  readonly states: Readonly<Record<FeatureStatus, string>>;
  readonly data: { readonly left: string; readonly stayed: string; readonly unknown: string };
  readonly nextUpdate: string;
  /** Before what was said before, when a promised word brings nothing new. */
  readonly again: string;
  readonly and: string;
  /** To complete "Claude Opus 4.8 …", where it fails at one host only. */
  readonly at: string;
  /** For what has no name: a model, a moment, the same model elsewhere. */
  readonly unnamed: { readonly model: string; readonly time: string; readonly sameModel: string };
  /** Between whole and part of a number. */
  readonly decimal: string;
  readonly site: SiteWords;
};

/** What may stand in a text between braces. */
export const placeholders = [
  'features',
  'models',
  'backups',
  'companies',
  'normal_at',
  'next_update_at',
  'incident',
] as const;
export type Placeholder = (typeof placeholders)[number];

export const english: TextSet = {
  name: 'English',
  kinds: {
    availability: 'Requests to the model fail. This says nothing about how well it answers.',
    latency: 'The model answers, but slower than usual. What it answers is not affected.',
    capacity: 'There is not enough room for all requests. What is answered is not affected.',
    quality: 'Answers may be less good than usual.',
    safety: 'Answers may not be safe to use as they are.',
    data_handling: 'Data may not be handled as agreed.',
    deprecation: 'A model is withdrawn by its maker.',
    own_change: 'A change of ours caused it.',
  },
  titles: classTitles,
  causes: {
    availability: {
      body: 'Requests to {models} are failing. This is a technical fault; it says nothing about how good the answers are.',
      desk: 'It is a technical fault at the model’s provider or on the way to it. Do not say that answers have become worse.',
    },
    latency: {
      body: 'Answers from {models} take longer than usual. What they say is not affected.',
      desk: 'Answers come late, but they are the usual ones. Sending a request again makes it slower for everybody.',
    },
    capacity: {
      body: 'There is too little room for all requests to {models}. What is answered is as good as usual.',
      desk: 'Too many requests meet too little capacity. Trying again in a few minutes often works.',
    },
    quality: {
      body: 'Answers from {models} may be worse than usual. Please check important ones.',
      desk: 'This one is about the answers themselves. Ask for examples, with the time, and pass them on.',
    },
    safety: {
      body: 'Answers from {models} may contain what they should not. Please do not use them unchecked.',
      desk: 'Ask users to keep the answer and not to pass it on. Collect the time of the request and pass it on at once.',
    },
    data_handling: {
      body: 'Data sent to {models} may have been handled otherwise than agreed. We are finding out which.',
      desk: 'Do not guess whose data is affected. Note who asks; they will be told when it is known.',
    },
    deprecation: {
      body: 'Withdrawn by its maker: {models}.',
      desk: 'Nothing is broken: a model comes to its end. Point to what replaces it.',
    },
    own_change: {
      body: 'A change of ours causes failures. We are taking it back.',
      desk: 'The fault is ours, not the model’s. Say so.',
    },
  },
  stages: {
    investigating: {
      title: '{features}: some requests fail',
      body: 'We are looking into it. If a request fails, please try again in a few minutes.',
      desk: 'Promise no time. Users need not change anything in their settings.',
    },
    backup: {
      title: '{features}: working with a backup model',
      body: 'Until it is over, requests are answered by {backups}. You need to do nothing; answers may be worded differently.',
      desk: 'It works, with another model. If an answer looks unlike the usual ones, that is why.',
    },
    paused: {
      title: '{features}: paused by us',
      body: 'We have paused it, so that nobody waits for answers that fail. It comes back by itself.',
      desk: 'The pause is our decision and protects users. There is nothing to repair on their side.',
    },
    restoring: {
      title: '{features}: coming back',
      body: 'It works again, and we bring it back step by step. Some requests still take the other way.',
      desk: 'Almost over. Users may notice both the usual and the backup model for a while.',
    },
    resolved: {
      title: '{features}: working normally again',
      body: 'It is over. Normal routing resumed on {normal_at}. You need to do nothing.',
      desk: 'It is over. Whoever still has trouble has another one: open a new case.',
    },
  },
  pairs: {
    'latency.investigating': {
      title: '{features}: slower than usual',
      body: 'Answers from {models} take longer than usual. What they say is not affected. We are looking into it; please do not send a request twice.',
    },
    'quality.investigating': { title: '{features}: answers may be worse than usual' },
    'quality.resolved': {
      body: 'Answers from {models} are as usual again. Normal routing resumed on {normal_at}.',
    },
    'availability.resolved': {
      body: 'Requests to {models} failed; it was a technical fault and said nothing about how good the answers are. It is over: normal routing resumed on {normal_at}.',
    },
    'latency.resolved': {
      body: 'Answers from {models} come at their usual speed again. Normal routing resumed on {normal_at}.',
    },
    'capacity.resolved': {
      body: 'There is room for all requests again. Normal routing resumed on {normal_at}.',
    },
    'own_change.resolved': {
      body: 'A change of ours caused failures. It was taken back; normal routing resumed on {normal_at}.',
    },
  },
  states: featureWords,
  data: {
    left: 'Some content was processed by another company: {companies}.',
    stayed: 'No content went to another company because of it.',
    unknown: 'Whether content went to another company is being looked at.',
  },
  nextUpdate: 'We will say more by {next_update_at}.',
  again: 'Nothing has changed since our last word.',
  and: 'and',
  at: 'at {hosts}',
  unnamed: {
    model: 'the model',
    time: 'a time not known yet',
    sameModel: 'the same model at another provider',
  },
  decimal: '.',
  site: englishSite,
};
