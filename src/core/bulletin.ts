/**
 * A bulletin: something that happened, told to people and programs elsewhere. It is made from the audit entry of what
 * happened, so that nothing is told that was not written down, and it goes by that entry's id, so that whoever gets it
 * twice can see that it is one. Which channel wants which bulletin is decided here; how a channel says it is not.
 *
 * It refuses to carry anything of a request: no prompt, no answer, no key, no user.
 */
import type { Instant } from './ids.ts';

export const bulletinTypes = [
  'incident.opened',
  'incident.updated',
  'incident.resolved',
  'message.published',
  'switch.created',
  'switch.released',
  'switch.expired',
  'switch.overdue',
  'playbook.notified',
  'quality.warned',
  'quality.cleared',
  'model.signal',
  'channel.test',
] as const;
export type BulletinType = (typeof bulletinTypes)[number];

/** From calm to grave, in the words that paging services use. */
export const bulletinSeverities = ['info', 'warning', 'error', 'critical'] as const;
export type BulletinSeverity = (typeof bulletinSeverities)[number];

export type BulletinFact = { readonly name: string; readonly value: string };

export type Bulletin = {
  /** `msg_…`: the same for every channel and every repetition. */
  readonly id: string;
  readonly type: BulletinType;
  readonly at: Instant;
  /** What it is about: the id of an incident, a switch, a channel; a target and what is odd about it. */
  readonly subject: string;
  /** Whether it begins a story, goes on with it, or ends it. */
  readonly stage: 'begins' | 'goes_on' | 'ends';
  readonly severity: BulletinSeverity;
  readonly title: string;
  readonly text: string;
  readonly facts: readonly BulletinFact[];
  /** Where to read on, within the status page; null for its front. */
  readonly page: string | null;
};

export const titleLengthMax = 150;
export const textLengthMax = 2_800;
export const factsMax = 10;
const factLengthMax = 300;

/** Cut at a word where there is one near, with a sign that it was. */
export function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, lengthMax - 1);
  const space = cut.lastIndexOf(' ');
  return `${(space > lengthMax * 0.8 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** Every channel has room for this much. */
export function bounded(bulletin: Bulletin): Bulletin {
  return {
    ...bulletin,
    title: shortened(bulletin.title, titleLengthMax),
    text: shortened(bulletin.text, textLengthMax),
    facts: bulletin.facts
      .slice(0, factsMax)
      .map(({ name, value }) => ({ name: shortened(name, 80), value: shortened(value, factLengthMax) })),
  };
}

export type Subscription = {
  /** Types, or the beginning of types as `incident.*`. */
  readonly on: readonly string[];
  readonly atLeast: BulletinSeverity;
};

export function isWanted(
  { type, severity }: Pick<Bulletin, 'type' | 'severity'>,
  wants: Subscription,
): boolean {
  const isNamed = wants.on.some(
    (pattern) => pattern === type || (pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1))),
  );
  return isNamed && bulletinSeverities.indexOf(severity) >= bulletinSeverities.indexOf(wants.atLeast);
}
