/** A model hosted in a cloud: its door takes the cloud's address, credential and framing off, and puts them on again. */
import type { Refusal, Speech } from './speech.ts';
import type { WireReply } from './wire-server.ts';
import type { WireRequest } from './wire-request.ts';

export type Entered = {
  /** The request as the vendor's own API would have got it. */
  readonly request: WireRequest;
  readonly reply: WireReply;
};

export type Host = {
  readonly speeches: readonly [Speech, ...Speech[]];
  /** What stands in the way, or the way in. `keys`: what the provider accepts. */
  enter(request: WireRequest, reply: WireReply, keys: readonly string[]): Entered | Refusal;
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The body with top-level keys changed; null when it is no JSON object. */
export function changedBody(
  request: WireRequest,
  change: (body: Record<string, unknown>) => Record<string, unknown> | null,
): Uint8Array | null {
  try {
    const body: unknown = JSON.parse(decoder.decode(request.body));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
    const changed = change(body as Record<string, unknown>);
    return changed === null ? null : encoder.encode(JSON.stringify(changed));
  } catch {
    return null;
  }
}

export function withHeaders(headers: Headers, changes: Readonly<Record<string, string>>): Headers {
  const changed = new Headers(headers);
  for (const [name, value] of Object.entries(changes)) changed.set(name, value);
  return changed;
}
