/**
 * Simulated providers on real sockets: they speak the vendors' formats faithfully, refuse what the vendors refuse, and
 * do wrong what they are told to. Used by the demo, by drills and by the end-to-end tests.
 */
import { planAnswer } from './answer.ts';
import { anthropicError, anthropicSpeech } from './anthropic.ts';
import { createFaultBook, faultOf } from './faults.ts';
import type { Fault, FaultBook, FaultRule } from './faults.ts';
import { compatibleSpeech, openaiError, openaiSpeech } from './openai.ts';
import { play } from './play.ts';
import type { Ending, Pace } from './play.ts';
import { seededRandom } from './random.ts';
import { isObject } from './speech.ts';
import type { Body, Refusal, Speech } from './speech.ts';
import { listenOnWire } from './wire-server.ts';
import type { WireReply, WireRequest, WireServer } from './wire-server.ts';

export type SimulatedApi = 'anthropic' | 'openai' | 'openai-compatible';

export type SimulatedProvider = {
  readonly id: string;
  readonly api: SimulatedApi;
  /** Keys it accepts; empty accepts any, or none at all. */
  readonly keys?: readonly string[];
  readonly models: readonly string[];
  readonly pace?: Partial<Pace>;
  readonly port?: number;
};

export type SimulatorOptions = {
  readonly host?: string;
  readonly seed: number;
  readonly providers: readonly SimulatedProvider[];
};

/** A call as it arrived. `endedMs`: time from arrival to its end. */
export type SimulatedCall = {
  readonly provider: string;
  readonly model: string;
  readonly at: number;
  readonly key: string | null;
  readonly stream: boolean;
  readonly headers: Headers;
  readonly body: Body;
  readonly text: string;
  ending: Ending | 'refused' | null;
  endedMs: number | null;
};

export type Simulator = {
  /** What the vendor's own SDK takes. */
  baseUrl(provider: string): string;
  setFault(rule: Omit<FaultRule, 'id'> & { readonly id?: string }): string;
  removeFault(id: string): void;
  clearFaults(): void;
  /** The latest calls, oldest first. */
  calls(provider?: string): readonly SimulatedCall[];
  forgetCalls(): void;
  openConnections(): number;
  stop(): Promise<void>;
};

/** Calls kept for `calls()`. */
export const callsMax = 20_000;

function speechOf(api: SimulatedApi): Speech {
  switch (api) {
    case 'anthropic':
      return anthropicSpeech;
    case 'openai':
      return openaiSpeech;
    case 'openai-compatible':
      return compatibleSpeech;
  }
}

async function sendWhole(
  reply: WireReply,
  refusal: Refusal,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const text = typeof refusal.body === 'string' ? refusal.body : JSON.stringify(refusal.body);
  reply.head(refusal.status, { 'content-type': 'application/json', ...headers, ...refusal.headers });
  await reply.write(new TextEncoder().encode(text));
  reply.end();
}

function parsedBody(bytes: Uint8Array): { readonly body: Body; readonly text: string } | null {
  const text = new TextDecoder().decode(bytes);
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? { body, text } : null;
  } catch {
    return null;
  }
}

class ProviderSimulation {
  readonly #provider: SimulatedProvider;
  readonly #speech: Speech;
  readonly #faults: FaultBook;
  readonly #note: (call: SimulatedCall) => void;
  readonly #calls: () => readonly SimulatedCall[];
  #requests = 0;

  constructor(
    provider: SimulatedProvider,
    faults: FaultBook,
    note: (call: SimulatedCall) => void,
    calls: () => readonly SimulatedCall[],
  ) {
    this.#provider = provider;
    this.#speech = speechOf(provider.api);
    this.#faults = faults;
    this.#note = note;
    this.#calls = calls;
  }

  async serve(request: WireRequest, reply: WireReply): Promise<void> {
    const path = request.path.split('?')[0] ?? '';
    if (path.startsWith('/_simulator/')) return this.#control(path, request, reply);
    if (request.method === 'GET' && path === '/v1/models')
      return sendWhole(
        reply,
        { status: 200, body: this.#speech.models(this.#provider.models), headers: {} },
        {},
      );
    if (request.method !== 'POST' || path !== this.#speech.path)
      return sendWhole(reply, this.#refusal(404, 'not_found_error', 'Not found'), {});
    return this.#answer(request, reply);
  }

  #refusal(status: number, type: string, message: string): Refusal {
    return this.#provider.api === 'anthropic'
      ? anthropicError(status, type, message)
      : openaiError(status, 'invalid_request_error', null, message);
  }

  async #answer(request: WireRequest, reply: WireReply): Promise<void> {
    this.#requests++;
    const requestId = `req_sim_${this.#provider.id}_${this.#requests}`;
    const headers = { [this.#speech.requestIdHeader]: requestId };
    const parsed = parsedBody(request.body);
    if (parsed === null)
      return sendWhole(
        reply,
        this.#refusal(400, 'invalid_request_error', 'The request body is not valid JSON'),
        headers,
      );
    const { body, text } = parsed;
    const model = typeof body['model'] === 'string' ? body['model'] : '';
    const key = this.#speech.key(request.headers);
    const call: SimulatedCall = {
      provider: this.#provider.id,
      model,
      at: Date.now(),
      key,
      stream: body['stream'] === true,
      headers: request.headers,
      body,
      text,
      ending: null,
      endedMs: null,
    };
    this.#note(call);
    const faults = this.#faults.hit({ provider: this.#provider.id, model, key });
    const refusal = this.#refused(body, request.headers, key, faults, requestId);
    call.ending =
      refusal === null ? await this.#play(body, request.headers, reply, faults, headers) : 'refused';
    if (refusal !== null) await sendWhole(reply, refusal, headers);
    call.endedMs = Date.now() - call.at;
  }

  /** Why there is no answer: a fault that refuses, a key, or the request itself. */
  #refused(
    body: Body,
    headers: Headers,
    key: string | null,
    faults: readonly Fault[],
    requestId: string,
  ): Refusal | null {
    const status = faultOf(faults, 'status');
    if (status !== null)
      return { status: status.status, body: status.body ?? {}, headers: status.headers ?? {} };
    const preset = faultOf(faults, 'preset');
    if (preset !== null) {
      const refusal = this.#speech.refuse(preset.preset, requestId);
      return { ...refusal, headers: { ...refusal.headers, ...preset.headers } };
    }
    const accepted = this.#provider.keys ?? [];
    if (accepted.length > 0 && (key === null || !accepted.includes(key)))
      return this.#speech.refuse('credential_rejected', requestId);
    const read = this.#speech.read(body, headers, this.#provider.models);
    return read.kind === 'refused' ? read.refusal : null;
  }

  async #play(
    body: Body,
    requestHeaders: Headers,
    reply: WireReply,
    faults: readonly Fault[],
    headers: Readonly<Record<string, string>>,
  ): Promise<Ending> {
    const read = this.#speech.read(body, requestHeaders, this.#provider.models);
    if (read.kind === 'refused') return 'fault';
    const pace = { firstTokenMs: 0, perTokenMs: 0, ...this.#provider.pace };
    return play({
      speech: this.#speech,
      reply,
      answer: planAnswer(read.asked),
      model: read.asked.model,
      includeUsage: read.includeUsage,
      stream: read.stream,
      faults,
      pace,
      headers,
    });
  }

  /** For use from another process. */
  async #control(path: string, request: WireRequest, reply: WireReply): Promise<void> {
    const answer = (value: unknown): Promise<void> =>
      sendWhole(reply, { status: 200, body: value, headers: {} }, {});
    if (path === '/_simulator/calls')
      return answer(this.#calls().map(({ headers: _headers, text: _text, ...call }) => call));
    if (path !== '/_simulator/faults')
      return sendWhole(reply, this.#refusal(404, 'not_found_error', 'Not found'), {});
    if (request.method === 'DELETE') this.#faults.clear();
    if (request.method === 'POST') {
      const parsed = parsedBody(request.body);
      if (parsed === null)
        return sendWhole(reply, this.#refusal(400, 'invalid_request_error', 'not a fault rule'), {});
      // A tool of tests on loopback: the rule is taken as it is.
      this.#faults.set(parsed.body as unknown as FaultRule);
    }
    return answer(this.#faults.list());
  }
}

/** Starts one listening port per provider. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const faults = createFaultBook(seededRandom(options.seed));
  const calls: SimulatedCall[] = [];
  const note = (call: SimulatedCall): void => {
    if (calls.length >= callsMax) calls.splice(0, callsMax / 10);
    calls.push(call);
  };
  const servers = new Map<string, { readonly server: WireServer; readonly api: SimulatedApi }>();
  for (const provider of options.providers) {
    const simulation = new ProviderSimulation(provider, faults, note, () => calls);
    const server = await listenOnWire(host, provider.port ?? 0, (request, reply) =>
      simulation.serve(request, reply),
    );
    servers.set(provider.id, { server, api: provider.api });
  }
  return {
    baseUrl(id) {
      const found = servers.get(id);
      if (found === undefined) throw new Error(`there is no simulated provider ${id}`);
      return `http://${host}:${found.server.port}${found.api === 'anthropic' ? '' : '/v1'}`;
    },
    setFault: (rule) => faults.set(rule),
    removeFault: (id) => faults.remove(id),
    clearFaults: () => faults.clear(),
    calls: (provider) =>
      provider === undefined ? [...calls] : calls.filter((call) => call.provider === provider),
    forgetCalls: () => void calls.splice(0, calls.length),
    openConnections: () => [...servers.values()].reduce((sum, { server }) => sum + server.connections(), 0),
    stop: async () => {
      await Promise.all([...servers.values()].map(({ server }) => server.stop()));
    },
  };
}
