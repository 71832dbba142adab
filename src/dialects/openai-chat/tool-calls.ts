/**
 * Tool calls of a streamed chat completion, told apart.
 *
 * By the book every delta has the index of its call. Compatible servers leave the index out, give every parallel call
 * index 0, repeat id and name with each delta, or send no ids at all. So an id that is new starts a call whatever its
 * index says; only without one does the index decide, then the order.
 */
import type { JsonObject } from '../dialect.ts';
import { areArguments } from '../judgement.ts';
import { objectOf, parseJson, isJsonObject } from '../json-value.ts';

export type Call = {
  readonly order: number;
  readonly index: number | null;
  /** Empty until, or unless, the server gives one. */
  id: string;
  name: string;
  arguments: string;
  /** Custom tools take text, not JSON. */
  readonly isCustom: boolean;
};

/** One delta, read. */
export type CallDelta = { readonly call: Call; readonly isNew: boolean; readonly added: string };

function textIn(entry: JsonObject | null, key: string): string {
  const value = entry?.[key];
  return typeof value === 'string' ? value : '';
}

function bodyOf(entry: JsonObject): JsonObject | null {
  return objectOf(entry['function']) ?? objectOf(entry['custom']);
}

function argumentsOf(body: JsonObject | null): string {
  const value = body?.['arguments'] ?? body?.['input'];
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? JSON.stringify(value) : '';
}

/** True when the arguments can not go on: a whole JSON object was read. */
export function isWhole(call: Call): boolean {
  return call.arguments !== '' && isJsonObject(parseJson(call.arguments));
}

export class CallTracker {
  readonly calls: Call[] = [];
  /** Characters of arguments kept, over all calls. */
  characters = 0;

  /** Whether an entry of `tool_calls` has the right shape and a call to belong to. */
  fits(entry: unknown): entry is JsonObject {
    if (!isJsonObject(entry)) return false;
    const body = entry['function'] ?? entry['custom'];
    if (body !== undefined && body !== null && !isJsonObject(body)) return false;
    const given = isJsonObject(body) ? body['arguments'] : undefined;
    if (given !== undefined && given !== null && typeof given !== 'string' && !isJsonObject(given))
      return false;
    return this.calls.length > 0 || textIn(entry, 'id') !== '' || textIn(bodyOf(entry), 'name') !== '';
  }

  /** Takes an entry that fits. */
  accept(entry: JsonObject): CallDelta {
    const body = bodyOf(entry);
    const id = textIn(entry, 'id');
    const name = textIn(body, 'name');
    const added = argumentsOf(body);
    const index = typeof entry['index'] === 'number' ? entry['index'] : null;
    const known = this.#find(id, name, index);
    const call = known ?? this.#start(index, isJsonObject(entry['custom']));
    if (call.id === '') call.id = id;
    if (call.name === '') call.name = name;
    call.arguments += added;
    this.characters += added.length;
    return { call, isNew: known === null, added };
  }

  #start(index: number | null, isCustom: boolean): Call {
    const call: Call = { order: this.calls.length, index, id: '', name: '', arguments: '', isCustom };
    this.calls.push(call);
    return call;
  }

  #find(id: string, name: string, index: number | null): Call | null {
    if (id !== '') {
      const same = this.calls.find((call) => call.id === id);
      if (same !== undefined) return same;
      // The id may come after the name of its call, never after another id.
      const atIndex = index === null ? undefined : this.calls.findLast((call) => call.index === index);
      return atIndex !== undefined && atIndex.id === '' && name === '' ? atIndex : null;
    }
    const latest = index === null ? this.calls.at(-1) : this.calls.findLast((call) => call.index === index);
    if (name === '') return latest ?? this.calls.at(-1) ?? null;
    // A name without id: a server that repeats names, unless the call before is complete.
    if (latest === undefined || latest.name === '') return latest ?? null;
    return index === null || latest.name !== name || isWhole(latest) ? null : latest;
  }

  /** Whether a call can not be used: no name, or arguments that are no JSON object. */
  isBroken(call: Call): boolean {
    return call.name === '' || (!call.isCustom && !areArguments(call.arguments));
  }
}
