/**
 * Every provider of a world, as one stand-in for `fetch`: hears each call that leaves the gateway, and answers it by
 * chance in the format it was asked in: well, late, with an error, with nothing, or with an answer that breaks off.
 */
import type { AnswerEvent } from '../../src/dialects/conversation.ts';
import type { Operation } from '../../src/core/record.ts';
import { codecFor } from '../../src/dialects/registry.ts';
import type { Dialect } from '../../src/core/target.ts';
import type { Chance } from './chance.ts';
import type { VirtualTime } from './virtual-time.ts';

/** One call as its provider saw it. */
export type Call = {
  readonly target: string;
  readonly operation: Operation;
  /** The number of the request whose words are in it; null when nobody's are. */
  readonly request: number | null;
  readonly text: string;
  readonly at: number;
  /** Set when it is over, for whatever reason. */
  endedAt: number | null;
  received: boolean;
};

export const wordsOf = (request: number): string => `words-of-${request}-end`;
const wordsPattern = /words-of-(\d+)-end/;
/** What every answer says, so that it can be looked for where no answer belongs. */
export const answerWords = 'the-answer-itself';

const answerEvents = (id: string, model: string): readonly AnswerEvent[] => [
  { kind: 'start', id, model, usage: null },
  { kind: 'text_start' },
  ...['Here is ', `${answerWords} and an end`].map((text) => ({ kind: 'text_delta' as const, text })),
  { kind: 'part_end', opaque: null },
  { kind: 'finish', reason: 'stop', stopSequence: null, usage: null },
];

type Asked = {
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly model: string;
  readonly stream: boolean;
};

const paths: readonly (readonly [string, Dialect, Operation])[] = [
  ['/chat/completions', 'openai-chat', 'answer'],
  ['/embeddings', 'openai-chat', 'embeddings'],
  ['/responses/input_tokens', 'openai-responses', 'count_tokens'],
  ['/responses', 'openai-responses', 'answer'],
  ['/messages/count_tokens', 'anthropic-messages', 'count_tokens'],
  ['/messages', 'anthropic-messages', 'answer'],
];

function askedIn(url: URL, text: string): Asked {
  const gemini = /\/models\/([^:]+):(\w+)/.exec(url.pathname);
  if (gemini !== null) {
    const [, model = '', method = ''] = gemini;
    const operation = method === 'countTokens' ? 'count_tokens' : 'answer';
    return {
      dialect: 'gemini',
      operation,
      model: decodeURIComponent(model),
      stream: method.startsWith('stream'),
    };
  }
  const [, dialect, operation] = paths.find(([path]) => url.pathname.endsWith(path)) ?? [];
  if (dialect === undefined || operation === undefined) throw new Error(`nobody asks ${url.pathname}`);
  const body = JSON.parse(text) as { model: string; stream?: boolean };
  return { dialect, operation, model: body.model, stream: body.stream === true };
}

function wholeBody({ dialect, operation, model }: Asked): string {
  if (operation === 'embeddings')
    return JSON.stringify({
      object: 'list',
      model,
      data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
    });
  if (operation === 'count_tokens')
    return JSON.stringify(dialect === 'gemini' ? { totalTokens: 7 } : { input_tokens: 7 });
  const answer = {
    id: 'a1',
    model,
    parts: [{ kind: 'text' as const, text: `Here is ${answerWords}` }],
    finish: 'stop' as const,
    stopSequence: null,
    usage: null,
  };
  return JSON.stringify(codecFor(dialect).encodeAnswer(answer, { createdSeconds: 0 }));
}

const headers = (type: string, more: Record<string, string> = {}): Record<string, string> => ({
  'content-type': type,
  ...more,
});
const failing = (status: number, code: string, more: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ error: { type: code, code, message: 'no' } }), {
    status,
    headers: headers('application/json', more),
  });

const errors: readonly ((chance: Chance) => Response)[] = [
  () => failing(500, 'server_error'),
  () => failing(500, 'server_error'),
  () => failing(503, 'overloaded_error'),
  (chance) => failing(429, 'rate_limit_error', { 'retry-after': chance.of(['1', '60']) }),
  () => failing(401, 'invalid_api_key'),
  () => failing(404, 'model_not_found'),
  () => failing(400, 'invalid_request_error'),
];

const waysToFail = ['error', 'error', 'silent', 'reset', 'refused', 'cut', 'cut', 'stall'] as const;

class Lost extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export class Providers {
  readonly calls: Call[] = [];
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #onCall: (call: Call) => void;
  /** In some worlds all that goes wrong is an internal error, again and again. */
  readonly #isMonotonous: boolean;
  /** How bad each target is at the moment: the share of calls that go wrong. */
  readonly #badness = new Map<string, number>();

  constructor(time: VirtualTime, chance: Chance, onCall: (call: Call) => void) {
    this.#time = time;
    this.#chance = chance;
    this.#onCall = onCall;
    this.#isMonotonous = chance.chance(0.2);
  }

  #badnessOf(target: string): number {
    let share = this.#badness.get(target);
    if (share === undefined || this.#chance.chance(this.#isMonotonous ? 0 : 0.02)) {
      share = this.#chance.of(this.#isMonotonous ? [0, 0.9] : [0, 0.1, 0.3, 0.9]);
      this.#badness.set(target, share);
    }
    return share;
  }

  readonly fetch = (
    address: unknown,
    init?: { body?: unknown; signal?: AbortSignal | null },
  ): Promise<Response> => {
    if (init?.signal?.aborted === true) return Promise.reject(new Lost('ABORT_ERR'));
    const url = new URL(String(address));
    const text = String(init?.body);
    const asked = askedIn(url, text);
    const found = wordsPattern.exec(text)?.[1];
    const call: Call = {
      target: `${url.hostname.split('.')[0] ?? ''}/${asked.model}`,
      operation: asked.operation,
      request: found === undefined ? null : Number(found),
      text,
      at: this.#time.now,
      endedAt: null,
      received: true,
    };
    this.calls.push(call);
    this.#onCall(call);
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const end = (): void => void (call.endedAt ??= this.#time.now);
    const signal = init?.signal ?? null;
    signal?.addEventListener('abort', () => {
      end();
      reject(new Lost('ABORT_ERR'));
    });
    this.#answer(call, asked, signal, resolve, (error) => {
      end();
      reject(error);
    });
    return promise;
  };

  #answer(
    call: Call,
    asked: Asked,
    signal: AbortSignal | null,
    resolve: (answer: Response) => void,
    reject: (error: Error) => void,
  ): void {
    const chance = this.#chance;
    const goesWrong = chance.chance(this.#badnessOf(call.target));
    const headersMs = chance.of([5, 40, 150, 150, 900]);
    const ways = this.#isMonotonous ? (['error'] as const) : waysToFail;
    const how = goesWrong ? chance.of(ways) : 'well';
    if (how === 'silent') return;
    if (how === 'refused') call.received = false;
    this.#time.after(headersMs, () => {
      if (signal?.aborted === true) return;
      const end = (): void => void (call.endedAt ??= this.#time.now);
      if (how === 'error') {
        end();
        resolve(this.#isMonotonous ? failing(500, 'server_error') : chance.of(errors)(chance));
      } else if (how === 'reset' || how === 'refused') {
        reject(new Lost(how === 'reset' ? 'ECONNRESET' : 'ECONNREFUSED'));
      } else if (asked.stream) {
        resolve(
          new Response(this.#stream(asked, how, signal, end), { headers: headers('text/event-stream') }),
        );
      } else {
        end();
        const body = wholeBody(asked);
        const sent = how === 'well' ? body : body.slice(0, -5);
        resolve(
          new Response(sent, {
            headers: headers('application/json', { 'content-length': String(sent.length) }),
          }),
        );
      }
    });
  }

  #stream(
    { dialect, model }: Asked,
    how: 'well' | 'cut' | 'stall',
    signal: AbortSignal | null,
    end: () => void,
  ): ReadableStream<Uint8Array> {
    const writer = codecFor(dialect).streamWriter({ includeUsage: false, createdSeconds: 0 });
    const [start = '', open = '', first = '', second = '', ...end_] = answerEvents('a1', model).map((event) =>
      writer.write(event),
    );
    const pieces = [`${start}${open}`, first, second, end_.join('')];
    const last = how === 'well' ? pieces.length : this.#chance.of([0, 1, 2, 2, 3, 3]);
    const betweenMs = this.#chance.of([1, 30, 30, 400]);
    const encoder = new TextEncoder();
    let isOver = false;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const over = (finish: () => void): void => {
          if (isOver) return;
          isOver = true;
          end();
          finish();
        };
        signal?.addEventListener('abort', () => over(() => controller.error(new Lost('ABORT_ERR'))));
        const give = (index: number): void => {
          if (isOver) return;
          const piece = pieces[index];
          if (piece !== undefined && index < last) {
            if (piece !== '') controller.enqueue(encoder.encode(piece));
            this.#time.after(betweenMs, () => give(index + 1));
          } else if (how !== 'stall') over(() => controller.close());
        };
        give(0);
      },
      cancel: () => {
        isOver = true;
        end();
      },
    });
  }
}
