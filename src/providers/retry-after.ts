/** How long a provider asks us to wait, in every spelling it comes in. Negative waits become 0, absurd ones a day. */
const retryAfterMsMax = 86_400_000;

function clamped(ms: number): number | null {
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.round(ms)), retryAfterMsMax) : null;
}

/** `6m0s`, `350ms`, `1.5s`, `1h2m3s` → ms; null when it is none. */
export function goDurationMs(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return null;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, count = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(count) * (units[unit] ?? 0);
  return total;
}

function fromSecondsOrDate(text: string, now: number): number | null {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return clamped(Number(text) * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : clamped(at - now);
}

/** A number too large to be a wait is a moment: seconds since 1970, or (OpenRouter) milliseconds. */
const momentMin = 1_000_000_000;
const momentMsMin = 100_000_000_000;

function fromMoment(text: string, now: number): number | null {
  const moment = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (moment < momentMin) return null;
  return clamped((moment < momentMsMin ? moment * 1000 : moment) - now);
}

/** The latest reset among the limits that are used up. */
function fromResets(headers: Headers, now: number): number | null {
  const waits: number[] = [];
  headers.forEach((value, name) => {
    const match = /^(x-ratelimit|anthropic-ratelimit)-(?:reset(-\w+)?|([\w-]+)-reset)$/.exec(name);
    if (match === null) return;
    const pool = match[2] ?? match[3] ?? '';
    const remaining = headers.get(
      match[1] === 'x-ratelimit' ? `x-ratelimit-remaining${pool}` : `anthropic-ratelimit-${pool}-remaining`,
    );
    if (remaining !== '0') return;
    const wait = goDurationMs(value) ?? fromMoment(value, now) ?? fromSecondsOrDate(value, now);
    const ms = wait === null ? null : clamped(wait);
    if (ms !== null) waits.push(ms);
  });
  return waits.length === 0 ? null : Math.max(...waits);
}

/** Reads the wait from an answer's headers. `now` (epoch ms) turns dates into waits. */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const milliseconds = headers.get('retry-after-ms')?.trim();
  if (milliseconds !== undefined && /^-?\d+(?:\.\d+)?$/.test(milliseconds))
    return clamped(Number(milliseconds));
  const text = headers.get('retry-after')?.trim();
  const direct = text === undefined || text === '' ? null : fromSecondsOrDate(text, now);
  return direct ?? fromResets(headers, now);
}
