/** A simulated Google Vertex AI: Claude behind rawPredict, Gemini behind generateContent, its bearer token checked. */
import { anthropicSpeech } from './anthropic.ts';
import type { Preset } from './faults.ts';
import { changedBody, withHeaders } from './host.ts';
import type { Host } from './host.ts';
import { anthropicPreset, invalidRequest } from './anthropic-error.ts';
import { googleSpeech } from './google.ts';
import type { Refusal, Speech } from './speech.ts';

function vertexError(status: number, word: string, message: string): Refusal {
  return { status, body: { error: { code: status, message, status: word } }, headers: {} };
}

/** The platform speaks of capacity, quota and access; of the request itself the model speaks. */
function vertexPreset(preset: Preset, model: string): Refusal {
  switch (preset) {
    case 'overloaded':
      return vertexError(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.');
    case 'server_error':
      return vertexError(500, 'INTERNAL', 'Internal error encountered.');
    case 'rate_limited':
      return vertexError(
        429,
        'RESOURCE_EXHAUSTED',
        'Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model.',
      );
    case 'quota_exhausted':
      return vertexError(402, 'FAILED_PRECONDITION', 'Billing is disabled for this project.');
    case 'credential_rejected':
      return vertexError(
        401,
        'UNAUTHENTICATED',
        'Request had invalid authentication credentials. Expected OAuth 2 access token.',
      );
    case 'model_not_found':
      return vertexError(
        404,
        'NOT_FOUND',
        `Publisher Model \`publishers/anthropic/models/${model}\` was not found or your project does not have access to it.`,
      );
    case 'context_exceeded':
    case 'request_rejected':
    case 'content_refused':
    case 'edge_page':
      return anthropicPreset(preset, model);
  }
}

const vertexSpeech: Speech = {
  ...anthropicSpeech,
  sidePath: null,
  read: (body, headers, models) => {
    const read = anthropicSpeech.read(body, headers, models);
    return read.kind === 'refused' && read.refusal.status === 404
      ? { kind: 'refused', refusal: vertexPreset('model_not_found', String(body['model'])) }
      : read;
  },
  refuse: vertexPreset,
  notFound: () => vertexError(404, 'NOT_FOUND', 'Not found'),
};

/** Gemini as the platform hosts it: the same words, other refusals at the door. */
const vertexGeminiSpeech: Speech = { ...googleSpeech, refuse: vertexPreset };

const generatePath =
  /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/([^/:?]+:(?:generateContent|streamGenerateContent))(?:\?alt=sse)?$/;

const predictPath =
  /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/;

export const vertexHost: Host = {
  speeches: [vertexSpeech, vertexGeminiSpeech],
  enter(request, reply) {
    const generate = generatePath.exec(request.path)?.[1];
    const match = predictPath.exec(request.path);
    if (request.method !== 'POST' || (match === null && generate === undefined))
      return vertexSpeech.notFound(request.method, request.path);
    const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) return vertexPreset('credential_rejected', '');
    if (match === null)
      return {
        request: {
          ...request,
          path: `/v1beta/models/${generate}`,
          headers: withHeaders(request.headers, { 'x-api-key': token, 'x-goog-api-key': token }),
        },
        reply,
      };
    let problem: string | null = null;
    const body = changedBody(request, (given) => {
      if ('model' in given) problem = 'model: Extra inputs are not permitted';
      if (given['anthropic_version'] !== 'vertex-2023-10-16') problem = 'anthropic_version: Field required';
      const { anthropic_version: _version, ...rest } = given;
      return { ...rest, model: decodeURIComponent(match[3] ?? '') };
    });
    if (problem !== null) return invalidRequest(problem);
    return {
      request: {
        ...request,
        path: '/v1/messages',
        headers: withHeaders(request.headers, { 'anthropic-version': '2023-06-01', 'x-api-key': token }),
        body: body ?? request.body,
      },
      reply,
    };
  },
};
