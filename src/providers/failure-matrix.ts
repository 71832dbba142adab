/**
 * Which API can report which class of failure: the table behind the fixtures. A class without a fixture of an API is
 * a hole, and every hole has its reason here; a test holds the two together, so that neither can rot.
 */
import { failureClasses } from '../core/failure.ts';
import type { FailureClass } from '../core/failure.ts';
import { providerApis } from '../core/target.ts';
import type { ProviderApi } from '../core/target.ts';

/** Classes that no provider reports: the gateway sees them itself, on the wire or in the answer. */
const seenByUs: Partial<Record<FailureClass, string>> = {
  connect_failed: 'seen on the wire',
  dns_failed: 'seen on the wire',
  tls_failed: 'seen on the wire',
  connection_reset: 'seen on the wire',
  headers_timeout: 'seen by the clock',
  first_token_timeout: 'seen by the clock',
  stream_stalled: 'seen by the clock',
  stream_truncated: 'seen in the answer: no terminal signal',
  malformed_response: 'seen in the answer: it cannot be read',
  empty_completion: 'seen in the answer: nothing is in it',
  tool_call_invalid: 'seen in the answer: judged against the request',
  structured_output_invalid: 'seen in the answer: judged against the request',
  cancelled_by_caller: 'seen by us: the caller left',
  deadline_exceeded: 'seen by the clock',
};

/** What an API has no error for. */
const unsaid: Partial<Record<ProviderApi, Partial<Record<FailureClass, string>>>> = {
  google: { content_refused: 'said in a 200: promptFeedback.blockReason' },
};

export type Cell =
  | { readonly kind: 'fixtures'; readonly count: number }
  | { readonly kind: 'hole'; readonly reason: string | null };

export type MatrixRow = {
  readonly failureClass: FailureClass;
  readonly cells: readonly { readonly api: ProviderApi; readonly cell: Cell }[];
};

/** `count`: how many fixtures an API has of a class. */
export function failureMatrix(
  count: (api: ProviderApi, failureClass: FailureClass) => number,
): readonly MatrixRow[] {
  return failureClasses.map((failureClass) => ({
    failureClass,
    cells: providerApis.map((api) => {
      const found = count(api, failureClass);
      const reason = seenByUs[failureClass] ?? unsaid[api]?.[failureClass] ?? null;
      return { api, cell: found > 0 ? { kind: 'fixtures', count: found } : { kind: 'hole', reason } };
    }),
  }));
}

function rowTexts({ failureClass, cells }: MatrixRow): readonly string[] {
  const everywhere = seenByUs[failureClass];
  return cells.map(({ cell }, index) => {
    if (cell.kind === 'fixtures') return String(cell.count);
    return everywhere !== undefined && index > 0 ? '·' : (cell.reason ?? 'MISSING');
  });
}

/** One line per class; a hole that is the same everywhere is said once. */
export function matrixLines(rows: readonly MatrixRow[]): readonly string[] {
  return [
    `| class | ${providerApis.map((api) => `\`${api}\``).join(' | ')} |`,
    `|---|${providerApis.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| \`${row.failureClass}\` | ${rowTexts(row).join(' | ')} |`),
  ];
}
