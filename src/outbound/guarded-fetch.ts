/**
 * Calls to addresses beyond the providers: feeds that are read, channels that are told, pictures that are fetched.
 *
 * Whoever calls says which addresses may be connected to. The address that was checked is the one that is used, because
 * a name can answer differently the second time, and every redirect is judged like the first address. Size, time and
 * redirects are limited, nothing is kept between calls, and what goes wrong is a value that says what to do.
 */
import { lookup as resolveName } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { request as requestPlain } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP } from 'node:net';

import { isPublicAddress } from './public-address.ts';

/** Whether an address (of a host, by name or by itself) may be connected to. */
export type Guard = (host: string, address: string) => boolean;

/** For addresses that strangers name: anybody's only. */
export const publicOnly: Guard = (_host, address) => isPublicAddress(address);

/** Addresses that no server of ours has, but the metadata of clouds does. */
const isLinkLocal = (address: string): boolean => /^(?:169\.254\.|fe[89ab][\da-f]:)/i.test(address);

/**
 * For an address that an operator wrote down: anybody's, and one that is private where the operator wrote just that
 * (`http://10.0.0.7/hook`, `http://localhost:9000`) or allowed its host. A public name that leads inside is refused.
 */
export function configuredOnly(url: string, allowedHosts: readonly string[]): Guard {
  const written = hostOf(url);
  return (host, address) => {
    if (isPublicAddress(address) || allowedHosts.includes(host)) return true;
    const isWritten = host === written && (isIP(host) !== 0 || host === 'localhost');
    return isWritten && !isLinkLocal(address);
  };
}

/** For an operator who said that private addresses are meant: all but those where clouds keep their metadata. */
export const privateToo: Guard = (_host, address) => !isLinkLocal(address);

export type Outgoing = {
  readonly url: string;
  readonly guard: Guard;
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole call, redirects and body included. */
  readonly limitMs: number;
  readonly bytesMax: number;
  /** 0: a redirect is handed back like any other answer. A body is never sent on to another address. */
  readonly redirectsMax?: number;
  /** Asked when the head is there: false means that the body is not worth reading. */
  readonly wants?: (head: AnswerHead) => boolean;
};

export type AnswerHead = {
  readonly status: number;
  /** Lower-case names; what comes several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where it came from in the end. */
  readonly url: string;
};

export type FetchTrouble =
  | 'not_an_address'
  | 'address_refused'
  | 'unreachable'
  | 'timed_out'
  | 'too_large'
  | 'too_many_redirects'
  | 'not_wanted';

export type Fetched =
  | (AnswerHead & { readonly kind: 'answered'; readonly body: Uint8Array })
  | { readonly kind: 'failed'; readonly trouble: FetchTrouble; readonly words: string };

const troubleWords: Record<FetchTrouble, string> = {
  not_an_address: 'is not an address of the web: write it as https://…, without a user in it',
  address_refused: 'leads to a private address; allow its host if that is meant',
  unreachable: 'cannot be reached, or broke off',
  timed_out: 'did not answer in time',
  too_large: 'sent more than is read',
  too_many_redirects: 'leads from one address to the next without end',
  not_wanted: 'sent something else than was asked for',
};

const failed = (trouble: FetchTrouble): Fetched => ({
  kind: 'failed',
  trouble,
  words: troubleWords[trouble],
});

class AddressRefused extends Error {}

function hostOf(text: string): string | null {
  return URL.canParse(text) ? new URL(text).hostname.replaceAll(/^\[|\]$/g, '') : null;
}

/** Resolves a name to addresses that may be connected to; an error when there is none. */
function guardedLookup(guard: Guard): NonNullable<RequestOptions['lookup']> {
  return (hostname, options, callback) => {
    resolveName(hostname, { all: true }, (error, found: readonly LookupAddress[]) => {
      const allowed = error === null ? found.filter(({ address }) => guard(hostname, address)) : [];
      const [first] = allowed;
      // One forbidden address makes the whole name suspect.
      if (error !== null) callback(error, '', 0);
      else if (first === undefined || allowed.length < found.length) callback(new AddressRefused(), '', 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function headOf(response: IncomingMessage, url: string): AnswerHead {
  const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return { status: response.statusCode ?? 0, headers: Object.fromEntries(headers), url };
}

function readBody(
  response: IncomingMessage,
  bytesMax: number,
  done: (body: Buffer | FetchTrouble) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > bytesMax) {
      done('too_large');
      response.destroy();
    } else chunks.push(chunk);
  });
  response.once('end', () => done(size > bytesMax ? 'too_large' : Buffer.concat(chunks)));
  response.once('error', () => done('unreachable'));
  response.once('aborted', () => done('unreachable'));
}

/** One call to one address, which was judged. */
function callOnce(outgoing: Outgoing, url: URL, leftMs: number): Promise<Fetched> {
  const { promise, resolve } = Promise.withResolvers<Fetched>();
  const fail = (trouble: FetchTrouble): void => resolve(failed(trouble));
  const send = url.protocol === 'https:' ? requestSecure : requestPlain;
  const call = send(
    url,
    {
      lookup: guardedLookup(outgoing.guard),
      method: outgoing.method ?? 'GET',
      headers: { 'accept-encoding': 'identity', ...outgoing.headers },
    },
    (response) => {
      const head = headOf(response, url.href);
      if (outgoing.wants?.(head) === false) {
        fail('not_wanted');
        response.destroy();
        return;
      }
      readBody(response, outgoing.bytesMax, (body) =>
        typeof body === 'string' ? fail(body) : resolve({ kind: 'answered', ...head, body }),
      );
    },
  );
  const timer = setTimeout(() => {
    fail('timed_out');
    call.destroy();
  }, leftMs);
  call.once('error', (error) => fail(error instanceof AddressRefused ? 'address_refused' : 'unreachable'));
  call.end(outgoing.body);
  return promise.finally(() => clearTimeout(timer));
}

/** The address if it may be asked; a bare address of the network is judged here, because it is never looked up. */
function judged(text: string, base: string | undefined, guard: Guard): URL | FetchTrouble {
  if (!URL.canParse(text, base)) return 'not_an_address';
  const url = new URL(text, base);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  if (!isWeb || url.username !== '' || url.password !== '') return 'not_an_address';
  const host = hostOf(url.href) ?? '';
  return isIP(host) !== 0 && !guard(host, host) ? 'address_refused' : url;
}

const movedStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Calls an address and reads the whole answer. Never throws for what the network does. */
export async function guardedFetch(outgoing: Outgoing): Promise<Fetched> {
  const until = performance.now() + outgoing.limitMs;
  const redirectsMax = outgoing.redirectsMax ?? 0;
  let url = judged(outgoing.url, undefined, outgoing.guard);
  for (let moves = 0; ; moves++) {
    if (typeof url === 'string') return failed(url);
    const leftMs = until - performance.now();
    if (leftMs <= 0) return failed('timed_out');
    const answer = await callOnce(outgoing, url, leftMs);
    const location = answer.kind === 'answered' ? answer.headers['location'] : undefined;
    const isMove = answer.kind === 'answered' && movedStatuses.has(answer.status) && location !== undefined;
    if (!isMove || redirectsMax === 0 || outgoing.body !== undefined) return answer;
    if (moves >= redirectsMax) return failed('too_many_redirects');
    url = judged(location, url.href, outgoing.guard);
  }
}
