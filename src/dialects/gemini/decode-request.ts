/** A request to generate content → the neutral conversation. */
import type { Conversation, Effort, Message, Tool, ToolChoice } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { numberOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import { dropUnread, LeftOvers } from '../left-over.ts';
import { isInvalid } from '../request-basics.ts';
import { decodeContents } from './decode-contents.ts';
import { camelFields, contentsOf, declaredFunctions, field, partsOf } from './fields.ts';
import { configOf, pinOf, readFacts } from './request-facts.ts';
import { jsonSchemaOf } from './schema.ts';

const readBody: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'cachedContent',
  'continuationToken',
  'store',
]);
const readConfig: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
]);

const levels: ReadonlyMap<string, Effort> = new Map<string, Effort>([
  ['MINIMAL', 'minimal'],
  ['LOW', 'low'],
  ['MEDIUM', 'medium'],
  ['HIGH', 'high'],
]);

function toolsOf(body: JsonObject, leftOvers: LeftOvers): readonly Tool[] {
  for (const tool of objectsOf(body['tools']))
    for (const kind of Object.keys(camelFields(tool)))
      if (kind !== 'functionDeclarations') leftOvers.drop(`tool ${kind}`);
  return declaredFunctions(body).map((declared) => ({
    name: textOf(declared['name']) ?? '',
    description: textOf(declared['description']),
    schema: field(declared, 'parametersJsonSchema') ??
      jsonSchemaOf(declared['parameters']) ?? { type: 'object', properties: {} },
    strict: null,
  }));
}

type Chosen = { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null };

function chosen(body: JsonObject, tools: readonly Tool[]): Chosen {
  const calling = objectOf(field(objectOf(field(body, 'toolConfig')), 'functionCallingConfig'));
  const mode = textOf(calling?.['mode'])?.toUpperCase() ?? null;
  const allowed = field(calling, 'allowedFunctionNames');
  const names = Array.isArray(allowed) ? allowed.filter((name) => typeof name === 'string') : [];
  const shown = names.length === 0 ? tools : tools.filter((tool) => names.includes(tool.name));
  switch (mode ?? '') {
    case 'NONE':
      return { tools, toolChoice: { kind: 'none' } };
    case 'ANY': {
      const [only] = names;
      return names.length === 1 && only !== undefined
        ? { tools, toolChoice: { kind: 'named', name: only } }
        : { tools: shown, toolChoice: { kind: 'required' } };
    }
    case 'AUTO':
    case 'VALIDATED':
      return { tools: shown, toolChoice: { kind: 'auto' } };
  }
  return { tools: shown, toolChoice: null };
}

function formatOf(config: JsonObject | null): Conversation['format'] {
  if (field(config, 'responseMimeType') !== 'application/json') return null;
  const schema = field(config, 'responseJsonSchema') ?? jsonSchemaOf(field(config, 'responseSchema'));
  return schema === undefined || schema === null
    ? { kind: 'json' }
    : { kind: 'schema', name: null, schema, strict: null };
}

type Thinking = { readonly effort: Effort | null; readonly budgetTokens: number | null };

function thinkingOf(config: JsonObject | null): Thinking {
  const thinking = objectOf(field(config, 'thinkingConfig'));
  const level = levels.get(textOf(field(thinking, 'thinkingLevel'))?.toUpperCase() ?? '') ?? null;
  const budget = numberOf(field(thinking, 'thinkingBudget'));
  if (level !== null || budget === null) return { effort: level, budgetTokens: null };
  if (budget === 0) return { effort: 'none', budgetTokens: null };
  // Below zero the model decides.
  return budget < 0 ? { effort: 'medium', budgetTokens: null } : { effort: null, budgetTokens: budget };
}

function readLeftOvers(body: JsonObject, config: JsonObject | null, leftOvers: LeftOvers): void {
  const pin = pinOf(body);
  if (pin !== null) leftOvers.lack(pin);
  if ((numberOf(field(config, 'candidateCount')) ?? 1) > 1) leftOvers.lack('candidateCount');
  const modalities = field(config, 'responseModalities');
  if (Array.isArray(modalities) && modalities.some((modality) => modality !== 'TEXT'))
    leftOvers.lack('responseModalities');
  dropUnread(camelFields(body), readBody, leftOvers);
  dropUnread(camelFields(config ?? {}), readConfig, leftOvers);
}

function systemOf(body: JsonObject): readonly Message[] {
  const parts = partsOf(field(body, 'systemInstruction')).flatMap((part) => {
    const text = textOf(part['text']) ?? '';
    return text === '' ? [] : [{ kind: 'text' as const, text }];
  });
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const facts = readFacts(body);
  if (isInvalid(facts)) return facts;
  const leftOvers = new LeftOvers();
  const config = configOf(body);
  const messages = [...systemOf(body), ...decodeContents(contentsOf(body), leftOvers)];
  readLeftOvers(body, config, leftOvers);
  const { tools, toolChoice } = chosen(body, toolsOf(body, leftOvers));
  const { effort, budgetTokens } = thinkingOf(config);
  const stops = field(config, 'stopSequences');
  return {
    messages,
    tools,
    toolChoice,
    parallelToolCalls: null,
    outputTokensMax: numberOf(field(config, 'maxOutputTokens')),
    temperature: numberOf(field(config, 'temperature')),
    topP: numberOf(field(config, 'topP')),
    topK: numberOf(field(config, 'topK')),
    stop: Array.isArray(stops) ? stops.filter((stop): stop is string => typeof stop === 'string') : [],
    format: formatOf(config),
    effort,
    thinkingBudgetTokens: budgetTokens,
    user: null,
    stream: body['stream'] === true,
    includeUsage: true,
    cache: false,
    leftOver: leftOvers.list(),
  };
}
