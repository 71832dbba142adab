/** Pictures and documents inside a request. */
import { Buffer } from 'node:buffer';
import type { Media } from './conversation.ts';

/** A `data:` address as the bytes it holds; any other address stays one. Null for data that is not base64. */
export function mediaOf(url: string): Media | null {
  if (!url.startsWith('data:')) return { kind: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, Math.max(comma, 0)).split(';');
  const [mediaType] = head;
  if (comma < 0 || head.at(-1) !== 'base64' || mediaType === undefined || mediaType === 'base64') return null;
  return { kind: 'data', mediaType, base64: url.slice(comma + 1) };
}

export function urlOf(media: Media): string {
  return media.kind === 'url' ? media.url : `data:${media.mediaType};base64,${media.base64}`;
}

export function textOfBase64(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
