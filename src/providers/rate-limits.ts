/**
 * Whether the rate-limit headers of an answer contradict a 429: each limit that is named still has plenty left. Less
 * than a tenth may well be too little for one large request, so that is believed; so is an answer that names none.
 */
const plentyShare = 0.1;

/** `anthropic-ratelimit-tokens-remaining` and `x-ratelimit-remaining-tokens` are the two spellings. */
const spelling =
  /^(?:x-ratelimit-(limit|remaining)-([\w-]+)|anthropic-ratelimit-([\w-]+)-(limit|remaining))$/;

type Pool = { limit: number | null; remaining: number | null };

function poolsOf(headers: Headers): readonly Pool[] {
  const pools = new Map<string, Pool>();
  headers.forEach((value, name) => {
    const match = spelling.exec(name);
    const amount = Number(value);
    if (match === null || value.trim() === '' || !Number.isFinite(amount)) return;
    const kind = (match[1] ?? match[4]) as 'limit' | 'remaining';
    const pool = pools.get(match[2] ?? match[3] ?? '') ?? { limit: null, remaining: null };
    pool[kind] = amount;
    pools.set(match[2] ?? match[3] ?? '', pool);
  });
  return [...pools.values()].filter((pool) => pool.remaining !== null);
}

export function isWithinLimits(headers: Headers): boolean {
  const pools = poolsOf(headers);
  return (
    pools.length > 0 &&
    pools.every(
      ({ limit, remaining }) => limit !== null && remaining !== null && remaining >= limit * plentyShare,
    )
  );
}
