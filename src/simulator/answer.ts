/** What a simulated model says: made from the request alone, so that the same request gets the same answer. */
import { seededRandom, textSeed } from './random.ts';

export type Asked = {
  readonly model: string;
  readonly system: string | null;
  readonly lastUserText: string;
  /** Text of the tool results that end the conversation; null when it ends otherwise. */
  readonly toolResult: string | null;
  readonly images: number;
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[];
  readonly toolChoice:
    | { readonly kind: 'auto' | 'none' | 'any' }
    | { readonly kind: 'named'; readonly name: string };
  readonly schema: unknown;
  readonly json: boolean;
  readonly outputTokensMax: number | null;
  readonly thinking: boolean;
  readonly inputCharacters: number;
};

export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

export type PlannedAnswer = {
  readonly id: string;
  readonly thinking: string | null;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'refusal';
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
};

const words = [
  'the',
  'meeting',
  'agreed',
  'to',
  'move',
  'café',
  'budget',
  'review',
  'forward',
  'naïve',
  'plan',
  '会议',
  '记录',
  'next',
  'week',
  '🌊',
  'owner',
  'draft',
  'notes',
  'Größe',
  'harbour',
  'quiet',
  'water',
  'held',
];

/** About four characters, never half of one. */
export function tokensOf(text: string): readonly string[] {
  const characters = [...text];
  const tokens: string[] = [];
  for (let at = 0; at < characters.length; at += 4) tokens.push(characters.slice(at, at + 4).join(''));
  return tokens;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const depthMax = 10;

/** The smallest value that fits a JSON Schema. */
function sample(schema: unknown, depth = 0): unknown {
  if (!isObject(schema) || depth > depthMax) return {};
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if ('const' in schema) return schema['const'];
  const type: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (type === 'string') return 'Rome';
  if (type === 'integer' || type === 'number') return 7;
  if (type === 'boolean') return true;
  if (type === 'array') return [sample(schema['items'], depth + 1)];
  if (type === 'null') return null;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  return Object.fromEntries(required.map((name) => [name, sample(properties[name], depth + 1)]));
}

function wantedTools(asked: Asked): readonly string[] {
  const { toolChoice } = asked;
  if (toolChoice.kind === 'none' || asked.tools.length === 0) return [];
  if (toolChoice.kind === 'named') return [toolChoice.name];
  if (asked.toolResult !== null) return [];
  const named = /use tools? ([\w-]+(?: and [\w-]+)*)/.exec(asked.lastUserText)?.[1]?.split(' and ') ?? [];
  const known = named.filter((name) => asked.tools.some((tool) => tool.name === name));
  if (known.length > 0) return known;
  const [first] = asked.tools;
  return toolChoice.kind === 'any' && first !== undefined ? [first.name] : [];
}

function textFor(asked: Asked, random: () => number): string {
  const exact = /say exactly: ([\s\S]*)$/.exec(asked.lastUserText)?.[1];
  if (exact !== undefined) return exact;
  if (asked.toolResult !== null) return `The tool said: ${asked.toolResult}`;
  if (asked.schema !== null) return JSON.stringify(sample(asked.schema));
  if (asked.json) return JSON.stringify({ answer: 'yes' });
  const opening = asked.system === null ? '' : `[system: ${[...asked.system].slice(0, 20).join('')}] `;
  const seen = asked.images === 0 ? '' : `I see ${asked.images} ${asked.images === 1 ? 'image' : 'images'}. `;
  const body = Array.from({ length: 24 }, () => words[Math.floor(random() * words.length)] ?? '');
  return `${opening}${seen}${body.join(' ')}.`;
}

/** Plans the answer of a model to a request. */
export function planAnswer(asked: Asked): PlannedAnswer {
  const random = seededRandom(textSeed(`${asked.model}\n${asked.lastUserText}\n${asked.inputCharacters}`));
  const id = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join('');
  const names = wantedTools(asked);
  const toolCalls = names.map((name, index): ToolCall => ({
    id: `${id}${index}`,
    name,
    arguments: JSON.stringify(sample(asked.tools.find((tool) => tool.name === name)?.schema)),
  }));
  const thinking = asked.thinking ? 'Let me think: what was asked, and what is known?' : null;
  const full = toolCalls.length > 0 ? '' : textFor(asked, random);
  const tokens = tokensOf(full);
  const limit = asked.outputTokensMax ?? Number.POSITIVE_INFINITY;
  const cut = toolCalls.length === 0 && tokens.length > limit;
  const text = cut ? tokens.slice(0, limit).join('') : full;
  const reasoningTokens = thinking === null ? 0 : tokensOf(thinking).length;
  const callTokens = toolCalls.reduce((sum, call) => sum + tokensOf(call.arguments).length + 5, 0);
  return {
    id,
    thinking,
    text,
    toolCalls,
    finish: toolCalls.length > 0 ? 'tool_calls' : cut ? 'length' : 'stop',
    inputTokens: Math.max(1, Math.ceil(asked.inputCharacters / 4)),
    outputTokens: tokensOf(text).length + callTokens + reasoningTokens,
    reasoningTokens,
  };
}
