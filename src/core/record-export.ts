/**
 * Records in the forms that others read: one line a record as NDJSON, CSV, OCSF API Activity (class 6003) with the profile
 * for AI operations, and CloudEvents 1.0.
 *
 * Nothing is in an export that is not in the record. A cell of a table that a spreadsheet would take for a formula is
 * marked as text, because names in records come from callers. OCSF has no words for most of what a record says (who was
 * asked first, why another answered, whether content left): that stands under `unmapped`, in our own words.
 *
 * https://schema.ocsf.io/1.8.0/classes/api_activity · https://github.com/cloudevents/spec
 */
import { modelIn, providerIn } from './ids.ts';
import { momentText } from './moment.ts';
import { recordToJson } from './record-json.ts';
import type { RequestRecord } from './record.ts';

export const exportFormats = ['ndjson', 'csv', 'ocsf', 'cloudevents'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type Exported = Omit<RequestRecord, 'incidents'> & {
  readonly leaf?: { readonly index: number; readonly hash: string };
  /** As known now; some are found after a request has ended. */
  readonly incidents: readonly string[];
};

const fullJson = (record: Exported) => ({
  ...recordToJson({ ...record, incidents: [] }),
  incidents: record.incidents,
  leaf: record.leaf ?? null,
});

type Cell = string | number | boolean | null;
const listed = (words: readonly string[]): string => words.join(' ');

function total(
  record: Exported,
  of: (attempt: Exported['attempts'][number]) => number | null,
): number | null {
  const known = record.attempts.flatMap((attempt) => of(attempt) ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

type Json = ReturnType<typeof fullJson>;
const columns: readonly (readonly [name: string, of: (json: Json, record: Exported) => Cell])[] = [
  ['id', (json) => json.id],
  ['at', (json) => json.at],
  ['duration_ms', (json) => json.duration_ms],
  ['tenant', (json) => json.tenant],
  ['key', (json) => json.key],
  ['feature', (json) => json.feature],
  ['user', (json) => json.user],
  ['session', (json) => json.session],
  ['trace', (json) => json.trace],
  ['dialect', (json) => json.dialect],
  ['operation', (json) => json.operation ?? null],
  ['stream', (json) => json.stream],
  ['requested', (json) => json.requested],
  ['preferred', (json) => json.preferred],
  ['served', (json) => json.served],
  ['model_reported', (json) => json.model_reported],
  ['data_class', (json) => json.data_class],
  ['consent', (json) => json.consent],
  ['snapshot', (json) => json.snapshot],
  ['hop', (json) => json.hop],
  ['fallback', (json) => json.fallback],
  ['boundary', (json) => listed(json.boundary)],
  ['told', (json) => json.told],
  ['outcome', (json) => json.outcome],
  ['error_code', (json) => json.error_code],
  ['status', (json) => json.status],
  ['finish', (json) => json.finish],
  ['attempted', (json) => listed(json.attempts.map(({ target }) => target))],
  ['failures', (json) => listed(json.attempts.flatMap(({ failure }) => failure ?? []))],
  [
    'companies',
    (json) =>
      [
        ...new Set(
          json.attempts.flatMap((each) => (each.payload_sent === 'none' ? [] : [each.company ?? 'unknown'])),
        ),
      ].join('; '),
  ],
  ['input_tokens', (_json, record) => total(record, (attempt) => attempt.inputTokens)],
  ['output_tokens', (_json, record) => total(record, (attempt) => attempt.outputTokens)],
  ['cost_usd', (_json, record) => total(record, (attempt) => attempt.costUsd)],
  ['incidents', (json) => listed(json.incidents)],
  ['switches', (json) => listed(json.switches)],
  ['leaf_index', (json) => json.leaf?.index ?? null],
  ['leaf_hash', (json) => json.leaf?.hash ?? null],
];

/** RFC 4180, and text that would be a formula behind an apostrophe, the wide signs of East Asian keyboards included. */
export function csvCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const harmless = /^\s*[=+\-@\t\r＝＋－＠]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

const ocsf = { category: 6, class: 6003, activity: 99, version: '1.8.0' } as const;

const severityOf = { answered: 1, cancelled: 1, refused: 2, partial: 3, failed: 3 } as const;

/** Fields that have a value. */
function known(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function ocsfModel(record: Exported): object {
  const served = record.attempts.find(({ target }) => target === record.served) ?? record.attempts.at(-1);
  const input = total(record, (attempt) => attempt.inputTokens);
  const output = total(record, (attempt) => attempt.outputTokens);
  const target = served?.target ?? '';
  const provider = providerIn(target);
  const context = known({
    application: { name: record.feature },
    service: { name: served === undefined ? 'breakwater' : provider },
    ai_role_id: 2,
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input === null || output === null ? null : input + output,
  });
  if (served === undefined) return { message_context: context };
  return {
    dst_endpoint: known({
      svc_name: provider,
      location: served.region === null ? null : { region: served.region },
    }),
    ai_model: known({
      ai_provider: served.company ?? provider,
      name: modelIn(target),
      version: record.modelReported,
    }),
    message_context: context,
  };
}

function ocsfParties(record: Exported): object {
  const { feature, key, user, session } = record;
  return {
    actor: known({
      app_name: feature,
      app_uid: key,
      user: user === null ? null : { uid: user, type_id: 1 },
      session: session === null ? null : { uid: session },
    }),
    src_endpoint: known({ svc_name: feature, uid: key }),
    api: {
      operation: record.dialect,
      request: { uid: record.id },
      response: known({ code: record.status, error: record.errorCode }),
      service: { name: 'breakwater' },
    },
  };
}

function ocsfEvent(record: Exported): object {
  const isFine = record.outcome === 'answered';
  return known({
    category_uid: ocsf.category,
    category_name: 'Application Activity',
    class_uid: ocsf.class,
    class_name: 'API Activity',
    activity_id: ocsf.activity,
    activity_name: 'Inference',
    type_uid: ocsf.class * 100 + ocsf.activity,
    severity_id: severityOf[record.outcome],
    time: record.at,
    end_time: record.at + Math.round(record.durationMs),
    duration: Math.round(record.durationMs),
    status_id: isFine ? 1 : 2,
    status: isFine ? 'Success' : 'Failure',
    status_code: String(record.status),
    status_detail: record.errorCode,
    metadata: known({
      version: ocsf.version,
      uid: record.id,
      profiles: ['ai_operation'],
      product: { name: 'Breakwater', vendor_name: 'Breakwater' },
      correlation_uid: record.trace,
      tenant_uid: record.tenant,
    }),
    ...ocsfParties(record),
    ...ocsfModel(record),
    unmapped: fullJson(record),
  });
}

function cloudEvent(record: Exported, source: string): object {
  return {
    specversion: '1.0',
    id: record.id,
    source,
    type: 'dev.breakwater.request',
    subject: record.feature,
    time: momentText(record.at),
    datacontenttype: 'application/json',
    data: fullJson(record),
  };
}

export const exportMedia = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present',
  ocsf: 'application/x-ndjson',
  cloudevents: 'application/x-ndjson',
} as const satisfies Record<ExportFormat, string>;

/** What comes before the first record. */
export function exportHead(format: ExportFormat): string {
  return format === 'csv' ? csvLine(columns.map(([name]) => name)) : '';
}

/** One record. `source` is who says so, as CloudEvents wants it. */
export function exportLine(format: ExportFormat, record: Exported, source: string): string {
  switch (format) {
    case 'ndjson':
      return `${JSON.stringify(fullJson(record))}\n`;
    case 'csv': {
      const json = fullJson(record);
      return csvLine(columns.map(([, of]) => of(json, record)));
    }
    case 'ocsf':
      return `${JSON.stringify(ocsfEvent(record))}\n`;
    case 'cloudevents':
      return `${JSON.stringify(cloudEvent(record, source))}\n`;
  }
}
