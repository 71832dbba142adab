/**
 * The providers' keys as they are now: which may be used, why none may, and whether a key is to blame for a failure or
 * the provider behind it (`core/credential-doubt.ts`). A key is set aside for a while, never for good.
 */
import { afterRejection, afterSuccess, blameRejection, freshTrail } from '../core/credential-doubt.ts';
import type { CredentialBlame, KeyTrail } from '../core/credential-doubt.ts';
import { failureRow } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import { clears, isUsable, observeKey, usableKey } from '../core/key-health.ts';
import type { KeyHealth } from '../core/key-health.ts';
import type { Standing } from '../core/routing.ts';
import type { ProviderKey, Target } from '../core/target.ts';

type Out = Extract<Standing, { kind: 'out' }>;

type Names = {
  /** What the key itself suffers: it is rejected, or its credit is used up. */
  readonly own: string;
  /** Rate limits are pooled per model family. */
  readonly pool: string;
  /** A key may be valid and yet not be allowed one model. */
  readonly model: string;
};

type Named = { readonly key: ProviderKey | null; readonly names: Names };
const known = new WeakMap<Target, Named[]>();

/** Made once per target and key: requests ask for them all the time. */
function namesOf(target: Target, key: ProviderKey | null): Names {
  let ofTarget = known.get(target);
  if (ofTarget === undefined) known.set(target, (ofTarget = []));
  for (const named of ofTarget) if (named.key === key) return named.names;
  const own = key?.name ?? `${target.provider.id}#none`;
  const names = { own, pool: `${own}|${target.model.family}`, model: `${own}|=${target.model.name}` };
  ofTarget.push({ key, names });
  return names;
}

/** Whether a name is one of a key's. */
const isOf = (name: string, key: string): boolean => name === key || name.startsWith(`${key}|`);

type Scope = keyof Names;
const scopes: readonly Scope[] = ['own', 'pool', 'model'];

function scopeOf(failure: Failure): Scope {
  if (failure.class === 'rate_limited') return 'pool';
  return failure.class === 'credential_rejected' && failure.status === 403 ? 'model' : 'own';
}

/** What a failure says once the keys have been looked at. */
export type Blame =
  /** The key's, which is set aside. */
  | 'key'
  /** The answer calls it the key's, and it is not believed: the provider's. */
  | 'disbelieved'
  /** Too early to say: the key worked a moment ago. */
  | 'undecided'
  /** Nothing that concerns keys. */
  | 'elsewhere';

export class KeyRing {
  readonly #now: () => Instant;
  readonly #random: () => number;
  readonly #health = new Map<string, KeyHealth>();
  readonly #trails = new Map<string, KeyTrail>();
  #turn = 0;

  constructor(now: () => Instant, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  #isUsable(target: Target, key: ProviderKey | null): boolean {
    if (this.#health.size === 0) return true;
    const now = this.#now();
    const names = namesOf(target, key);
    return scopes.every((scope) => isUsable(this.#health.get(names[scope]) ?? usableKey, now));
  }

  /** The key to use next; null where none is needed, undefined when none may be used. */
  usable(target: Target, tried: ReadonlySet<string>): ProviderKey | null | undefined {
    const { keys } = target.provider;
    if (keys.length === 0) return this.#isUsable(target, null) ? null : undefined;
    for (let step = 0; step < keys.length; step++) {
      const key = keys[(this.#turn + step) % keys.length];
      if (key !== undefined && !tried.has(key.name) && this.#isUsable(target, key)) return key;
    }
    return undefined;
  }

  /** Moves on, so that the keys take turns. */
  took(): void {
    this.#turn++;
  }

  /** Why no key is usable, and until when. */
  trouble(target: Target): Out {
    const { keys } = target.provider;
    const now = this.#now();
    const troubles = (keys.length === 0 ? [null] : keys).flatMap((key) => {
      const names = namesOf(target, key);
      return scopes.flatMap((scope) => {
        const health = this.#health.get(names[scope]);
        return health?.kind === 'set_aside' && health.until > now ? [health] : [];
      });
    });
    const limited = troubles.some((health) => health.trouble === 'rate_limited');
    return {
      kind: 'out',
      reason: limited ? 'rate_limited' : 'credential_unavailable',
      words: limited ? 'our rate limit there is used up' : 'no usable credential',
      until: Math.min(...troubles.map((health) => health.until)) as Instant,
      badness: 8,
    };
  }

  /** A success. One that began before the key's latest rejection says nothing about it. */
  good(target: Target, key: ProviderKey | null, startedAt: Instant = this.#now()): void {
    const names = namesOf(target, key);
    const rejectedAt = this.#trails.get(names.own)?.rejectedAt ?? null;
    if (rejectedAt !== null && startedAt < rejectedAt) return;
    if (this.#health.size > 0)
      for (const scope of scopes)
        if (clears(this.#health.get(names[scope]) ?? usableKey, startedAt)) this.#health.delete(names[scope]);
    this.#note(names.own, afterSuccess);
    this.#note(names.model, afterSuccess);
  }

  #note(name: string, after: (trail: KeyTrail, now: Instant) => KeyTrail): KeyTrail {
    const before = this.#trails.get(name) ?? freshTrail;
    const trail = after(before, this.#now());
    if (trail !== before) this.#trails.set(name, trail);
    return trail;
  }

  failed(target: Target, key: ProviderKey | null, failure: Failure): Blame {
    if (failureRow(failure.class).counts !== 'key') return 'elsewhere';
    const scope = scopeOf(failure);
    if (failure.class === 'credential_rejected') {
      const blame = this.#blame(target, key, scope);
      if (blame === 'nobody_yet') return 'undecided';
      if (blame === 'provider') {
        this.#release(target);
        return 'disbelieved';
      }
    }
    const name = namesOf(target, key)[scope];
    const before = this.#health.get(name) ?? usableKey;
    this.#health.set(name, observeKey(before, failure, this.#now(), this.#random()));
    return 'key';
  }

  #blame(target: Target, key: ProviderKey | null, scope: Scope): CredentialBlame {
    const trail = this.#note(namesOf(target, key)[scope], afterRejection);
    const others = target.provider.keys
      .filter((each) => each !== key)
      .map((each) => this.#trails.get(namesOf(target, each)[scope]) ?? freshTrail);
    return blameRejection(trail, others, this.#now());
  }

  /** What was believed of this provider's keys before is taken back: the gate decides from here. */
  #release(target: Target): void {
    for (const key of target.provider.keys) {
      for (const [name, health] of this.#health) {
        const isRejected = health.kind === 'set_aside' && health.trouble === 'credential_rejected';
        if (isOf(name, key.name) && isRejected) this.#health.delete(name);
      }
    }
  }

  /** Nothing is known any more of a key that was replaced. */
  forget(key: string): void {
    for (const known of [this.#health, this.#trails])
      for (const name of known.keys()) if (isOf(name, key)) known.delete(name);
  }
}
