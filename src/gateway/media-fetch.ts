/**
 * Pictures and documents that a request names by address, fetched for targets that take none.
 *
 * The address is a caller's, so it may lead anywhere: only public addresses are connected to, and the address that was
 * checked is the one that is used, because a name can answer differently the second time. Redirects are not followed,
 * nothing of ours is sent along, and size, kind and time are limited. What cannot be fetched stays an address, and the
 * target that needs it is left out.
 */
import { lookup as resolveName } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { request as requestPlain } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP } from 'node:net';

import type { Conversation, Media, Message, Part } from '../dialects/conversation.ts';
import { isPublicAddress } from './public-address.ts';

export type MediaFetcher = (url: string) => Promise<Media | null>;

export type MediaFetcherOptions = {
  readonly isAllowed?: (address: string) => boolean;
  readonly bytesMax?: number;
  readonly limitMs?: number;
};

const bytesMaxDefault = 10 * 1024 * 1024;
const limitMsDefault = 5_000;
/** Addresses fetched for one request. */
const fetchesMax = 20;
const takenTypes = /^(?:image\/(?:png|jpeg|gif|webp|heic|heif)|application\/pdf)$/;

/** Resolves a name to addresses that may be connected to; an error when there is none. */
function guardedLookup(isAllowed: (address: string) => boolean): NonNullable<RequestOptions['lookup']> {
  return (hostname, options, callback) => {
    resolveName(hostname, { all: true }, (error, found: readonly LookupAddress[]) => {
      const allowed = error === null ? found.filter(({ address }) => isAllowed(address)) : [];
      const [first] = allowed;
      // One forbidden address makes the whole name suspect.
      if (error !== null || first === undefined || allowed.length < found.length)
        callback(error ?? new Error('the address is not public'), '', 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function readBody(response: IncomingMessage, bytesMax: number, done: (bytes: Buffer | null) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > bytesMax) {
      response.destroy();
      done(null);
    } else chunks.push(chunk);
  });
  response.once('end', () => done(size > bytesMax ? null : Buffer.concat(chunks)));
  response.once('error', () => done(null));
}

export function createMediaFetcher(options: MediaFetcherOptions = {}): MediaFetcher {
  const isAllowed = options.isAllowed ?? isPublicAddress;
  const bytesMax = options.bytesMax ?? bytesMaxDefault;
  const limitMs = options.limitMs ?? limitMsDefault;
  const lookup = guardedLookup(isAllowed);
  return (text) => {
    const { promise, resolve } = Promise.withResolvers<Media | null>();
    const url = URL.canParse(text) ? new URL(text) : null;
    const host = url?.hostname.replaceAll(/^\[|\]$/g, '') ?? '';
    const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
    // A bare address is not looked up, so it is judged here.
    if (url === null || !isWeb || url.username !== '' || (isIP(host) !== 0 && !isAllowed(host)))
      return Promise.resolve(null);
    const send = url.protocol === 'https:' ? requestSecure : requestPlain;
    const call = send(url, { lookup, headers: { accept: 'image/*, application/pdf' } }, (response) => {
      const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
      if (response.statusCode !== 200 || !takenTypes.test(mediaType)) {
        response.destroy();
        resolve(null);
        return;
      }
      readBody(response, bytesMax, (bytes) =>
        resolve(bytes === null ? null : { kind: 'data', mediaType, base64: bytes.toString('base64') }),
      );
    });
    const timer = setTimeout(() => {
      call.destroy();
      resolve(null);
    }, limitMs);
    call.once('error', () => resolve(null));
    call.end();
    return promise.finally(() => clearTimeout(timer));
  };
}

function urlsIn(parts: readonly Part[]): readonly string[] {
  return parts.flatMap((part) => {
    if (part.kind === 'tool_result') return urlsIn(part.parts);
    return (part.kind === 'image' || part.kind === 'document') && part.media.kind === 'url'
      ? [part.media.url]
      : [];
  });
}

export function hasMediaUrls(conversation: Conversation): boolean {
  return conversation.messages.some((message) => urlsIn(message.parts).length > 0);
}

function withMedia(part: Part, fetched: ReadonlyMap<string, Media>): Part {
  if (part.kind === 'tool_result')
    return { ...part, parts: part.parts.map((inner) => withMedia(inner, fetched)) };
  if ((part.kind !== 'image' && part.kind !== 'document') || part.media.kind !== 'url') return part;
  return { ...part, media: fetched.get(part.media.url) ?? part.media };
}

/** The conversation with what its addresses lead to in their place, as far as it could be fetched. */
export async function withInlineMedia(
  conversation: Conversation,
  fetcher: MediaFetcher,
): Promise<Conversation> {
  const urls = new Set(conversation.messages.flatMap((message) => urlsIn(message.parts)));
  const fetched = new Map<string, Media>();
  await Promise.all(
    [...urls].slice(0, fetchesMax).map(async (url) => {
      const media = await fetcher(url);
      if (media !== null) fetched.set(url, media);
    }),
  );
  return {
    ...conversation,
    messages: conversation.messages.map((message): Message => ({
      ...message,
      parts: message.parts.map((part) => withMedia(part, fetched)),
    })),
  };
}
