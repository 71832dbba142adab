/** One simulated provider: takes what arrives at its port, lets the faults strike, and answers in its vendor's words. */
import { planAnswer } from './answer.ts';
import { anthropicSpeech } from './anthropic.ts';
import { azureHost } from './azure.ts';
import { bedrockHost } from './bedrock.ts';
import type { CallLog, SimulatedCall } from './call-log.ts';
import { faultOf } from './faults.ts';
import type { Fault, FaultBook } from './faults.ts';
import { googleSpeech } from './google.ts';
import type { Host } from './host.ts';
import { responsesSpeech } from './openai-responses.ts';
import { compatibleSpeech, openaiSpeech } from './openai.ts';
import { play } from './play.ts';
import type { Ending, Pace } from './play.ts';
import { isObject } from './speech.ts';
import type { Body, Refusal, Speech } from './speech.ts';
import { vertexHost } from './vertex.ts';
import type { WireReply } from './wire-server.ts';
import type { WireRequest } from './wire-request.ts';
import { pause } from './writer.ts';

export type SimulatedApi =
  | 'anthropic'
  | 'openai'
  | 'google'
  | 'openai-compatible'
  | 'bedrock'
  | 'vertex'
  | 'azure-openai';

export type SimulatedPace = Pace & {
  /** Length of an answer about nothing in particular. */
  readonly tokens: number;
};

export type SimulatedProvider = {
  readonly id: string;
  readonly api: SimulatedApi;
  /** Keys it accepts; empty accepts any, or none at all. */
  readonly keys?: readonly string[];
  readonly models: readonly string[];
  readonly pace?: Partial<SimulatedPace>;
  readonly port?: number;
};

export type BeforeCut = (provider: string, stream: boolean) => Promise<void>;

export type Surroundings = {
  readonly seed: number;
  readonly faults: FaultBook;
  readonly calls: CallLog;
  readonly paceDefault: SimulatedPace;
  readonly beforeCut: BeforeCut;
};

/** The cloud in front of the model; null where the vendor itself answers. */
function hostOf(api: SimulatedApi): Host | null {
  switch (api) {
    case 'bedrock':
      return bedrockHost;
    case 'vertex':
      return vertexHost;
    case 'azure-openai':
      return azureHost;
    case 'anthropic':
    case 'openai':
    case 'google':
    case 'openai-compatible':
      return null;
  }
}

/** The first is spoken where no address says otherwise. */
function speechesOf(api: SimulatedApi): readonly [Speech, ...Speech[]] {
  switch (api) {
    case 'anthropic':
      return [anthropicSpeech];
    case 'openai':
      return [openaiSpeech, responsesSpeech];
    case 'google':
      return [googleSpeech];
    case 'openai-compatible':
      return [compatibleSpeech];
    case 'bedrock':
      return bedrockHost.speeches;
    case 'vertex':
      return vertexHost.speeches;
    case 'azure-openai':
      return azureHost.speeches;
  }
}

export async function sendWhole(
  reply: WireReply,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  reply.head(status, { 'content-type': 'application/json', ...headers });
  await reply.write(new TextEncoder().encode(text));
  reply.end();
}

function parsed(text: string): Body | null {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}

type Taking = {
  readonly request: WireRequest;
  readonly reply: WireReply;
  readonly path: string;
  /** The path as it was asked, before a cloud's door took its part off. */
  readonly asked: string;
  readonly requestId: string;
  readonly speech: Speech;
};

type Arrival = {
  readonly speech: Speech;
  readonly body: Body | null;
  readonly headers: Headers;
  readonly key: string | null;
  readonly requestId: string;
  readonly faults: readonly Fault[];
  readonly isSide: boolean;
};

export class ProviderSimulation {
  readonly #provider: SimulatedProvider;
  readonly #speeches: readonly [Speech, ...Speech[]];
  readonly #host: Host | null;
  readonly #surroundings: Surroundings;
  readonly #pace: SimulatedPace;
  #requests = 0;

  constructor(provider: SimulatedProvider, surroundings: Surroundings) {
    this.#provider = provider;
    this.#speeches = speechesOf(provider.api);
    this.#host = hostOf(provider.api);
    this.#surroundings = surroundings;
    this.#pace = { ...surroundings.paceDefault, ...provider.pace };
  }

  async serve(asked: WireRequest, outer: WireReply): Promise<void> {
    this.#requests++;
    const requestId = `req_sim_${this.#provider.id}_${this.#requests}`;
    const entered = this.#host?.enter(asked, outer, this.#provider.keys ?? []) ?? {
      request: asked,
      reply: outer,
    };
    if ('status' in entered) return this.#refuse(outer, entered, requestId);
    const { request, reply } = entered;
    const path = request.path.split('?')[0] ?? '';
    const speech = this.#speeches.find(
      (each) =>
        path === each.answerPath || path === each.sidePath || (each.addressed?.(path) ?? null) !== null,
    );
    if (request.method === 'POST' && speech !== undefined)
      return this.#take({ request, reply, path, asked: asked.path, requestId, speech });
    const isModels = /^\/v1(?:beta)?\/models(?:\/|$)/.test(path);
    if (request.method === 'GET' && isModels) return this.#showModels(request, reply, path, requestId);
    return this.#refuse(reply, this.#speech.notFound(request.method, path), requestId);
  }

  get #speech(): Speech {
    return this.#speeches[0];
  }

  #refuse(reply: WireReply, refusal: Refusal, requestId: string): Promise<void> {
    const { status, body, headers } = refusal;
    return sendWhole(reply, status, this.#speech.stamped(body, requestId), {
      ...this.#speech.headers(requestId),
      ...headers,
    });
  }

  #accepts(key: string | null): boolean {
    const accepted = this.#provider.keys ?? [];
    return accepted.length === 0 || (key !== null && accepted.includes(key));
  }

  #showModels(request: WireRequest, reply: WireReply, path: string, requestId: string): Promise<void> {
    const { models } = this.#provider;
    const name = decodeURIComponent(path.replace(/^\/v1(?:beta)?\/models\/?/, ''));
    if (!this.#accepts(this.#speech.key(request.headers)))
      return this.#refuse(reply, this.#speech.refuse('credential_rejected', name), requestId);
    if (name !== '' && !models.includes(name))
      return this.#refuse(reply, this.#speech.refuse('model_not_found', name), requestId);
    const body = name === '' ? this.#speech.models(models) : this.#speech.model(name);
    return sendWhole(reply, 200, body, this.#speech.headers(requestId));
  }

  async #take({ request, reply, path, asked, requestId, speech }: Taking): Promise<void> {
    const { faults, calls } = this.#surroundings;
    const text = new TextDecoder().decode(request.body);
    const address = speech.addressed?.(path) ?? null;
    const own = parsed(text);
    const body = own === null || address === null ? own : { ...own, ...address.fields };
    const key = this.#speech.key(request.headers);
    const model = typeof body?.['model'] === 'string' ? body['model'] : '';
    const call: SimulatedCall = {
      provider: this.#provider.id,
      path: this.#host === null ? path : asked,
      query: request.path.slice(path.length + 1),
      model,
      at: Date.now(),
      key,
      stream: body?.['stream'] === true,
      headers: request.headers,
      body: body ?? {},
      text,
      ending: null,
      endedMs: null,
    };
    calls.note(call);
    const ending = await this.#answer(reply, {
      body,
      headers: request.headers,
      key,
      requestId,
      faults: faults.hit({ provider: this.#provider.id, model, key }),
      speech,
      isSide: address?.isSide ?? path === speech.sidePath,
    });
    call.endedMs = Date.now() - call.at;
    call.ending = ending;
  }

  async #answer(reply: WireReply, arrival: Arrival): Promise<Ending | 'refused'> {
    const { body, headers, faults, requestId, speech } = arrival;
    for (const fault of faults)
      if (fault.kind === 'delay')
        await pause(fault.beforeHeadersMs ?? 0, reply, this.#surroundings.faults.lifted(fault));
    if (reply.gone()) return 'aborted_by_client';
    const struck = this.#struck(faults, typeof body?.['model'] === 'string' ? body['model'] : '');
    const refusal = struck ?? this.#rejected(arrival);
    if (refusal !== null || body === null) {
      await this.#refuse(reply, refusal ?? this.#speech.unreadable(), requestId);
      return struck === null ? 'refused' : 'fault';
    }
    const { models } = this.#provider;
    const read = arrival.isSide ? speech.readSide(body, headers, models) : speech.read(body, headers, models);
    if (read.kind === 'refused') {
      await this.#refuse(reply, read.refusal, requestId);
      return 'refused';
    }
    const answer = planAnswer(read.asked, { seed: this.#surroundings.seed, tokens: this.#pace.tokens });
    if (arrival.isSide) {
      await sendWhole(reply, 200, speech.side(answer, body), this.#speech.headers(requestId));
      return 'completed';
    }
    return play({
      speech,
      reply,
      answer,
      model: read.asked.model,
      form: read.form,
      faults,
      pace: this.#pace,
      requestId,
      beforeCut: () => this.#surroundings.beforeCut(this.#provider.id, read.form.stream),
    });
  }

  /** The error that a fault orders. */
  #struck(faults: readonly Fault[], model: string): Refusal | null {
    const status = faultOf(faults, 'status');
    if (status !== null)
      return { status: status.status, body: status.body ?? {}, headers: status.headers ?? {} };
    const preset = faultOf(faults, 'preset');
    if (preset === null) return null;
    const refusal = this.#speech.refuse(preset.preset, model);
    return { ...refusal, headers: { ...refusal.headers, ...preset.headers } };
  }

  /** The provider's own reason not to listen at all. */
  #rejected({ key, body }: Arrival): Refusal | null {
    if (!this.#accepts(key)) return this.#speech.refuse('credential_rejected', '');
    return body === null ? this.#speech.unreadable() : null;
  }
}
