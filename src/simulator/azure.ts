/** A simulated Azure OpenAI: v1 and deployment addresses, its own key header, and the content filter's traces. */
import type { Preset } from './faults.ts';
import { changedBody, withHeaders } from './host.ts';
import type { Host } from './host.ts';
import { responsesSpeech } from './openai-responses.ts';
import { openaiPreset } from './openai-error.ts';
import { openaiSpeech } from './openai.ts';
import type { Refusal, Speech } from './speech.ts';

function azureError(status: number, code: string, message: string, more: object = {}): Refusal {
  return { status, body: { error: { code, message, ...more } }, headers: {} };
}

const safe = { filtered: false, severity: 'safe' };
const filters = { hate: safe, self_harm: safe, sexual: safe, violence: safe };

const unknownDeployment = azureError(
  404,
  'DeploymentNotFound',
  'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
);

function azurePreset(preset: Preset, model: string): Refusal {
  switch (preset) {
    case 'rate_limited':
      return {
        ...azureError(
          429,
          'RateLimitReached',
          'Your requests have exceeded the call rate limit of your current pricing tier. Please retry after 1 second.',
        ),
        headers: { 'retry-after-ms': '1000', 'retry-after': '1' },
      };
    case 'overloaded':
      return azureError(429, '429', 'The service is experiencing high demand. Please retry later.');
    case 'server_error':
      return azureError(500, 'InternalServerError', 'Internal server error');
    case 'credential_rejected':
      return azureError(401, '401', 'Access denied due to invalid subscription key or wrong API endpoint.');
    case 'model_not_found':
      return unknownDeployment;
    case 'content_refused':
      return azureError(
        400,
        'content_filter',
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        {
          param: 'prompt',
          type: null,
          status: 400,
          innererror: {
            code: 'ResponsibleAIPolicyViolation',
            content_filter_result: { ...filters, violence: { filtered: true, severity: 'high' } },
          },
        },
      );
    case 'quota_exhausted':
    case 'context_exceeded':
    case 'request_rejected':
    case 'edge_page':
      return openaiPreset(preset, model);
  }
}

function inAzure(speech: Speech, filtersPrompt: boolean): Speech {
  return {
    ...speech,
    refuse: azurePreset,
    notFound: () => azureError(404, '404', 'Resource not found'),
    headers: (requestId) => ({ 'apim-request-id': requestId, 'x-ms-region': 'East US' }),
    read: (body, headers, models) => {
      const read = speech.read(body, headers, models);
      return read.kind === 'refused' && read.refusal.status === 404
        ? { kind: 'refused', refusal: unknownDeployment }
        : read;
    },
    events: (answer, model, form) => {
      const events = speech.events(answer, model, form);
      if (!filtersPrompt) return events;
      const first = {
        choices: [],
        created: 0,
        id: '',
        model: '',
        object: '',
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: filters }],
      };
      return [{ text: `data: ${JSON.stringify(first)}\n\n`, content: false, role: 'preamble' }, ...events];
    },
  };
}

const chat = inAzure(openaiSpeech, true);
const responses = inAzure(responsesSpeech, false);
const v1Path = /^\/openai(\/v1\/.+)$/;
const deploymentPath = /^\/openai\/deployments\/([^/]+)(\/.+)$/;

export const azureHost: Host = {
  speeches: [chat, responses],
  enter(request, reply) {
    const [path = '', query = ''] = request.path.split('?');
    const key =
      request.headers.get('api-key') ??
      /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ??
      null;
    if (key === null) return azurePreset('credential_rejected', '');
    const headers = withHeaders(request.headers, { authorization: `Bearer ${key}` });
    const v1 = v1Path.exec(path)?.[1];
    if (v1 !== undefined) return { request: { ...request, path: v1, headers }, reply };
    const match = deploymentPath.exec(path);
    const isDated = /(?:^|&)api-version=\d{4}-\d{2}-\d{2}(?:-preview)?(?:&|$)/.test(query);
    if (match === null || !isDated) return chat.notFound(request.method, path);
    const model = decodeURIComponent(match[1] ?? '');
    const body = changedBody(request, (given) => ({ ...given, model }));
    return { request: { ...request, path: `/v1${match[2]}`, headers, body: body ?? request.body }, reply };
  },
};
