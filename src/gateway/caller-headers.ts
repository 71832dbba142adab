/** The `x-breakwater-*` headers of a request, parsed once. A value that is not understood is the caller's error, named. */
import { sessionMinutesDefault, sessionMinutesMax } from '../core/consent.ts';
import { fallbackModes } from '../core/snapshot.ts';
import type { FallbackMode } from '../core/snapshot.ts';
import type { ConsentWish } from './consent.ts';

export type CallerWishes = {
  readonly feature: string | null;
  readonly dataClass: string | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly consent: ConsentWish | null;
  readonly timeoutMs: number | null;
  readonly fallback: FallbackMode | null;
  /** A notice may stand inside the answer, not only in a header. */
  readonly noticeInBand: boolean;
  readonly traceparent: string | null;
};

export type BadHeader = { readonly kind: 'invalid'; readonly param: string; readonly message: string };

const word = /^[\w.:@/+=-]{1,128}$/;
const timeoutMsMax = 3_600_000;

const callerFallbacks: ReadonlySet<string> = new Set(fallbackModes.filter((mode) => mode !== 'reduce'));

function asFallback(value: string): FallbackMode | null {
  return callerFallbacks.has(value) ? (fallbackModes.find((mode) => mode === value) ?? null) : null;
}

function badHeader(name: string, message: string): BadHeader {
  return { kind: 'invalid', param: name, message: `The header ${name} ${message}` };
}

const wordHeaders = ['feature', 'data-class', 'user', 'session'].map(
  (name) => [name, `x-breakwater-${name}`] as const,
);

const tokenWord = /^[\w.-]{1,1024}$/;
const consentHelp =
  'must be a token, alone or with "; scope=session; minutes=30" or "; scope=incident" behind it';

/** `TOKEN`, `TOKEN; scope=session; minutes=30`, `TOKEN; scope=incident`. */
function readConsent(value: string | null): ConsentWish | BadHeader | null {
  if (value === null) return null;
  const bad = badHeader('x-breakwater-consent', consentHelp);
  const [token = '', ...rest] = value.split(';').map((part) => part.trim());
  const options = new Map(rest.map((part) => part.split('=', 2) as [string, string | undefined]));
  const minutesText = options.get('minutes');
  const minutes = minutesText === undefined ? sessionMinutesDefault : Number(minutesText);
  const isKnown = [...options.keys()].every((name) => name === 'scope' || name === 'minutes');
  if (!tokenWord.test(token) || !isKnown || options.size < rest.length) return bad;
  switch (options.get('scope') ?? 'request') {
    case 'request':
      return minutesText === undefined ? { token, span: { kind: 'request' } } : bad;
    case 'session':
      return Number.isInteger(minutes) && minutes >= 1 && minutes <= sessionMinutesMax
        ? { token, span: { kind: 'session', minutes } }
        : badHeader('x-breakwater-consent', `may hold for 1 to ${sessionMinutesMax} minutes`);
    case 'incident':
      return minutesText === undefined ? { token, span: { kind: 'incident' } } : bad;
    default:
      return bad;
  }
}

/** W3C Trace Context: an id of zeros alone is none, and there is no version `ff`. */
const isTrace = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Another's trace id that is none is passed over: it is no header of ours. */
function traceparentOf(headers: Headers): string | null {
  const value = headers.get('traceparent');
  return value !== null && isTrace.test(value) ? value : null;
}

/** Who a request says it is from, whatever is wrong with its other headers: for the record of one that was refused. */
export function readOrigin(headers: Headers): Pick<CallerWishes, 'user' | 'session' | 'traceparent'> {
  const [user = null, session = null] = ['user', 'session'].map((name) => {
    const value = headers.get(`x-breakwater-${name}`);
    return value !== null && word.test(value) ? value : null;
  });
  return { user, session, traceparent: traceparentOf(headers) };
}

/** Reads them; the first problem found is returned instead. */
export function readWishes(headers: Headers): CallerWishes | BadHeader {
  const words: Record<string, string | null> = {};
  for (const [name, header] of wordHeaders) {
    const value = headers.get(header);
    if (value !== null && !word.test(value))
      return badHeader(header, 'must be 1 to 128 letters, digits or . _ : @ / + = -');
    words[name] = value;
  }
  const timeout = headers.get('x-breakwater-timeout-ms');
  const timeoutMs = timeout === null ? null : /^\d{1,9}$/.test(timeout) ? Number(timeout) : Number.NaN;
  if (timeoutMs !== null && !(timeoutMs >= 1 && timeoutMs <= timeoutMsMax))
    return badHeader(
      'x-breakwater-timeout-ms',
      `must be a whole number of milliseconds from 1 to ${timeoutMsMax}`,
    );
  const fallbackText = headers.get('x-breakwater-fallback');
  const fallback = fallbackText === null ? null : asFallback(fallbackText);
  if (fallbackText !== null && fallback === null)
    return badHeader('x-breakwater-fallback', 'must be auto, notify, ask or never');
  const consent = readConsent(headers.get('x-breakwater-consent'));
  if (consent !== null && 'kind' in consent) return consent;
  const notice = headers.get('x-breakwater-notice');
  if (notice !== null && notice !== 'inband' && notice !== 'header')
    return badHeader('x-breakwater-notice', 'must be inband or header');
  return {
    feature: words['feature'] ?? null,
    dataClass: words['data-class'] ?? null,
    user: words['user'] ?? null,
    session: words['session'] ?? null,
    consent,
    timeoutMs,
    fallback,
    noticeInBand: notice === 'inband',
    traceparent: traceparentOf(headers),
  };
}
