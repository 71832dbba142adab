/**
 * Short-lived credentials of clouds, kept and renewed. A valid one is given at once; one that nears its end is given
 * too, while a new one is fetched beside the request; only a missing or ended one makes a request wait. One fetch
 * serves all who wait. Kept per key object, so that a replaced configuration leaves nothing behind.
 */
export type Fetched<Value> = {
  readonly value: Value;
  /** Epoch ms; null when it does not end. */
  readonly expiresAt: number | null;
};

export type CredentialCache<Value> = {
  get(): Value | Promise<Value>;
};

/** Renewed this long before the end. */
const renewBeforeMs = 300_000;
/** Not given any more this long before the end: it has to outlive the call. */
const usableUntilMs = 30_000;
/** A failed renewal is not tried again before. */
const renewAgainMs = 10_000;
const fetchMsMax = 10_000;

/** A source that never answers must not hold a request for ever. */
async function withinLimit<Value>(work: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the credential source did not answer')), fetchMsMax);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function createCredentialCache<Value>(
  fetchNew: () => Promise<Fetched<Value>>,
  now: () => number = Date.now,
): CredentialCache<Value> {
  let held: Fetched<Value> | null = null;
  let flight: Promise<Value> | null = null;
  let renewAt = 0;
  const start = (): Promise<Value> => {
    flight ??= withinLimit(fetchNew())
      .then((fetched) => {
        held = fetched;
        renewAt = fetched.expiresAt === null ? Number.POSITIVE_INFINITY : fetched.expiresAt - renewBeforeMs;
        return fetched.value;
      })
      .finally(() => {
        renewAt = Math.max(renewAt, now() + renewAgainMs);
        flight = null;
      });
    return flight;
  };
  return {
    get() {
      if (held === null || (held.expiresAt !== null && now() >= held.expiresAt - usableUntilMs))
        return start();
      // The held one is good: a failure to renew shows when it ends.
      if (now() >= renewAt && flight === null) start().catch(() => {});
      return held.value;
    },
  };
}
