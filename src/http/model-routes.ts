/** `GET /v1/models` in the shape of the caller's dialect, with what Breakwater knows of each model's availability. */
import type { ApiKey } from '../core/keys.ts';
import { listModels, viewModel } from '../core/model-list.ts';
import type { ListAsker, ListConditions, ModelView } from '../core/model-list.ts';
import type { Target } from '../core/target.ts';
import { timeText } from '../core/moment.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import { urlOf } from './routes.ts';
import type { Json } from './wire.ts';

type Shape = 'openai' | 'anthropic' | 'gemini';

/** What providers do not tell us: a date every client can parse and none can mistake for news. */
const createdText = '2026-01-01T00:00:00Z';
const createdSeconds = Date.parse(createdText) / 1_000;
const pageSizeMax = 1_000;

function availability(view: ModelView): Json {
  return {
    kind: view.kind,
    title: view.title,
    vendor: view.vendor,
    context_tokens: view.contextTokens,
    output_tokens: view.outputTokens,
    price_usd_per_million:
      view.price === null ? null : { input: view.price.input, output: view.price.output },
    kept_until: view.keptUntil,
    available: view.available,
    reason: view.reason,
    since: timeText(view.since),
    backup: view.backup,
  };
}

function modelToWire(view: ModelView, shape: Shape): Json {
  const breakwater = availability(view);
  switch (shape) {
    case 'openai':
      return { id: view.name, object: 'model', created: createdSeconds, owned_by: view.vendor, breakwater };
    case 'anthropic':
      return {
        type: 'model',
        id: view.name,
        display_name: view.title,
        created_at: createdText,
        max_input_tokens: view.contextTokens,
        max_tokens: view.outputTokens,
        breakwater,
      };
    case 'gemini':
      return {
        name: `models/${view.name}`,
        baseModelId: view.name,
        version: '1',
        displayName: view.title,
        inputTokenLimit: view.contextTokens,
        outputTokenLimit: view.outputTokens,
        supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
        breakwater,
      };
  }
}

function listToWire(views: readonly ModelView[], shape: Shape, query: URLSearchParams): Json {
  if (shape === 'openai') return { object: 'list', data: views.map((view) => modelToWire(view, shape)) };
  if (shape === 'gemini') return { models: views.map((view) => modelToWire(view, shape)) };
  const wanted = Number(query.get('limit') ?? pageSizeMax);
  const limit = Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, pageSizeMax) : pageSizeMax;
  const after = query.get('after_id');
  const start = after === null ? 0 : views.findIndex((view) => view.name === after) + 1;
  const page = views.slice(start, start + limit);
  return {
    data: page.map((view) => modelToWire(view, shape)),
    has_more: start + limit < views.length,
    first_id: page[0]?.name ?? null,
    last_id: page.at(-1)?.name ?? null,
  };
}

function conditionsOf({ state, board, clock }: GatewayDependencies): ListConditions {
  return {
    switches: state.switches,
    standing: (target: Target) => board.standing(target),
    gateSince: (target) => {
      const { health } = board.view(target).cell;
      return health.state === 'healthy' ? null : health.since;
    },
    now: clock.now(),
  };
}

function shapeOf(request: Request): Shape {
  const { headers } = request;
  if (headers.has('x-goog-api-key') || urlOf(request).pathname.startsWith('/v1beta/')) return 'gemini';
  return headers.has('anthropic-version') ? 'anthropic' : 'openai';
}

export type ModelsAnswer =
  | { readonly kind: 'body'; readonly body: Json }
  | { readonly kind: 'unknown'; readonly name: string };

/** The answer for a caller; `name` null asks for the list. */
export function modelsAnswer(
  request: Request,
  name: string | null,
  key: ApiKey | null,
  gateway: GatewayDependencies,
): ModelsAnswer {
  const shape = shapeOf(request);
  const feature = request.headers.get('x-breakwater-feature');
  const asker: ListAsker = {
    key: key?.id ?? null,
    keyName: key?.name ?? null,
    tenant: key?.tenant ?? null,
    features: key?.features ?? null,
  };
  const { snapshot } = gateway.state;
  const conditions = conditionsOf(gateway);
  if (name === null) {
    const query = urlOf(request).searchParams;
    return { kind: 'body', body: listToWire(listModels(snapshot, feature, asker, conditions), shape, query) };
  }
  const view = viewModel(snapshot, name, feature, asker, conditions);
  return view === null ? { kind: 'unknown', name } : { kind: 'body', body: modelToWire(view, shape) };
}
