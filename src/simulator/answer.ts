/** What a simulated model says: made from the request alone, so that the same request gets the same answer. */
import { jsonSample } from './json-sample.ts';
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
  /** It may call several tools at once. */
  readonly parallelTools: boolean;
  readonly schema: unknown;
  readonly json: boolean;
  readonly outputTokensMax: number | null;
  readonly stops: readonly string[];
  readonly thinking: boolean;
  /** It thinks, but does not show it. */
  readonly hidesThinking: boolean;
  readonly inputCharacters: number;
};

export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

export type PlannedAnswer = {
  readonly id: string;
  readonly thinking: string | null;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: 'stop' | 'stop_sequence' | 'length' | 'tool_calls' | 'refusal';
  readonly stopSequence: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** In place of the usual one. */
  readonly fingerprint?: string;
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

/** `use tool name with {…}`: a call with exactly these arguments. */
const toolOrder = /use tool ([\w.:-]+) with (\{[\s\S]*\})/;

type Wanted = { readonly name: string; readonly arguments: string };

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

function orderedTool(asked: Asked): Wanted | null {
  const [, name = '', text = ''] = toolOrder.exec(asked.lastUserText) ?? [];
  // The order may be followed by more words: the arguments end at the last brace that makes them whole.
  for (let end = text.length; end > 0; end = text.lastIndexOf('}', end - 2) + 1) {
    const part = text.slice(0, end);
    if (isJson(part))
      return asked.tools.some((tool) => tool.name === name) ? { name, arguments: part } : null;
  }
  return null;
}

function wantedTools(asked: Asked): readonly Wanted[] {
  const { toolChoice } = asked;
  const sampled = (name: string): Wanted => ({
    name,
    arguments: JSON.stringify(jsonSample(asked.tools.find((tool) => tool.name === name)?.schema)),
  });
  if (toolChoice.kind === 'none' || asked.tools.length === 0) return [];
  if (toolChoice.kind === 'named') return [sampled(toolChoice.name)];
  if (asked.toolResult !== null) return [];
  const ordered = orderedTool(asked);
  if (ordered !== null) return [ordered];
  const named = /use tools? ([\w-]+(?: and [\w-]+)*)/.exec(asked.lastUserText)?.[1]?.split(' and ') ?? [];
  const known = named.filter((name) => asked.tools.some((tool) => tool.name === name));
  if (known.length > 0) return (asked.parallelTools ? known : known.slice(0, 1)).map(sampled);
  const [first] = asked.tools;
  return toolChoice.kind === 'any' && first !== undefined ? [sampled(first.name)] : [];
}

/** What makes two simulators, or two providers of one, answer differently. */
export type Manner = {
  readonly seed: number;
  /** Length of an answer about nothing in particular. */
  readonly tokens: number;
};

export const answerTokensDefault = 36;
const answerTokensMax = 100_000;

function proseOf(tokens: number, random: () => number): string {
  const length = 4 * Math.min(tokens, answerTokensMax);
  let prose = '';
  while (prose.length < length - 1)
    prose += `${prose === '' ? '' : ' '}${words[Math.floor(random() * words.length)] ?? ''}`;
  return `${prose}.`;
}

function textFor(asked: Asked, manner: Manner, random: () => number): string {
  const exact = /say exactly: ([\s\S]*)$/.exec(asked.lastUserText)?.[1];
  if (exact !== undefined) return exact;
  if (asked.toolResult !== null) return `The tool said: ${asked.toolResult}`;
  if (asked.schema !== null) return JSON.stringify(jsonSample(asked.schema));
  if (asked.json) return JSON.stringify({ answer: 'yes' });
  const opening = asked.system === null ? '' : `[system: ${[...asked.system].slice(0, 20).join('')}] `;
  const seen = asked.images === 0 ? '' : `I see ${asked.images} ${asked.images === 1 ? 'image' : 'images'}. `;
  return `${opening}${seen}${proseOf(manner.tokens, random)}`;
}

type Ended = Pick<PlannedAnswer, 'text' | 'finish' | 'stopSequence'>;

/** Where a text ends: at the first stop sequence, at the limit of tokens, or by itself. */
function endedText(full: string, stops: readonly string[], tokensMax: number): Ended {
  const [first] = stops
    .map((stop) => ({ stop, at: stop === '' ? -1 : full.indexOf(stop) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at);
  const said = first === undefined ? full : full.slice(0, first.at);
  const tokens = tokensOf(said);
  if (tokens.length > tokensMax)
    return { text: tokens.slice(0, tokensMax).join(''), finish: 'length', stopSequence: null };
  return first === undefined
    ? { text: said, finish: 'stop', stopSequence: null }
    : { text: said, finish: 'stop_sequence', stopSequence: first.stop };
}

const thought = 'Let me think: what was asked, and what is known?';

/** Plans the answer of a model to a request. */
export function planAnswer(asked: Asked, manner: Manner): PlannedAnswer {
  const random = seededRandom(
    textSeed(`${manner.seed}\n${asked.model}\n${asked.lastUserText}\n${asked.inputCharacters}`),
  );
  const id = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join('');
  const toolCalls = wantedTools(asked).map((call, index): ToolCall => ({ id: `${id}${index}`, ...call }));
  const limit = asked.outputTokensMax ?? Number.POSITIVE_INFINITY;
  const reasoningTokens = asked.thinking ? Math.min(tokensOf(thought).length, limit) : 0;
  const ended: Ended =
    toolCalls.length > 0
      ? { text: '', finish: 'tool_calls', stopSequence: null }
      : endedText(textFor(asked, manner, random), asked.stops, limit - reasoningTokens);
  const callTokens = toolCalls.reduce((sum, call) => sum + tokensOf(call.arguments).length + 5, 0);
  return {
    id,
    thinking: !asked.thinking ? null : asked.hidesThinking ? '' : thought,
    ...ended,
    toolCalls,
    inputTokens: Math.max(1, Math.ceil(asked.inputCharacters / 4)),
    outputTokens: tokensOf(ended.text).length + callTokens + reasoningTokens,
    reasoningTokens,
  };
}
