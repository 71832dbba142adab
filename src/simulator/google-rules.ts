/** What a simulated Gemini API demands of a request. */
import { invalidArgument } from './google-error.ts';
import { isObject, objectsOf, textOf } from './speech.ts';
import type { Body, Refusal } from './speech.ts';

const known = new Set([
  'model',
  'stream',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'cachedContent',
  'serviceTier',
  'labels',
  'store',
  'continuationToken',
]);
const knownConfig = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'responseLogprobs',
  'logprobs',
  'thinkingConfig',
  'mediaResolution',
]);
const stopsMax = 5;
const functionName = /^[A-Za-z_][\w.:-]{0,127}$/;

const unknownName = (name: string, place: string): Refusal =>
  invalidArgument(
    `Invalid JSON payload received. Unknown name "${name}"${place === '' ? '' : ` at '${place}'`}: Cannot find field.`,
  );

function fieldRefusal(body: Body): Refusal | null {
  const odd = Object.keys(body).find((key) => !known.has(key));
  if (odd !== undefined) return unknownName(odd, '');
  const config = isObject(body['generationConfig']) ? body['generationConfig'] : {};
  const oddConfig = Object.keys(config).find((key) => !knownConfig.has(key));
  if (oddConfig !== undefined) return unknownName(oddConfig, 'generation_config');
  const stops = config['stopSequences'];
  if (Array.isArray(stops) && stops.length > stopsMax)
    return invalidArgument(`Only ${stopsMax} stop sequences are allowed.`);
  const thinking = isObject(config['thinkingConfig']) ? config['thinkingConfig'] : {};
  return thinking['thinkingBudget'] !== undefined && thinking['thinkingLevel'] !== undefined
    ? invalidArgument('You can only set only one of thinking budget and thinking level.')
    : null;
}

/** The older schemas are a subset of OpenAPI: what is not in it fails the whole request. */
function schemaRefusal(schema: unknown, place: string): Refusal | null {
  if (!isObject(schema)) return null;
  for (const key of ['$ref', '$schema', 'additionalProperties', 'const', 'oneOf', 'allOf'])
    if (schema[key] !== undefined) return unknownName(key, place);
  if (Array.isArray(schema['type']))
    return invalidArgument(`Proto field is not repeating at '${place}.type'.`);
  const inner = isObject(schema['properties']) ? Object.values(schema['properties']) : [];
  for (const each of [...inner, schema['items']]) {
    const refusal = schemaRefusal(each, `${place}.properties`);
    if (refusal !== null) return refusal;
  }
  return null;
}

function toolsRefusal(body: Body): Refusal | null {
  const functions = objectsOf(body['tools']).flatMap((tool) => objectsOf(tool['functionDeclarations']));
  for (const [index, each] of functions.entries()) {
    const place = `tools[0].function_declarations[${index}]`;
    if (!functionName.test(textOf(each['name'])))
      return invalidArgument(
        `Invalid function name at '${place}'. Must start with a letter or an underscore.`,
      );
    const refusal = schemaRefusal(each['parameters'], `${place}.parameters`);
    if (refusal !== null) return refusal;
    const schema = each['parametersJsonSchema'];
    if (isObject(schema) && JSON.stringify(schema).includes('"const":'))
      return unknownName('const', `${place}.parameters_json_schema`);
  }
  return null;
}

type Turn = { readonly role: string; readonly parts: readonly Body[] };

function turnRefusal(turn: Turn, before: Turn | undefined, index: number): Refusal | null {
  if (turn.role !== 'user' && turn.role !== 'model' && turn.role !== '')
    return invalidArgument('Please use a valid role: user, model.');
  if (turn.parts.length === 0)
    return invalidArgument('Unable to submit request because it must have a text parameter.');
  const results = turn.parts.filter((part) => isObject(part['functionResponse']));
  const asked = (before?.parts ?? []).filter((part) => isObject(part['functionCall']));
  if (results.length !== asked.length && (results.length > 0 || asked.length > 0))
    return invalidArgument(
      'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
    );
  const [firstCall] = turn.parts.filter((part) => isObject(part['functionCall']));
  if (firstCall !== undefined && typeof firstCall['thoughtSignature'] !== 'string')
    return invalidArgument(
      `Function call is missing a thought_signature in functionCall parts. Additional data, function call, position ${index}.`,
    );
  return null;
}

export function googleRefusal(body: Body): Refusal | null {
  const contents = body['contents'];
  if (!Array.isArray(contents) || contents.length === 0)
    return invalidArgument('* GenerateContentRequest.contents: contents is not specified');
  const turns = objectsOf(contents).map((content) => ({
    role: textOf(content['role']),
    parts: objectsOf(content['parts']),
  }));
  const wrong = turns.map((turn, index) => turnRefusal(turn, turns[index - 1], index));
  return fieldRefusal(body) ?? toolsRefusal(body) ?? wrong.find((refusal) => refusal !== null) ?? null;
}
