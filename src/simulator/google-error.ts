/** How a simulated Google refuses: its own statuses, reasons and words. */
import type { Preset } from './faults.ts';
import type { Body, Refusal } from './speech.ts';

export function googleError(
  code: number,
  status: string,
  message: string,
  details: readonly Body[] = [],
): Refusal {
  return {
    status: code,
    body: { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } },
    headers: {},
  };
}

export const invalidArgument = (message: string): Refusal => googleError(400, 'INVALID_ARGUMENT', message);

export const notFoundModel = (model: string): Refusal =>
  googleError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  );

const typeUrl = 'type.googleapis.com/google.rpc';

export function googlePreset(preset: Preset, model: string): Refusal {
  switch (preset) {
    case 'overloaded':
      return googleError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');
    case 'server_error':
      return googleError(500, 'INTERNAL', 'An internal error has occurred. Please retry.');
    case 'rate_limited':
      return googleError(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota. Please retry in 7s.', [
        {
          '@type': `${typeUrl}.QuotaFailure`,
          violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }],
        },
        { '@type': `${typeUrl}.RetryInfo`, retryDelay: '7s' },
      ]);
    case 'quota_exhausted':
      return googleError(
        429,
        'RESOURCE_EXHAUSTED',
        'You exceeded your current quota, please check your plan and billing details.',
        [
          {
            '@type': `${typeUrl}.QuotaFailure`,
            violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }],
          },
        ],
      );
    case 'credential_rejected':
      return googleError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        { '@type': `${typeUrl}.ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
      ]);
    case 'model_not_found':
      return notFoundModel(model);
    case 'request_rejected':
      return invalidArgument(`Invalid JSON payload received. Unknown name "x": Cannot find field.`);
    case 'context_exceeded':
      return invalidArgument(
        'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).',
      );
    case 'content_refused':
      return invalidArgument('The prompt could not be submitted: it was blocked due to PROHIBITED_CONTENT.');
    case 'edge_page':
      return {
        status: 502,
        body: '<!DOCTYPE html><html><title>Error 502 (Server Error)</title></html>',
        headers: { 'content-type': 'text/html; charset=UTF-8' },
      };
  }
}
