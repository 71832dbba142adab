/**
 * The bulletins of incidents and of what users are told about them: when one opens, moves, ends, and when something is
 * said. From the audit entry alone. A change that moves neither state nor severity nor class is no news.
 */
import { featureWords } from './feature-words.ts';
import { severityElsewhere } from './incident.ts';
import type { Incident, IncidentState } from './incident.ts';
import { bounded } from './bulletin.ts';
import type { Bulletin, BulletinFact, BulletinSeverity } from './bulletin.ts';
import { messageId } from './switch-bulletin.ts';
import type { Change } from './record.ts';
import type { FeatureStatus } from './status.ts';

/** What a change says of an incident. */
type Digest = {
  readonly id: string;
  readonly title: string;
  readonly state: IncidentState;
  readonly severity: Incident['severity'];
  readonly failure_class: string;
  readonly targets: readonly string[];
  readonly features: readonly { readonly feature: string; readonly status: FeatureStatus }[];
  readonly merged_into: string | null;
};

function isDigest(value: unknown): value is Digest {
  return typeof value === 'object' && value !== null && 'failure_class' in value && 'severity' in value;
}

const isEnd = (state: IncidentState): boolean =>
  state === 'resolved' || state === 'dismissed' || state === 'reviewed';

function moved(before: unknown, after: Digest): boolean {
  if (!isDigest(before)) return true;
  const isReview = after.state === 'reviewed';
  return (
    !isReview &&
    (before.state !== after.state ||
      before.severity !== after.severity ||
      before.failure_class !== after.failure_class ||
      before.merged_into !== after.merged_into)
  );
}

function factsOf({
  severity,
  state,
  failure_class: failureClass,
  targets,
  features,
}: Digest): readonly BulletinFact[] {
  const hit = features.filter(({ status }) => status !== 'normal');
  return [
    { name: 'Severity', value: severity },
    { name: 'State', value: state },
    { name: 'Failure class', value: failureClass },
    ...(targets.length === 0 ? [] : [{ name: 'Targets', value: targets.join(', ') }]),
    ...(hit.length === 0
      ? []
      : [
          {
            name: 'Features',
            value: hit.map(({ feature, status }) => `${feature}: ${featureWords[status]}`).join('; '),
          },
        ]),
  ];
}

/** Null when it is no news. */
export function incidentBulletin(change: Change): Bulletin | null {
  const { after, before } = change;
  if (!change.kind.startsWith('incident.') || !isDigest(after) || !moved(before, after)) return null;
  const ends = isEnd(after.state) || after.merged_into !== null;
  const isNew = change.kind === 'incident.opened';
  return bounded({
    id: messageId(change),
    type: ends ? 'incident.resolved' : isNew ? 'incident.opened' : 'incident.updated',
    at: change.at,
    subject: after.id,
    stage: ends ? 'ends' : isNew ? 'begins' : 'goes_on',
    severity: ends ? 'info' : (severityElsewhere[after.severity].pagerDuty as BulletinSeverity),
    title: ends ? `${after.state === 'dismissed' ? 'Dismissed' : 'Over'}: ${after.title}` : after.title,
    text: change.reason ?? '',
    facts: factsOf(after),
    page: `/incidents/${after.id}`,
  });
}

type Said = {
  readonly incident: string;
  readonly stage: string;
  readonly texts: Readonly<Record<string, { readonly title: string; readonly body: string }>>;
};

function isSaid(value: unknown): value is Said {
  return typeof value === 'object' && value !== null && 'texts' in value && 'stage' in value;
}

/** What users were told, for channels that want it. */
export function messageBulletin(change: Change): Bulletin | null {
  if (change.kind !== 'message.published' || !isSaid(change.after)) return null;
  const { incident, stage, texts } = change.after;
  const text = texts['en'] ?? Object.values(texts)[0];
  if (text === undefined) return null;
  return bounded({
    id: messageId(change),
    type: 'message.published',
    at: change.at,
    subject: incident,
    stage: stage === 'resolved' ? 'ends' : 'goes_on',
    severity: 'info',
    title: text.title,
    text: text.body,
    facts: [{ name: 'Told by', value: change.actor }],
    page: `/incidents/${incident}`,
  });
}
