/** Records that fit, written out in a form that others read, page by page. */
import { pageSizeMax } from '../control/queries.ts';
import type { KeptRecord, Page } from '../control/queries.ts';
import { exportFormats, exportHead, exportLine, exportMedia } from '../core/record-export.ts';
import type { ExportFormat } from '../core/record-export.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { filterOf, Query } from './admin-query.ts';
import { streamed } from './admin-route.ts';

/** Who says so, in CloudEvents. */
const exportSource = '/breakwater';

/** Records of a page, one piece of an export; the next is made when the reader has taken the last. */
async function* exported(
  format: ExportFormat,
  filter: ReturnType<typeof filterOf>,
  { store }: AdminDependencies,
): AsyncGenerator<string> {
  yield exportHead(format);
  let cursor: string | null = null;
  do {
    const page: Page<KeptRecord> = await store.listRecords({
      ...filter,
      ...(cursor === null ? {} : { cursor }),
      limit: pageSizeMax,
    });
    const incidents = await store.incidentsOf(page.items.map(({ id }) => id));
    yield page.items
      .map((record) =>
        exportLine(format, { ...record, incidents: incidents.get(record.id) ?? [] }, exportSource),
      )
      .join('');
    cursor = page.nextCursor;
  } while (cursor !== null);
}

export const exportFormatOf = (query: Query): ExportFormat =>
  exportFormats.find((each) => each === query['format']) ?? 'ndjson';

export function recordExport(
  format: ExportFormat,
  filter: ReturnType<typeof filterOf>,
  dependencies: AdminDependencies,
): Response {
  return streamed(exported(format, filter, dependencies), exportMedia[format]);
}
