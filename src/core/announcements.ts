/**
 * Ties what a provider announces to our incidents: separate evidence, linked and never merged. An announcement belongs to
 * an incident when it is of the same provider, speaks for one of its models, and was made about then. It gives the
 * incident its provider times; it never opens, moves or closes one.
 */
import { isOpen } from './incident.ts';
import type { Announcement, Incident, IncidentStep } from './incident.ts';
import { stepOf } from './incident-steps.ts';
import type { Added } from './incident-steps.ts';
import type { Instant } from './ids.ts';
import { speakingFor } from './provider-word.ts';
import type { FeedIncident } from './provider-word.ts';

/** How long before our detection a provider may have announced the same story. */
const beforeMs = 6 * 3_600_000;
/** How long after the end of ours a late announcement still belongs to it. */
const afterMs = 24 * 3_600_000;

function belongs(
  incident: Incident,
  provider: string,
  feed: FeedIncident,
  known: readonly string[],
): boolean {
  const own = incident.targets.filter((target) => target.provider === provider);
  const { detected, normalRoutingResumed } = incident.times;
  if (own.length === 0 || detected === null) return false;
  const speaks = own.some(({ model }) => speakingFor(model, [feed], known).length > 0);
  const latest = isOpen(incident.state)
    ? Number.POSITIVE_INFINITY
    : (normalRoutingResumed ?? incident.stateAt) + afterMs;
  const isThen =
    feed.declaredAt >= detected - beforeMs &&
    feed.declaredAt <= latest &&
    (feed.resolvedAt === null || feed.resolvedAt >= detected - 60_000);
  return speaks && isThen;
}

const announcementOf = (provider: string, feed: FeedIncident): Announcement => ({
  provider,
  id: feed.id,
  title: feed.title,
  url: feed.url,
  declaredAt: feed.declaredAt,
  resolvedAt: feed.resolvedAt,
});

function line(provider: string, at: Instant, text: string): Added {
  return { at, source: 'provider', by: provider, audience: 'internal', text, state: null };
}

/** An incident with what its provider announces now; null when nothing is new. */
export function linkAnnouncements(
  incident: Incident,
  provider: string,
  feeds: readonly FeedIncident[],
  known: readonly string[],
  now: Instant,
): IncidentStep | null {
  const kept = new Map(incident.announcements.map((each) => [`${each.provider} ${each.id}`, each]));
  const lines: Added[] = [];
  for (const feed of feeds) {
    const key = `${provider} ${feed.id}`;
    const before = kept.get(key);
    if (before === undefined && !belongs(incident, provider, feed, known)) continue;
    // A time that only a reading gave does not move with every reading.
    const isOver = feed.resolvedAt !== null;
    const next = { ...announcementOf(provider, feed), declaredAt: before?.declaredAt ?? feed.declaredAt };
    if (before === undefined)
      lines.push(line(provider, next.declaredAt, `The provider announced: ${feed.title}`));
    if (isOver && (before?.resolvedAt ?? null) === null)
      lines.push(line(provider, feed.resolvedAt, `The provider says it is resolved: ${feed.title}`));
    if (before === undefined || (before.resolvedAt === null) !== !isOver || before.title !== feed.title)
      kept.set(key, next);
  }
  const announcements = [...kept.values()];
  if (lines.length === 0 && announcements.length === incident.announcements.length) return null;
  const { times } = incident;
  const declared = announcements.reduce<Instant | null>(
    (first, { declaredAt }) => (first === null || declaredAt < first ? declaredAt : first),
    null,
  );
  const ends = announcements.map(({ resolvedAt }) => resolvedAt);
  const last = ends.every((at) => at !== null) ? (Math.max(...ends) as Instant) : null;
  return stepOf(
    incident,
    {
      announcements,
      times: {
        ...times,
        providerDeclared:
          times.providerDeclared === null || (declared !== null && declared < times.providerDeclared)
            ? declared
            : times.providerDeclared,
        providerResolved: last ?? times.providerResolved,
      },
    },
    lines,
    now,
  );
}
