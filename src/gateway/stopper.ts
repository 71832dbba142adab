/** One attempt's brake: several causes may stop it, the first one counts, and the upstream call is aborted at once. */
import type { FailureClass } from '../core/failure.ts';
import type { SwitchId } from '../core/ids.ts';

export type StopCause =
  | { readonly kind: 'timeout'; readonly failure: FailureClass }
  | { readonly kind: 'caller_left' }
  /** A hedge: the other call answered first. */
  | { readonly kind: 'outrun' }
  /** Breakwater stops, and has waited long enough. */
  | { readonly kind: 'stopping' }
  | { readonly kind: 'switched_off'; readonly switch: SwitchId };

export class Stopper {
  readonly #controller = new AbortController();
  cause: StopCause | null = null;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(cause: StopCause): void {
    if (this.cause !== null) return;
    this.cause = cause;
    this.#controller.abort();
  }
}
