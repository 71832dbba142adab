/** Capacity and consent of production, watched by the judge: who was let in before whom, and which token was taken. */
import { isAbove, priorities } from '../../src/core/shedding.ts';
import type { Target } from '../../src/core/target.ts';
import type { Capacity, Claim, Full, Place } from '../../src/gateway/capacity.ts';
import { createConsents } from '../../src/gateway/consent.ts';
import type { Consents } from '../../src/gateway/consent.ts';
import type { Counts, Judge } from './judge.ts';
import type { Instant } from '../../src/core/ids.ts';

/** For how long an offer is good. */
export const offerMs = 3_000;

/** A place is asked for through these eyes: nobody below may be let in where somebody above is turned away. */
export class WatchedCapacity implements Capacity {
  readonly #real: Capacity;
  readonly #judge: Judge;
  readonly #waiting = new Set<{ readonly targets: readonly Target[]; readonly claim: Claim }>();

  constructor(real: Capacity, judge: Judge) {
    this.#real = real;
    this.#judge = judge;
  }

  #turnedAway(target: Target, claim: Claim): void {
    for (const priority of priorities.filter((each) => isAbove(claim.priority, each))) {
      const lower = this.#real.enter(target, { ...claim, priority });
      if ('kind' in lower) continue;
      this.#real.leave(lower);
      this.#judge.blame('no higher priority is refused where a lower one is let in', {
        target: target.name,
        claim,
      });
    }
  }

  #letIn({ target, claim }: Place): void {
    for (const waiter of this.#waiting)
      if (waiter.targets.includes(target) && isAbove(waiter.claim.priority, claim.priority))
        this.#judge.blame('nobody is let in before a higher priority that waits', {
          target: target.name,
          claim,
        });
  }

  enter(target: Target, claim: Claim): Place | Full {
    const entered = this.#real.enter(target, claim);
    if ('kind' in entered) this.#turnedAway(target, claim);
    else this.#letIn(entered);
    return entered;
  }

  wait(...[targets, claim, deadline, settled]: Parameters<Capacity['wait']>): () => void {
    const waiter = { targets, claim };
    this.#waiting.add(waiter);
    const giveUp = this.#real.wait(targets, claim, deadline, (place) => {
      this.#waiting.delete(waiter);
      if (place !== null) this.#letIn(place);
      else for (const target of targets) this.#turnedAway(target, claim);
      settled(place);
    });
    return () => {
      this.#waiting.delete(waiter);
      giveUp();
    };
  }

  seen: Capacity['seen'] = (place, sign) => this.#real.seen(place, sign);
  leave: Capacity['leave'] = (place) => this.#real.leave(place);
  retryAfterMs: Capacity['retryAfterMs'] = (targets) => this.#real.retryAfterMs(targets);
  used: Capacity['used'] = (target) => this.#real.used(target);
  view: Capacity['view'] = (target) => this.#real.view(target);
  tick(): void {
    this.#real.tick();
  }
  get waiting(): number {
    return this.#real.waiting;
  }
}

type Watching = {
  readonly judge: Judge;
  readonly now: () => Instant;
  readonly counts: Counts;
};

export function watchedConsents({ judge, now, counts }: Watching): Consents {
  const real = createConsents({
    now,
    offerMs: () => offerMs,
    key: 'key',
    kept: [],
    keep: () => {},
  });
  return {
    ...real,
    offer: (...args) => real.offer(...args),
    agreed: (...args) => real.agreed(...args),
    ended: (...args) => real.ended(...args),
    incidents: (open) => real.incidents(open),
    redeem: (wish, scope, route, until) => {
      const redeemed = real.redeem(wish, scope, route, until);
      if (typeof redeemed === 'string') {
        counts.tokensRefused++;
        return redeemed;
      }
      judge.redeemed(wish.token, scope, redeemed.target);
      return {
        ...redeemed,
        use: () => {
          redeemed.use();
          judge.used(wish.token, scope, wish.span, route[0].name);
        },
        release: () => {
          redeemed.release();
          judge.released(wish.token);
        },
      };
    },
  };
}
