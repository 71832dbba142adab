/** The OpenAPI file, made from the tables that serve: the same schemas parse what comes in and hold what goes out. */
import { z } from 'zod';

import { errorCodes } from '../core/errors.ts';
import { adminAnswers, answerParts } from './admin-answers.ts';
import { adminRouteTable } from './admin-route-table.ts';
import type { AdminRoute } from './admin-route.ts';
import { headerTable } from './headers.ts';
import { dataRoutes } from './routes.ts';
import type { DataRoute } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

/** Without what only a file of its own would say. */
function bare({ $schema: _schema, $id: _id, ...rest }: Json): Json {
  return rest;
}

const schemaOf = (schema: z.ZodType): Json => bare(z.toJSONSchema(schema, { io: 'input' }));
const content = (schema: unknown, media: AdminRoute['media'] = 'application/json'): Json =>
  Object.fromEntries([media].flat().map((each) => [each, { schema }]));
const component = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function parametersOf(route: AdminRoute): readonly Json[] {
  const path = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = Object.entries(route.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: schemaOf(schema as z.ZodType),
  }));
  const actor =
    route.changes === undefined
      ? []
      : [
          {
            name: 'x-breakwater-actor',
            in: 'header',
            required: false,
            description: 'who decides; kept in the changes',
            schema: { type: 'string', maxLength: 64 },
          },
        ];
  return [...path, ...query, ...actor];
}

function adminOperation(route: AdminRoute): Json {
  const parameters = parametersOf(route);
  const text = route.takesText === true ? { 'application/yaml': { schema: { type: 'string' } } } : {};
  return {
    summary: route.summary,
    'x-role': route.role,
    security: [{ admin: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: { ...content(schemaOf(route.body)), ...text },
          },
        }),
    responses: {
      ...Object.fromEntries(
        [route.status ?? 200]
          .flat()
          .map((status) => [
            status,
            { description: 'done', content: content(component(route.answer), route.media) },
          ]),
      ),
      default: { description: 'an error, with what to do about it', content: content(component('Error')) },
    },
  };
}

const bareName = (name: string): string => name.replace(' (request)', '');

function requestHeaders(): readonly Json[] {
  return Object.entries(headerTable)
    .filter(([, { direction }]) => direction === 'request')
    .map(([name, { meaning }]) => ({
      name: bareName(name),
      in: 'header',
      required: false,
      description: meaning,
      schema: { type: 'string' },
    }));
}

function responseHeaders(): Json {
  return Object.fromEntries(
    Object.entries(headerTable)
      .filter(([, { direction }]) => direction === 'response')
      .map(([name, { meaning }]) => [name, { description: meaning, schema: { type: 'string' } }]),
  );
}

/** What a caller can see, by status: the codes that share it. */
function errorResponses(): Json {
  const byStatus = new Map<number, string[]>();
  for (const [code, { status, meaning }] of Object.entries(errorCodes))
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${code}: ${meaning}`]);
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [status, { description: lines.join(' · ') }]),
  );
}

const probeWords = {
  root: 'Something is here',
  status: 'The status page, and its files in the Statuspage v2 shape',
  models:
    "What may be named as model, in the shape of the caller's dialect, and whether it answers right now",
  health: 'The process is alive',
  ready: 'A configuration is loaded',
  metrics: 'Prometheus',
  approve: 'The page behind the link in a playbook’s question',
};

function operationWords(route: Extract<DataRoute, { kind: 'dialect' }>): string {
  switch (route.operation) {
    case 'answer':
      return `The dialect ${route.dialect}, as its vendor documents it`;
    case 'embeddings':
      return 'Embeddings, from the model asked for and no other';
    case 'count_tokens':
      return 'How many tokens a request has: the provider counts, or a marked estimate stands in';
  }
}

function dataOperation(route: DataRoute): Json {
  if (route.kind !== 'dialect')
    return {
      summary: probeWords[route.kind],
      'x-role': route.role,
      responses: { 200: { description: route.kind === 'models' ? 'a list, or one model' : 'text' } },
    };
  return {
    summary: operationWords(route),
    'x-role': route.role,
    security: [{ bearer: [] }, { apiKey: [] }],
    parameters: requestHeaders(),
    requestBody: { required: true, content: content({ type: 'object' }) },
    responses: {
      200: {
        description: 'the answer in the dialect of the address, whole or as server-sent events',
        headers: responseHeaders(),
      },
      ...errorResponses(),
    },
  };
}

function components(): Json {
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...adminAnswers, ...answerParts })) named.add(schema, { id });
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

export function openapiDocument(version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (path: string, method: string, operation: Json): void => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  };
  for (const route of dataRoutes) add(route.path, route.method, dataOperation(route));
  for (const route of adminRouteTable) add(route.path, route.method, adminOperation(route));
  return {
    openapi: '3.1.0',
    info: { title: 'Breakwater', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        admin: { type: 'http', scheme: 'bearer', description: 'the admin token' },
        bearer: { type: 'http', scheme: 'bearer', description: "a caller's key" },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: "a caller's key" },
      },
    },
  };
}
