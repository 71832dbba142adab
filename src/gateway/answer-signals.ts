/** What the answers of one target are like beyond good or failed: soft signals, pace, and what it says it is. */
import type { SoftSignal } from '../core/evidence.ts';
import { nothingSeen } from '../core/first-token.ts';
import { hear, unheard } from '../core/identity.ts';
import type { Identity, IdentityNews } from '../core/identity.ts';
import { isSlow, sawPace, tokensPerSecond } from '../core/pace.ts';
import type { Pace } from '../core/pace.ts';
import type { AnswerRead } from './ticket.ts';

export type Heard = { readonly soft: SoftSignal | null; readonly news: IdentityNews | null };

const nothing: Heard = { soft: null, news: null };

export class AnswerSignals {
  #pace: Pace = nothingSeen;
  #identity: Identity = unheard;

  /** Takes a good answer into account; `tokensMs` is the time from its first token to its last, null for a whole one. */
  hear(answer: AnswerRead | null, tokensMs: number | null): Heard {
    if (answer === null) return nothing;
    const { identity, news } = hear(this.#identity, answer.model, answer.fingerprint);
    this.#identity = identity;
    const perSecond = tokensMs === null ? null : tokensPerSecond(answer.outputTokens, tokensMs);
    const slow = perSecond !== null && isSlow(this.#pace, perSecond);
    if (perSecond !== null) this.#pace = sawPace(this.#pace, perSecond);
    return { soft: answer.soft ?? (slow ? 'slow_tokens' : null), news };
  }
}
