/**
 * A question of ours: one cheap, real request to a target, in a format it speaks, for no caller. It goes the way of every attempt,
 * so that what it meets is what a caller would meet: the same connection limits, the same reading up to the terminal
 * signal, the same classes of failure. Its words are fixed, and nobody's.
 */
import { costUsd } from '../core/cost.ts';
import { failureOf } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import { instant } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { AnswerEvent, Conversation } from '../dialects/conversation.ts';
import type { JsonObject, RequestFacts } from '../dialects/dialect.ts';
import { codecFor } from '../dialects/registry.ts';
import { adapterFor } from '../providers/registry.ts';
import { answerRead } from './answer-read.ts';
import { attempt, stoppedResult } from './attempt.ts';
import type { Committed } from './attempt.ts';
import { moveDeadline } from './patience.ts';
import type { Patience } from './patience.ts';
import { newTrace } from './trace.ts';
import type { Trace } from './trace.ts';
import type { Claim, Place } from './capacity.ts';
import type { Scene, Shared } from './exchange.ts';
import type { Flight } from './flights.ts';
import { traitsOf } from './payload.ts';
import type { GatewayState } from './state.ts';
import { Stopper } from './stopper.ts';
import type { Settlement, Ticket } from './ticket.ts';

const totalMs = 30_000;

/** What is asked. */
export type Question = {
  readonly text: string;
  readonly outputTokens: number;
  readonly effort: Conversation['effort'];
  /** Told of the answer as it comes. */
  readonly onEvents: ((events: readonly AnswerEvent[]) => void) | null;
};

export const probeText = 'Reply with the word ok.';
const plainQuestion: Question = {
  text: probeText,
  outputTokens: 16,
  effort: null,
  onEvents: null,
};

const conversationOf = ({ text, outputTokens, effort }: Question): Conversation => ({
  messages: [{ role: 'user', parts: [{ kind: 'text', text }] }],
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  outputTokensMax: outputTokens,
  temperature: null,
  topP: null,
  topK: null,
  stop: [],
  format: null,
  effort,
  thinkingBudgetTokens: null,
  user: null,
  stream: true,
  includeUsage: true,
  cache: false,
  leftOver: [],
});

const claim: Claim = { priority: 'sheddable', tenant: null, inputTokens: 16 };

const factsOf = (target: Target, { outputTokens }: Question): RequestFacts => ({
  model: target.upstream,
  stream: true,
  needs: new Set(),
  mayThink: target.model.capabilities.has('thinking'),
  inputTokensEstimate: claim.inputTokens,
  outputTokensMax: outputTokens,
  toolNames: new Set(),
  structuredOutput: false,
});

/** What came of a probe; null when it was not sent after all. */
export type Probed = { readonly failure: FailureClass | null; readonly usd: number | null } | null;

/** The body for a target; null when its API has no place for so plain a question. */
function bodyFor(target: Target, question: Question): JsonObject | null {
  const [dialect] = target.dialects;
  if (dialect === undefined) return null;
  const encoded = codecFor(dialect).encodeRequest(conversationOf(question), traitsOf(target));
  return encoded.kind === 'lacks' ? null : encoded.body;
}

async function toEnd(answer: Committed, scene: Scene): Promise<Failure | 'good'> {
  const { source, watch, stopper, ended } = answer;
  const { clock, snapshot } = scene;
  const patience: Patience = {
    watch,
    limitMs: snapshot.defaults.timeouts.stallMs,
    dueAt: scene.deadline,
    progressAt: clock.now(),
  };
  try {
    for (let isOver = ended; !isOver;) {
      const piece = await source.next();
      if (piece.kind === 'failed') {
        const stopped = stoppedResult(stopper);
        return stopped?.kind === 'failed' ? stopped.failure : piece.failure;
      }
      isOver = piece.kind === 'end';
      if (piece.kind === 'data') moveDeadline(patience, piece.progress, clock.now());
    }
    return 'good';
  } finally {
    scene.watchdog.remove(watch);
    source.release();
  }
}

/** Sends it and reads the answer to its end. */
async function run(scene: Scene, trace: Trace, stopper: Stopper): Promise<Settlement['outcome']> {
  const { ticket } = trace;
  const { target } = ticket;
  const dialect = scene.codec.name;
  const call = await adapterFor(target.provider.api).prepare({
    target,
    dialect,
    operation: 'answer',
    stream: true,
    secret: ticket.key?.secret ?? null,
    callerHeaders: null,
    callerQuery: '',
    traceparent: null,
    body: JSON.stringify(scene.body),
  });
  if ('class' in call) return call;
  const { timeouts } = scene.snapshot.defaults;
  const plan = { ticket, call, dialect, timeouts, dueAt: scene.deadline, moreToTry: false };
  const result = await attempt(scene, plan, trace, stopper);
  switch (result.kind) {
    case 'stopped':
      return 'nobody';
    case 'failed':
      return result.failure;
    case 'committed':
      return toEnd(result.answer, scene);
  }
}

function sceneOf(
  target: Target,
  question: Question,
  body: JsonObject,
  { shared, state }: { readonly shared: Shared; readonly state: GatewayState },
): Scene {
  const { onEvents } = question;
  const { clock, watchdog, board, reachability } = shared;
  const [dialect = 'openai-chat'] = target.dialects;
  return {
    clock,
    watchdog,
    board,
    reachability,
    snapshot: state.snapshot,
    codec: codecFor(dialect),
    facts: factsOf(target, question),
    body,
    conversation: null,
    deadline: instant(clock.now() + totalMs),
    deadlineByCaller: false,
    carrier: onEvents === null ? null : { listen: () => onEvents },
  };
}

/** Sends the probe a ticket was handed out for, and gives the ticket back. Never throws. */
export async function sendProbe(
  ticket: Ticket,
  shared: Shared,
  state: GatewayState,
  question = plainQuestion,
): Promise<Probed> {
  const { target } = ticket;
  const { board, capacity, flights } = shared;
  const body = bodyFor(target, question);
  const place: Place | null = body === null ? null : placeFor(target, shared);
  if (body === null || place === null) {
    board.settle(ticket, { outcome: 'nobody', firstTokenMs: null, silentMs: 0, answer: null });
    return null;
  }
  const stopper = new Stopper();
  const trace = newTrace(ticket, place, shared);
  const asker = { feature: '', dataClass: null, tenant: null, key: null, keyName: null };
  const flight: Flight = { target, asker, stopper, committed: false };
  flights.begin(flight);
  let outcome: Settlement['outcome'];
  try {
    outcome = await run(sceneOf(target, question, body, { shared, state }), trace, stopper);
  } catch {
    outcome = failureOf('unclassified', 'probe');
  }
  flights.end(flight);
  capacity.leave(place);
  const facts = trace.source?.facts() ?? null;
  board.settle(ticket, {
    outcome,
    firstTokenMs: trace.firstTokenAt === null ? null : trace.firstTokenAt - trace.startedAt,
    silentMs: 0,
    // Its own limit cuts it: that is no sign of anything.
    answer:
      outcome === 'good' && facts?.finish !== 'length' ? answerRead(facts, factsOf(target, question)) : null,
  });
  if (outcome === 'nobody' || outcome === 'left') return null;
  return {
    failure: outcome === 'good' ? null : outcome.class,
    usd: costUsd(target.model.price, facts?.usage ?? null),
  };
}

function placeFor(target: Target, { capacity }: Shared): Place | null {
  const place = capacity.enter(target, claim);
  return 'kind' in place ? null : place;
}
