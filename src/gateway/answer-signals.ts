/** What the answers of one target are like beyond good or failed: by which signals each is odd, its pace, and what it says it is. */
import type { SoftSignal, Warning, WarningMove } from '../core/evidence.ts';
import type { Failure } from '../core/failure.ts';
import { isLate, isOdd, nothingSeen, sawFirstToken } from '../core/first-token.ts';
import type { FirstToken } from '../core/first-token.ts';
import { hear, identityFromJson, unheard } from '../core/identity.ts';
import type { Identity, IdentityNews } from '../core/identity.ts';
import type { Instant } from '../core/ids.ts';
import { isSlow, sawPace, tokensPerSecond } from '../core/pace.ts';
import type { Pace } from '../core/pace.ts';
import { shiftedWatch, watchFromJson, watchToJson } from '../core/soft-watch-kept.ts';
import { freshWatch, hearSigns } from '../core/soft-watch.ts';
import { forgetUnclassified, noteUnclassified, unclassifiedWarning } from '../core/unclassified.ts';
import type { Unclassified } from '../core/unclassified.ts';
import type { Sign } from '../core/soft-watch.ts';
import { softOf } from './ticket.ts';
import type { AnswerRead, Settlement, Ticket } from './ticket.ts';

export type Heard = {
  /** What was wrong with it, for the count. */
  readonly soft: SoftSignal | null;
  readonly news: IdentityNews | null;
  readonly moves: readonly WarningMove[];
};

const nothing: Heard = { soft: null, news: null, moves: [] };
/** A failed attempt that says something about answers. */
const ofFailure = (failure: Failure): SoftSignal | null =>
  failure.class === 'empty_completion' ? 'empty' : softOf(failure);

export class AnswerSignals {
  #pace: Pace = nothingSeen;
  #length: FirstToken = nothingSeen;
  #identity: Identity = unheard;
  #watch;
  #canary: Warning | null = null;
  #unclassified: Unclassified | null = null;

  constructor(now: Instant) {
    this.#watch = freshWatch(now);
  }

  get warnings(): readonly Warning[] {
    const unclassified = this.#unclassified === null ? [] : [unclassifiedWarning(this.#unclassified)];
    return this.#canary === null && unclassified.length === 0
      ? this.#watch.warnings
      : [...this.#watch.warnings, ...(this.#canary === null ? [] : [this.#canary]), ...unclassified];
  }

  /** What a canary has found, or that nothing it found stands. */
  noteCanary(finding: { readonly at: Instant; readonly words: string } | null): void {
    this.#canary = finding === null ? null : { ...finding, since: finding.at, signal: 'changed_answers' };
  }

  /** Takes a good answer into account. `usual`: how long its target takes to a first token. */
  good(ticket: Ticket, settlement: Settlement, usual: FirstToken, falseAlarmMs: number, now: Instant): Heard {
    const { answer, firstTokenMs } = settlement;
    if (answer === null) return nothing;
    const { identity, news } = hear(this.#identity, answer.model, answer.fingerprint);
    this.#identity = identity;
    const tokensMs = ticket.stream && firstTokenMs !== null ? now - ticket.startedAt - firstTokenMs : null;
    const perSecond = tokensMs === null ? null : tokensPerSecond(answer.outputTokens, tokensMs);
    const slow = perSecond === null ? null : isSlow(this.#pace, perSecond);
    if (perSecond !== null) this.#pace = sawPace(this.#pace, perSecond);
    const soft = answer.soft ?? (slow === true ? 'slow_tokens' : null);
    // Our own questions are short and always the same: they say nothing about answers to callers.
    if (ticket.own) return { soft, news, moves: [] };
    const signs: Sign[] = [
      { signal: 'empty', odd: answer.soft === 'empty' },
      { signal: 'truncated', odd: answer.soft === 'truncated' },
      { signal: 'refused', odd: answer.soft === 'refused' },
    ];
    if (answer.hasCalls || answer.soft === 'tool_call_invalid')
      signs.push({ signal: 'tool_call_invalid', odd: answer.soft === 'tool_call_invalid' });
    if (answer.isStructured)
      signs.push({ signal: 'structured_output_invalid', odd: answer.soft === 'structured_output_invalid' });
    if (slow !== null) signs.push({ signal: 'slow_tokens', odd: slow });
    if (ticket.stream && firstTokenMs !== null)
      signs.push({ signal: 'slow_first_token', odd: isLate(usual, firstTokenMs) });
    signs.push(...this.#lengthSign(answer));
    return { soft, news, moves: this.#hear(ticket, signs, falseAlarmMs, now) };
  }

  /** Takes a failed attempt into account, when it is one that had an answer. */
  failed(ticket: Ticket, failure: Failure, falseAlarmMs: number, now: Instant): Heard {
    if (failure.class === 'unclassified') {
      const { known, move } = noteUnclassified(this.#unclassified, failure, now);
      this.#unclassified = known;
      return { ...nothing, moves: move === null ? [] : [move] };
    }
    const signal = ofFailure(failure);
    if (signal === null || ticket.own) return nothing;
    const moves = this.#hear(ticket, [{ signal, odd: true }], falseAlarmMs, now);
    return { soft: softOf(failure), news: null, moves };
  }

  /** Length of an answer that ended by itself. */
  #lengthSign({ soft, outputTokens }: AnswerRead): readonly Sign[] {
    if (soft !== null || outputTokens === null || outputTokens === 0) return [];
    const odd = isOdd(this.#length, outputTokens);
    this.#length = sawFirstToken(this.#length, outputTokens);
    return [{ signal: 'odd_length', odd }];
  }

  #hear(ticket: Ticket, signs: readonly Sign[], falseAlarmMs: number, now: Instant): readonly WarningMove[] {
    const { callerKey, requestKey, feature } = ticket;
    const heard = hearSigns(this.#watch, signs, { callerKey, requestKey, feature }, falseAlarmMs, now);
    this.#watch = heard.watch;
    return this.#unclassified === null ? heard.moves : [...heard.moves, ...this.#forgotten(now)];
  }

  #forgotten(now: Instant): readonly WarningMove[] {
    if (this.#unclassified === null) return [];
    const { known, move } = forgetUnclassified(this.#unclassified, now);
    this.#unclassified = known;
    return move === null ? [] : [move];
  }

  shift(byMs: number): void {
    this.#watch = shiftedWatch(this.#watch, byMs);
  }

  toJson(): unknown {
    return { watch: watchToJson(this.#watch), identity: this.#identity };
  }

  restore(json: unknown): void {
    if (typeof json !== 'object' || json === null) return;
    const { watch, identity } = json as { readonly watch?: unknown; readonly identity?: unknown };
    this.#watch = watchFromJson(watch) ?? this.#watch;
    this.#identity = identityFromJson(identity);
  }
}
