/**
 * Carrying on after a cut: for features that want it, a streamed answer that breaks off in its text is finished by
 * another target. Text only, once, and never with tools; whatever else is true, the stream ends with the honest error.
 *
 * While the answer runs, its text is followed along (`Carrier.listen`). When it breaks, routing decides again, so that
 * data policy, switches, consent and gates hold for the second target as for the first. What that one says is joined to
 * what the caller has (`core/seam.ts`) and written by the caller's own format, as one answer; the seam is told in-band.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { isNonEmpty } from '../core/ids.ts';
import type { RoutingDecision } from '../core/routing.ts';
import { closeSeam, openSeam, pushSeam } from '../core/seam.ts';
import type { Seam } from '../core/seam.ts';
import type { Feature } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import type { AnswerEvent } from '../dialects/conversation.ts';
import type { StreamWriter } from '../dialects/dialect.ts';
import { objectOf } from '../dialects/json-value.ts';
import type { Asked, Exchange } from './exchange.ts';
import type { CommittedExecution, Execution } from './execute.ts';
import { noticeOf, noticeToWire } from './notices.ts';
import type { Trace } from './trace.ts';

const encoder = new TextEncoder();

/** What was said so far, as events, so that a writer can be brought to where the caller is. */
class Transcript {
  readonly events: AnswerEvent[] = [];
  #text = '';
  #kind: 'nothing' | 'text' | 'over' | 'other' = 'nothing';
  /** A part of thinking that shows nothing, which some models open before every text. */
  #inThinking = false;

  take(event: AnswerEvent): void {
    switch (event.kind) {
      case 'start':
        break;
      case 'text_start':
        this.#kind = this.#kind === 'nothing' && !this.#inThinking ? 'text' : 'other';
        break;
      case 'text_delta':
        this.#text += event.text;
        break;
      case 'part_end':
      case 'finish':
        // With its text closed there is nothing in the middle of which to go on.
        if (this.#kind === 'text') this.#kind = 'over';
        this.#inThinking = false;
        break;
      case 'thinking_start':
        if (this.#kind === 'nothing') this.#inThinking = true;
        else this.#kind = 'other';
        break;
      case 'thinking_delta':
      case 'refusal_start':
      case 'refusal_delta':
      case 'tool_start':
      case 'tool_delta':
        this.#kind = 'other';
        break;
    }
    this.events.push(event);
  }

  /** The text that broke off; null when it is not that. */
  get broken(): string | null {
    return this.#kind === 'text' && this.#text !== '' ? this.#text : null;
  }
}

/** Writes the second half behind the first. */
class Joiner {
  readonly #writer: StreamWriter;
  #seam: Seam;
  #open = true;
  #skipping = false;
  #text = '';
  refused = false;

  constructor(writer: StreamWriter, said: string) {
    this.#writer = writer;
    this.#seam = openSeam(said);
  }

  get overlap(): number {
    return this.#seam.overlap ?? 0;
  }

  take(event: AnswerEvent): void {
    switch (event.kind) {
      case 'text_delta':
        this.#write(pushSeam(this.#seam, event.text));
        break;
      case 'part_end':
        if (!this.#skipping) this.#closeText();
        this.#skipping = false;
        break;
      case 'finish':
        this.#closeText();
        this.#text += this.#writer.write(event);
        break;
      case 'text_start':
        // A second part of text is a new one for the caller too.
        if (!this.#open) this.#text += this.#writer.write(event);
        this.#open = true;
        break;
      case 'thinking_start':
        this.#skipping = true;
        break;
      case 'refusal_start':
      case 'tool_start':
        this.refused = true;
        break;
      case 'start':
      case 'thinking_delta':
      case 'refusal_delta':
      case 'tool_delta':
        break;
    }
  }

  #write({ seam, text }: { readonly seam: Seam; readonly text: string }): void {
    this.#seam = seam;
    if (text !== '') this.#text += this.#writer.write({ kind: 'text_delta', text });
  }

  #closeText(): void {
    this.#write(closeSeam(this.#seam));
    if (this.#open) this.#text += this.#writer.write({ kind: 'part_end', opaque: null });
    this.#open = false;
  }

  /** What there is to send since the last time. */
  drain(): Uint8Array {
    const bytes = encoder.encode(this.#text);
    this.#text = '';
    return bytes;
  }
}

/** The seam of an answer, for its record. */
export type SeamRecord = { readonly from: Target; readonly to: Target; readonly at: number; overlap: number };

/** Follows an answer along and, when it broke, joins the second to it. One per request. */
export class Carrier {
  #transcript = new Transcript();
  #joiner: Joiner | null = null;
  #said: string | null = null;
  readonly #newWriter: () => StreamWriter;
  /** Set when another target carried on. */
  seam: SeamRecord | null = null;

  constructor(newWriter: () => StreamWriter) {
    this.#newWriter = newWriter;
  }

  /** A new attempt begins to speak: what an earlier one said that nobody saw is forgotten. */
  listen(): (events: readonly AnswerEvent[]) => void {
    if (this.#said === null) {
      const transcript = new Transcript();
      this.#transcript = transcript;
      return (events) => {
        for (const event of events) transcript.take(event);
      };
    }
    const writer = this.#newWriter();
    for (const event of this.#transcript.events) writer.write(event);
    const joiner = new Joiner(writer, this.#said);
    this.#joiner = joiner;
    return (events) => {
      for (const event of events) joiner.take(event);
    };
  }

  /** The text to go on with; null while nothing broke. */
  get said(): string | null {
    return this.#said;
  }

  /** The answer broke. False when it cannot be carried on. */
  breakOff(): boolean {
    if (this.#said !== null) return false;
    this.#said = this.#transcript.broken;
    return this.#said !== null;
  }

  get refused(): boolean {
    return this.#joiner?.refused ?? false;
  }

  drain(): Uint8Array {
    const bytes = this.#joiner?.drain() ?? new Uint8Array(0);
    if (this.seam !== null) this.seam.overlap = this.#joiner?.overlap ?? 0;
    return bytes;
  }
}

/** Whether an answer can only be one text: no tools, no structure, no alternatives, no thinking that was asked for. */
function isSingleText({ facts, body }: Pick<Exchange, 'facts' | 'body'>): boolean {
  const candidates = objectOf(body['generationConfig'] ?? body['generation_config'])?.['candidateCount'];
  return (
    facts.toolNames.size === 0 &&
    !facts.needs.has('tools') &&
    !facts.needs.has('thinking') &&
    !facts.structuredOutput &&
    (body['n'] ?? candidates ?? 1) === 1
  );
}

/** Whether a request is one whose answer may be carried on. */
export function carrierFor(
  asked: Pick<Asked, 'facts' | 'codec' | 'body'>,
  feature: Pick<Feature, 'midStream'>,
  createdSeconds: number,
): Carrier | null {
  const { facts, codec } = asked;
  if (feature.midStream !== 'continue' || !facts.stream || codec.operation !== 'answer') return null;
  if (!isSingleText(asked)) return null;
  const includeUsage = objectOf(asked.body['stream_options'])?.['include_usage'] === true;
  return new Carrier(() => codec.streamWriter({ includeUsage, createdSeconds }));
}

export type CarryOn = {
  readonly exchange: Exchange;
  /** Of the answer that broke off. */
  readonly broken: Trace;
  /** Routing again, as things are now. */
  readonly decide: () => RoutingDecision;
  /** Asks the targets of a plan, with so many attempts. */
  readonly execute: (plan: readonly [Target, ...Target[]], attemptsMax: number) => Promise<Execution>;
};

export type Resumed = { readonly execution: CommittedExecution; readonly announcement: Uint8Array };

/** Another target's answer to go on with; null when there is none, and the failure that broke the first stands. */
export async function carryOn({ exchange, broken, decide, execute }: CarryOn): Promise<Resumed | null> {
  const { carrier, traces, clock, deadline, codec } = exchange;
  const attemptsLeft = exchange.snapshot.limits.attemptsMax - traces.length;
  if (carrier === null || attemptsLeft <= 0 || clock.now() >= deadline) return null;
  const from = broken.ticket.target;
  const decision = decide();
  if (decision.kind !== 'route' || decision.panic) return null;
  const plan = decision.plan.filter(({ name }) => name !== from.name);
  if (!isNonEmpty(plan) || !carrier.breakOff()) return null;
  broken.whyNext = 'carry_on';
  const execution = await execute(plan, attemptsLeft);
  if (execution.kind !== 'committed') return null;
  const to = execution.answer.trace.ticket.target;
  carrier.seam = { from, to, at: carrier.said?.length ?? 0, overlap: 0 };
  const notice = noticeOf(exchange, to, 'continued');
  const announcement = notice === null ? '' : codec.noticeEvent(noticeToWire(notice));
  return { execution, announcement: encoder.encode(announcement) };
}

export const refusedToCarryOn: Failure = failureOf('content_refused');
