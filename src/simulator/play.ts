/** Plays an answer onto the wire at a pace, with the faults that hit this call. */
import type { PlannedAnswer } from './answer.ts';
import { faultOf } from './faults.ts';
import type { Fault } from './faults.ts';
import type { Speech, StreamEvent } from './speech.ts';
import type { WireReply } from './wire-server.ts';

export type Pace = { readonly firstTokenMs: number; readonly perTokenMs: number };

export type Playing = {
  readonly speech: Speech;
  readonly reply: WireReply;
  readonly answer: PlannedAnswer;
  readonly model: string;
  readonly includeUsage: boolean;
  readonly stream: boolean;
  readonly faults: readonly Fault[];
  readonly pace: Pace;
  readonly headers: Readonly<Record<string, string>>;
};

export type Ending = 'completed' | 'fault' | 'aborted_by_client';

const encoder = new TextEncoder();

/** Waits, but not longer than the client stays. */
function pause(ms: number, reply: WireReply): Promise<void> {
  if (ms <= 0 || reply.gone()) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  reply.onGone(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** Longest that a hanging call is kept when its client never leaves. */
const hangMsMax = 600_000;

async function hang(reply: WireReply): Promise<Ending> {
  await pause(hangMsMax, reply);
  return reply.gone() ? 'aborted_by_client' : 'fault';
}

function cut(reply: WireReply, how: 'reset' | 'fin'): Ending {
  if (how === 'reset') reply.reset();
  else reply.fin();
  return 'fault';
}

/** Writes text in the style the faults ask for. */
async function write(playing: Playing, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  const { reply, faults } = playing;
  if (faultOf(faults, 'one_byte_writes') !== null) {
    for (let at = 0; at < bytes.length && !reply.gone(); at++) await reply.write(bytes.subarray(at, at + 1));
    return;
  }
  const split = faultOf(faults, 'split_utf8') === null ? -1 : bytes.findIndex((byte) => byte >= 0x80);
  if (split < 0) return reply.write(bytes);
  await reply.write(bytes.subarray(0, split + 1));
  await pause(1, reply);
  await reply.write(bytes.subarray(split + 1));
}

/** What becomes of the answer itself under faults of content. */
function spoiled(answer: PlannedAnswer, faults: readonly Fault[]): PlannedAnswer {
  if (faultOf(faults, 'empty') !== null)
    return {
      ...answer,
      thinking: null,
      text: '',
      toolCalls: [],
      finish: 'stop',
      outputTokens: 0,
      reasoningTokens: 0,
    };
  if (faultOf(faults, 'refusal') !== null)
    return {
      ...answer,
      thinking: null,
      text: '',
      toolCalls: [],
      finish: 'refusal',
      outputTokens: 0,
      reasoningTokens: 0,
    };
  if (faultOf(faults, 'bad_tool_call') !== null)
    return {
      ...answer,
      toolCalls: answer.toolCalls.map((call) => ({ ...call, arguments: `${call.arguments.slice(0, -1)},` })),
    };
  return answer;
}

function eventsFor(playing: Playing): readonly StreamEvent[] {
  const { speech, faults } = playing;
  const events = speech.events(
    spoiled(playing.answer, faults),
    faultOf(faults, 'wrong_model')?.model ?? playing.model,
    playing.includeUsage,
  );
  const missing = faultOf(faults, 'missing_terminal');
  if (missing === null) return events;
  return events.filter(
    (event) =>
      event.role !== 'terminal' &&
      (missing.keepFinish || (event.role !== 'finish' && event.role !== 'usage')),
  );
}

/** What a fault does before the next event; null when nothing. */
async function interrupt(playing: Playing, contentEvents: number, sentBytes: number): Promise<Ending | null> {
  const { faults, reply, speech } = playing;
  const broken = faultOf(faults, 'error_event');
  if (broken !== null && contentEvents >= broken.afterEvents) {
    await write(playing, speech.errorEvent(broken.type ?? 'overloaded_error'));
    if (broken.thenDone === true) await write(playing, 'data: [DONE]\n\n');
    reply.end();
    return 'fault';
  }
  const ended = faultOf(faults, 'cut');
  if (
    ended !== null &&
    ((ended.afterEvents !== undefined && contentEvents >= ended.afterEvents) ||
      (ended.afterBytes !== undefined && sentBytes >= ended.afterBytes))
  )
    return cut(reply, ended.how);
  const silent = faultOf(faults, 'hang');
  if (silent?.where === 'after_events' && contentEvents >= (silent.events ?? 1)) return hang(reply);
  return silent?.where === 'first_token' ? hang(reply) : null;
}

async function playStream(playing: Playing): Promise<Ending> {
  const { reply, faults, pace } = playing;
  const delay = faultOf(faults, 'delay');
  const malformed = faultOf(faults, 'malformed_event');
  reply.head(200, {
    ...playing.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  let contentEvents = 0;
  let sentBytes = 0;
  for (const event of eventsFor(playing)) {
    if (event.role !== 'preamble' || contentEvents > 0) {
      await pause(
        contentEvents === 0
          ? pace.firstTokenMs + (delay?.beforeFirstTokenMs ?? 0)
          : pace.perTokenMs + (delay?.betweenTokensMs ?? 0),
        reply,
      );
      const ending = await interrupt(playing, contentEvents, sentBytes);
      if (ending !== null) return ending;
    }
    if (reply.gone()) return 'aborted_by_client';
    if (event.content) contentEvents++;
    const text =
      malformed !== null && event.content && contentEvents === malformed.atEvent
        ? event.text.replace(/data: \{/, 'data: {{')
        : event.text;
    await write(playing, text);
    sentBytes += text.length;
  }
  if (reply.gone()) return 'aborted_by_client';
  reply.end();
  return 'completed';
}

async function playWhole(playing: Playing): Promise<Ending> {
  const { reply, faults, pace, speech } = playing;
  const delay = faultOf(faults, 'delay');
  await pause(
    pace.firstTokenMs + (delay?.beforeFirstTokenMs ?? 0) + pace.perTokenMs * playing.answer.outputTokens,
    reply,
  );
  if (reply.gone()) return 'aborted_by_client';
  const broken = faultOf(faults, 'error_event');
  const model = faultOf(faults, 'wrong_model')?.model ?? playing.model;
  const body =
    broken === null
      ? JSON.stringify(speech.whole(spoiled(playing.answer, faults), model))
      : speech
          .errorEvent(broken.type ?? 'overloaded_error')
          .replace(/^[\s\S]*?data: /, '')
          .trim();
  if (faultOf(faults, 'hang')?.where === 'first_token') return hang(reply);
  reply.head(200, { ...playing.headers, 'content-type': 'application/json' });
  const ended = faultOf(faults, 'cut');
  const missing = faultOf(faults, 'missing_terminal');
  if (ended !== null || missing !== null || faultOf(faults, 'hang') !== null) {
    await write(playing, body.slice(0, ended?.afterBytes ?? Math.floor(body.length / 2)));
    if (faultOf(faults, 'hang') !== null) return hang(reply);
    await pause(1, reply);
    return cut(reply, ended?.how ?? 'fin');
  }
  await write(playing, faultOf(faults, 'malformed_event') === null ? body : `{${body}`);
  reply.end();
  return 'completed';
}

/** Plays the answer, or the faults that come before any answer. */
export async function play(playing: Playing): Promise<Ending> {
  const { reply, faults } = playing;
  await pause(faultOf(faults, 'delay')?.beforeHeadersMs ?? 0, reply);
  if (reply.gone()) return 'aborted_by_client';
  if (faultOf(faults, 'hang')?.where === 'headers') return hang(reply);
  const ended = faultOf(faults, 'cut');
  if (ended !== null && ended.afterEvents === undefined && ended.afterBytes === undefined)
    return cut(reply, ended.how);
  if (faultOf(faults, 'not_json') !== null) {
    reply.head(200, {
      ...playing.headers,
      'content-type': playing.stream ? 'text/event-stream' : 'application/json',
    });
    await write(playing, 'upstream said hello');
    reply.end();
    return 'fault';
  }
  return playing.stream ? playStream(playing) : playWhole(playing);
}
