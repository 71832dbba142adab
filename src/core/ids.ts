/**
 * Branded identifiers and instants. Ids are made at the edges (UUIDv7 behind a prefix, so they sort by time);
 * core only passes them along.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type RequestId = Brand<string, 'RequestId'>; // req_…
export type SwitchId = Brand<string, 'SwitchId'>; // sw_…
export type ChangeId = Brand<string, 'ChangeId'>; // chg_…
export type KeyId = Brand<string, 'KeyId'>; // key_…
export type IncidentId = Brand<string, 'IncidentId'>; // inc_…
/** `provider/model`, the smallest thing that fails alone. */
export type TargetName = Brand<string, 'TargetName'>;
/** Milliseconds since the epoch. */
export type Instant = Brand<number, 'Instant'>;

export type NonEmpty<T> = readonly [T, ...T[]];

export const requestId = (text: string): RequestId => text as RequestId;
export const switchId = (text: string): SwitchId => text as SwitchId;
export const changeId = (text: string): ChangeId => text as ChangeId;
export const incidentId = (text: string): IncidentId => text as IncidentId;
export const keyId = (text: string): KeyId => text as KeyId;
export const targetName = (provider: string, model: string): TargetName =>
  `${provider}/${model}` as TargetName;
/** The two parts of a target's name, where nothing but the name is known. The name of a model may hold slashes too. */
export const providerIn = (target: string): string => target.split('/', 1)[0] ?? target;
export const modelIn = (target: string): string => target.slice(target.indexOf('/') + 1);
export const instant = (epochMs: number): Instant => epochMs as Instant;

/** True when the list has an element; narrows it so that `list[0]` needs no check. */
export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0;
}
