/**
 * Pieces of the ledger as they are sent elsewhere: to a webhook, as OTLP logs, as objects with a manifest each.
 *
 * Every entry keeps its place in the ledger (`leaf`), so whoever receives one twice can tell, and whoever lacks one can
 * name it. Salts stay at home: without them a leaf says nothing of an entry that was erased. An entry that was erased
 * before it was sent is sent as its place alone. A window without entries has a manifest too, because silence must not
 * look like loss.
 */
import type { Instant } from './ids.ts';
import { momentFrom, momentText } from './moment.ts';
import { recordFromJson, recordToJson } from './record-json.ts';
import type { RecordJson } from './record-json.ts';

export type StreamedEntry = {
  readonly leaf: { readonly index: number; readonly hash: string };
  readonly kind: 'record' | 'change' | 'erased';
  /** As the API shows it. */
  readonly data: Readonly<Record<string, unknown>> | null;
};

/** An entry of the ledger without its salt; a record with the fields that say nothing, too. */
export function streamedEntry(leaf: {
  readonly index: number;
  readonly hash: string;
  readonly text: string | null;
}): StreamedEntry {
  const place = { index: leaf.index, hash: leaf.hash };
  if (leaf.text === null) return { leaf: place, kind: 'erased', data: null };
  const { salt: _salt, ...data } = JSON.parse(leaf.text) as Record<string, unknown>;
  if (!String(data['id']).startsWith('req_')) return { leaf: place, kind: 'change', data };
  return { leaf: place, kind: 'record', data: recordToJson(recordFromJson(data as RecordJson)) };
}

/** Entries from one leaf to before another. */
export type Batch = {
  readonly from: number;
  readonly next: number;
  readonly entries: readonly StreamedEntry[];
};

export function webhookBody({ from, next, entries }: Batch, at: Instant): string {
  return JSON.stringify({ type: 'audit.entries', timestamp: momentText(at), data: { from, next, entries } });
}

const attribute = (key: string, value: unknown): object | null => {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  if (typeof value === 'number' && Number.isInteger(value))
    return { key, value: { intValue: String(value) } };
  return { key, value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) } };
};
const attributes = (values: Readonly<Record<string, unknown>>): readonly object[] =>
  Object.entries(values).flatMap(([key, value]) => attribute(key, value) ?? []);

const nanos = (ms: number): string => `${Math.round(ms)}000000`;

/** A record has the id of its trace alone: its span was the caller's. */
const traceOf = (trace: unknown): object => (typeof trace === 'string' ? { traceId: trace } : {});

const troubled: ReadonlySet<unknown> = new Set(['failed', 'partial']);

/** A log record of OTLP, whose names for a request are those of the semantic conventions where there are any. */
function logRecord({ kind, data, leaf }: StreamedEntry, at: Instant): object {
  const facts = data ?? {};
  const isTroubled = troubled.has(facts['outcome']);
  return {
    timeUnixNano: nanos(typeof facts['at'] === 'string' ? momentFrom(facts['at']) : at),
    observedTimeUnixNano: nanos(at),
    severityNumber: isTroubled ? 17 : 9,
    severityText: isTroubled ? 'ERROR' : 'INFO',
    eventName: `breakwater.${kind}`,
    body: { stringValue: JSON.stringify(facts) },
    ...traceOf(facts['trace']),
    attributes: attributes({
      'breakwater.id': facts['id'],
      'breakwater.leaf.index': leaf.index,
      'breakwater.leaf.hash': leaf.hash,
      'breakwater.feature': facts['feature'],
      'breakwater.outcome': facts['outcome'],
      'breakwater.fallback': facts['fallback'],
      'breakwater.change': facts['kind'],
      'gen_ai.request.model': facts['requested'],
      'gen_ai.response.model': facts['model_reported'],
      'error.type': facts['error_code'],
    }),
  };
}

export function otlpBody({ entries }: Batch, at: Instant): string {
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: attributes({ 'service.name': 'breakwater' }) },
        scopeLogs: [
          {
            scope: { name: 'breakwater.audit' },
            logRecords: entries.map((entry) => logRecord(entry, at)),
          },
        ],
      },
    ],
  });
}

export type StreamWindow = Batch & { readonly since: Instant; readonly until: Instant };

/** `2026/06/07/09-00-00.000Z`: a window that is sent again lands in the same place. */
export const windowKey = ({ since }: Pick<StreamWindow, 'since'>): string => {
  const [day = '', time = ''] = momentText(since).split('T');
  return `${day.replaceAll('-', '/')}/${time.replaceAll(':', '-')}`;
};

export const windowBody = ({ entries }: Batch): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** What a window holds, so that its object can be checked and a missing one is missed. */
export function manifest(
  stream: string,
  window: StreamWindow,
  object: { key: string; sha256: string } | null,
): string {
  const count = (kind: StreamedEntry['kind']): number =>
    window.entries.filter((entry) => entry.kind === kind).length;
  return JSON.stringify(
    {
      stream,
      since: momentText(window.since),
      until: momentText(window.until),
      from: window.from,
      next: window.next,
      records: count('record'),
      changes: count('change'),
      erased: count('erased'),
      object: object?.key ?? null,
      sha256: object?.sha256 ?? null,
    },
    null,
    2,
  );
}
