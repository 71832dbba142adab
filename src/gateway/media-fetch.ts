/**
 * Pictures and documents that a request names by address, fetched for targets that take none.
 *
 * The address is a caller's, so it may lead anywhere: only public addresses are connected to, redirects are not
 * followed, nothing of ours is sent along, and size, kind and time are limited. What cannot be fetched stays an address,
 * and the target that needs it is left out.
 */
import type { Conversation, Media, Message, Part } from '../dialects/conversation.ts';
import { guardedFetch, publicOnly } from '../outbound/guarded-fetch.ts';
import type { AnswerHead, Guard } from '../outbound/guarded-fetch.ts';

export type MediaFetcher = (url: string) => Promise<Media | null>;

export type MediaFetcherOptions = {
  readonly guard?: Guard;
  readonly bytesMax?: number;
  readonly limitMs?: number;
};

const bytesMaxDefault = 10 * 1024 * 1024;
const limitMsDefault = 5_000;
/** Addresses fetched for one request. */
const fetchesMax = 20;
const takenTypes = /^(?:image\/(?:png|jpeg|gif|webp|heic|heif)|application\/pdf)$/;

const mediaTypeOf = ({ headers }: AnswerHead): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

export function createMediaFetcher(options: MediaFetcherOptions = {}): MediaFetcher {
  return async (url) => {
    const fetched = await guardedFetch({
      url,
      guard: options.guard ?? publicOnly,
      headers: { accept: 'image/*, application/pdf' },
      limitMs: options.limitMs ?? limitMsDefault,
      bytesMax: options.bytesMax ?? bytesMaxDefault,
      wants: (head) => head.status === 200 && takenTypes.test(mediaTypeOf(head)),
    });
    if (fetched.kind === 'failed') return null;
    const base64 = Buffer.from(fetched.body).toString('base64');
    return { kind: 'data', mediaType: mediaTypeOf(fetched), base64 };
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
