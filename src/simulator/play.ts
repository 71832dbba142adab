/** Plays an answer onto the wire at a pace, with the faults that hit this call. */
import { tokensOf } from './answer.ts';
import type { PlannedAnswer } from './answer.ts';
import { delaysOf, faultOf } from './faults.ts';
import type { Delays, Fault } from './faults.ts';
import type { Form, Speech, StreamEvent } from './speech.ts';
import type { WireReply } from './wire-server.ts';
import { pause, Writer } from './writer.ts';

export type Pace = { readonly firstTokenMs: number; readonly perTokenMs: number };

export type Playing = {
  readonly speech: Speech;
  readonly reply: WireReply;
  readonly answer: PlannedAnswer;
  readonly model: string;
  readonly form: Form;
  readonly faults: readonly Fault[];
  readonly pace: Pace;
  readonly requestId: string;
  readonly beforeCut: () => Promise<void>;
};

export type Ending = 'completed' | 'fault' | 'aborted_by_client';

/** Longest that a hanging call is kept when its client never leaves. */
const hangMsMax = 600_000;
const errorTypeDefault = 'overloaded_error';

async function hang(reply: WireReply): Promise<Ending> {
  await pause(hangMsMax, reply);
  if (reply.gone()) return 'aborted_by_client';
  reply.reset();
  return 'fault';
}

/** What was written before a cut shall arrive before it: clients forget what they have not read yet. */
const beforeCutMs = 5;

async function cut({ reply, beforeCut }: Playing, how: 'reset' | 'fin', hasBegun: boolean): Promise<Ending> {
  if (hasBegun) await beforeCut();
  await pause(beforeCutMs, reply);
  if (reply.gone()) return 'aborted_by_client';
  if (how === 'reset') reply.reset();
  else reply.fin();
  return 'fault';
}

/** What becomes of the answer itself under faults of content. */
function spoiled(answer: PlannedAnswer, faults: readonly Fault[]): PlannedAnswer {
  const silent = { thinking: null, text: '', toolCalls: [], outputTokens: 0, reasoningTokens: 0 };
  const cleared = { ...answer, ...silent, stopSequence: null };
  if (faultOf(faults, 'empty') !== null) return { ...cleared, finish: 'stop' };
  if (faultOf(faults, 'refusal') !== null) return { ...cleared, finish: 'refusal' };
  const said = faultOf(faults, 'other_answers') === null ? answer : otherWords(answer);
  const fingerprint = faultOf(faults, 'fingerprint')?.fingerprint;
  const marked = fingerprint === undefined ? said : { ...said, fingerprint };
  const isMisfit = faultOf(faults, 'misfit') !== null;
  if (!isMisfit && faultOf(faults, 'bad_tool_call') === null) return marked;
  const isStructured = marked.text.startsWith('{');
  return {
    ...marked,
    ...(isMisfit && isStructured ? { text: surprise } : {}),
    toolCalls: marked.toolCalls.map((call) => ({
      ...call,
      arguments: isMisfit ? surprise : `${call.arguments.slice(0, -1)},`,
    })),
  };
}

/** Nobody asked for it. */
const surprise = '{"surprise":true}';

function otherWords(answer: PlannedAnswer): PlannedAnswer {
  const tokens = tokensOf(answer.text);
  const kept = tokens.slice(0, Math.ceil(tokens.length / 2)).toReversed();
  return { ...answer, text: `Well, ${kept.join('')}`, outputTokens: kept.length + 1 };
}

const modelSaid = ({ faults, model }: Playing): string => faultOf(faults, 'wrong_model')?.model ?? model;

function eventsFor(playing: Playing): readonly StreamEvent[] {
  const { speech, faults, form } = playing;
  const events = speech.events(spoiled(playing.answer, faults), modelSaid(playing), form);
  const missing = faultOf(faults, 'missing_terminal');
  if (missing === null) return events;
  return events.filter(
    (event) =>
      event.role !== 'terminal' &&
      (missing.keepFinish || (event.role !== 'finish' && event.role !== 'usage')),
  );
}

/** What a fault does before the next event; null when nothing. */
async function interrupt(playing: Playing, contentEvents: number, writer: Writer): Promise<Ending | null> {
  const { faults, reply, speech, requestId } = playing;
  const broken = faultOf(faults, 'error_event');
  if (broken !== null && contentEvents >= broken.afterEvents) {
    await writer.write(speech.errorEvent(broken.type ?? errorTypeDefault, requestId).text);
    if (broken.thenDone === true) await writer.write('data: [DONE]\n\n');
    reply.end();
    return 'fault';
  }
  const ended = faultOf(faults, 'cut');
  if (ended?.afterEvents !== undefined && contentEvents >= ended.afterEvents)
    return cut(playing, ended.how, contentEvents > 0);
  const silent = faultOf(faults, 'hang');
  if (silent?.where === 'after_events' && contentEvents >= (silent.events ?? 1)) return hang(reply);
  return silent?.where === 'first_token' ? hang(reply) : null;
}

function writerFor({ reply, faults }: Playing, otherwise: number): Writer {
  return new Writer(reply, faults, faultOf(faults, 'cut')?.afterBytes ?? otherwise);
}

/** How long to wait before an event: the first that is not preamble, and every content after the first. */
function waitMs(event: StreamEvent, begun: boolean, contentEvents: number, playing: Playing): number {
  const { pace, faults } = playing;
  const delays: Delays = delaysOf(faults);
  if (!begun) return pace.firstTokenMs + delays.beforeFirstTokenMs;
  return event.content && contentEvents > 0 ? pace.perTokenMs + delays.betweenTokensMs : 0;
}

async function playStream(playing: Playing): Promise<Ending> {
  const { reply, faults, speech, requestId } = playing;
  const malformed = faultOf(faults, 'malformed_event');
  const writer = writerFor(playing, Number.POSITIVE_INFINITY);
  reply.head(200, {
    ...speech.headers(requestId),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  let begun = false;
  let contentEvents = 0;
  for (const event of eventsFor(playing)) {
    if (event.role !== 'preamble') {
      await pause(waitMs(event, begun, contentEvents, playing), reply);
      begun = true;
      const ending = reply.gone() ? 'aborted_by_client' : await interrupt(playing, contentEvents, writer);
      if (ending !== null) return ending;
    }
    if (event.content) contentEvents++;
    const isBroken = malformed !== null && event.content && contentEvents === malformed.atEvent;
    const written = await writer.write(isBroken ? event.text.replace('data: {', 'data: {{') : event.text);
    if (reply.gone()) return 'aborted_by_client';
    if (written === 'cut') return cut(playing, faultOf(faults, 'cut')?.how ?? 'fin', true);
  }
  reply.end();
  return 'completed';
}

function wholeText(playing: Playing): string {
  const { speech, faults, requestId } = playing;
  const broken = faultOf(faults, 'error_event');
  if (broken !== null) {
    const { text } = speech.errorEvent(broken.type ?? errorTypeDefault, requestId);
    return text.slice(text.indexOf('data: ') + 'data: '.length).trim();
  }
  const body = JSON.stringify(
    speech.whole(spoiled(playing.answer, faults), modelSaid(playing), playing.form),
  );
  return faultOf(faults, 'malformed_event') === null ? body : `{${body}`;
}

async function playWhole(playing: Playing): Promise<Ending> {
  const { reply, faults, pace, speech, requestId } = playing;
  const delays = delaysOf(faults);
  const speakingMs = (pace.perTokenMs + delays.betweenTokensMs) * playing.answer.outputTokens;
  await pause(pace.firstTokenMs + delays.beforeFirstTokenMs + speakingMs, reply);
  if (reply.gone()) return 'aborted_by_client';
  const silent = faultOf(faults, 'hang');
  if (silent?.where === 'first_token') return hang(reply);
  const body = wholeText(playing);
  // Faults that strike in the middle of a stream strike a whole answer at its half.
  const breaksOff =
    silent !== null || faultOf(faults, 'cut') !== null || faultOf(faults, 'missing_terminal') !== null;
  const writer = writerFor(playing, breaksOff ? Math.floor(body.length / 2) : Number.POSITIVE_INFINITY);
  reply.head(200, { ...speech.headers(requestId), 'content-type': 'application/json' });
  const written = await writer.write(body);
  if (reply.gone()) return 'aborted_by_client';
  if (written === 'cut')
    return silent === null ? cut(playing, faultOf(faults, 'cut')?.how ?? 'fin', true) : hang(reply);
  reply.end();
  return faultOf(faults, 'error_event') === null ? 'completed' : 'fault';
}

/** Plays the answer, or the faults that come before any answer. */
export async function play(playing: Playing): Promise<Ending> {
  const { reply, faults, speech, requestId, form } = playing;
  if (faultOf(faults, 'hang')?.where === 'headers') return hang(reply);
  const ended = faultOf(faults, 'cut');
  if (ended !== null && ended.afterEvents === undefined && ended.afterBytes === undefined)
    return cut(playing, ended.how, false);
  if (faultOf(faults, 'not_json') === null) return form.stream ? playStream(playing) : playWhole(playing);
  reply.head(200, {
    ...speech.headers(requestId),
    'content-type': form.stream ? 'text/event-stream' : 'application/json',
  });
  await writerFor(playing, Number.POSITIVE_INFINITY).write('upstream said hello');
  reply.end();
  return 'fault';
}
