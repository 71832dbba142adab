/**
 * The errors a caller can see, as one closed table: code → status, whether trying again can help, and what it means.
 * `contract/errors.txt` and `docs/errors.md` are generated from it. Each dialect gives them its own shape.
 */
type Row = { readonly status: number; readonly retryHelps: boolean; readonly meaning: string };

// oxfmt-ignore
export const errorCodes = {
  unauthenticated:           { status: 401, retryHelps: false, meaning: 'The key is missing or not known.' },
  forbidden:                 { status: 403, retryHelps: false, meaning: 'The key may not use this feature.' },
  invalid_request:           { status: 400, retryHelps: false, meaning: 'The request cannot be understood; nothing was sent to a provider.' },
  model_not_allowed:         { status: 400, retryHelps: false, meaning: 'The feature does not allow this model.' },
  unknown_model:             { status: 404, retryHelps: false, meaning: 'No feature, model or target has this name.' },
  not_found:                 { status: 404, retryHelps: false, meaning: 'There is nothing at this address.' },
  request_too_large:         { status: 413, retryHelps: false, meaning: 'The body is larger than the limit.' },
  request_timeout:           { status: 408, retryHelps: false, meaning: 'The request did not arrive in time.' },
  request_rejected:          { status: 400, retryHelps: false, meaning: 'The provider refused the request as invalid; another provider was not asked.' },
  context_exceeded:          { status: 400, retryHelps: false, meaning: 'The request is too long for every model that may answer it.' },
  content_refused:           { status: 400, retryHelps: false, meaning: 'The provider declined to answer for content reasons.' },
  data_policy_denied:        { status: 403, retryHelps: false, meaning: 'No target may process this data class.' },
  fallback_consent_required: { status: 428, retryHelps: false, meaning: 'The preferred model is out; the policy asks the user before another one is used.' },
  fallback_not_allowed:      { status: 503, retryHelps: false, meaning: 'The preferred model is out and the policy allows no other.' },
  no_eligible_target:        { status: 503, retryHelps: false, meaning: 'Every target is excluded, each with its reason.' },
  upstream_failed:           { status: 502, retryHelps: false, meaning: 'Attempts were made and failed; 504 when the last one ran out of time.' },
  rate_limited:              { status: 429, retryHelps: true,  meaning: 'The limit of this key is used up.' },
  budget_exhausted:          { status: 429, retryHelps: false, meaning: 'The budget of this key is used up.' },
  overloaded:                { status: 503, retryHelps: true,  meaning: 'Every target that could answer is at its limit, or Breakwater is; the less urgent is refused first.' },
  audit_unavailable:         { status: 503, retryHelps: false, meaning: 'The request cannot be recorded, and `audit: strict` allows no answer without a record. The fault is ours.' },
  internal_error:            { status: 500, retryHelps: false, meaning: 'Breakwater failed; the fault is ours.' },
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof errorCodes;

const callersOwn: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid_request',
  'unknown_model',
  'request_too_large',
  'request_timeout',
  'request_rejected',
  'rate_limited',
  'budget_exhausted',
]);

/**
 * Whether what the caller saw is its own doing, and so says nothing of how a feature works. A model that a provider was
 * asked for and does not know is not: it may have been retired.
 */
export const isCallersOwn = (record: {
  readonly errorCode: string | null;
  readonly attempts: readonly unknown[];
}): boolean =>
  record.errorCode !== null &&
  callersOwn.has(record.errorCode) &&
  (record.errorCode !== 'unknown_model' || record.attempts.length === 0);
