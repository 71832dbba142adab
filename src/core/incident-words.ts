/**
 * What an incident is called, and what may be said about it in public. A title names the models that fail, never the
 * vendor when only some of its models do, and the kind of failure. A public text that says no more than "degraded" is
 * refused: once it was read as "the model got worse", and it was an outage.
 */
import type { IncidentClass, IncidentTarget } from './incident.ts';
import { modelWords } from './model-names.ts';
import { listWords } from './words.ts';

/** To complete "Claude Opus 4.8: …". */
export const classTitles: Readonly<Record<IncidentClass, string>> = {
  availability: 'elevated errors',
  latency: 'slow answers',
  capacity: 'not enough capacity',
  quality: 'answers may be worse than usual',
  safety: 'answers may be unsafe',
  data_handling: 'data may be handled otherwise than agreed',
  deprecation: 'withdrawn by its vendor',
  own_change: 'errors since a change of ours',
};

/** What a title needs of a language. */
export type TitleWords = {
  readonly titles: Readonly<Record<IncidentClass, string>>;
  readonly and: string;
  readonly at: string;
};
const english: TitleWords = { titles: classTitles, and: 'and', at: 'at {hosts}' };

/** `Claude Opus 4.7 and 4.8: elevated errors`; with the host where a model fails at one host and not as such. */
export function incidentTitle(
  targets: readonly Pick<IncidentTarget, 'model' | 'provider' | 'vendor'>[],
  failureClass: IncidentClass,
  words: TitleWords = english,
): string {
  const models = modelWords([...new Set(targets.map(({ model }) => model))], words.and);
  const elsewhere = targets.filter(({ provider, vendor }) => provider !== vendor);
  const hosts = [...new Set(elsewhere.map(({ provider }) => provider))];
  const where =
    hosts.length > 0 && elsewhere.length === targets.length
      ? ` ${words.at.replace('{hosts}', listWords(hosts, words.and))}`
      : '';
  return `${models}${where}: ${words.titles[failureClass]}`;
}

const vague = /\bdegrad(?:ed|ation|ing|e|es)\b/i;
const telling =
  /\b(?:errors?|fail(?:s|ed|ing|ures?)?|unavailable|not available|outage|down|slow(?:er|ly)?|latency|delays?|delayed|time(?:s|d)?[ -]?outs?|longer|capacity|overload(?:ed)?|rate limits?|quality|worse|wrong|unsafe|withdrawn|deprecated|backup)\b/i;

/** Why a text may not be public; null when it may. */
export function vagueWords(text: string): string | null {
  const bare = text
    .split(/(?<=[.!?])\s+|\n/)
    .find((sentence) => vague.test(sentence) && !telling.test(sentence));
  return bare === undefined
    ? null
    : `"${bare.slice(0, 80)}" says "degraded" and not how: readers take it for worse answers.`;
}

export const vagueRemedy =
  'Say what users meet: requests fail, answers take longer, there is too little capacity, or answers may be worse.';
