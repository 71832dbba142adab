/** Keeps what an encoder had to leave out while it builds a request: names for the caller, or a reason to refuse. */
import type { Conversation } from './conversation.ts';
import type { Encoded, JsonObject } from './dialect.ts';
import { lackOf, warningsOf } from './left-over.ts';

export class Encoding {
  readonly #warnings: Set<string>;
  #lacking: string | null;

  constructor(conversation: Conversation) {
    this.#warnings = new Set(warningsOf(conversation));
    this.#lacking = lackOf(conversation);
  }

  warn(what: string): void {
    this.#warnings.add(what);
  }

  lack(what: string): void {
    this.#lacking ??= what;
  }

  result(body: JsonObject): Encoded {
    if (this.#lacking !== null) return { kind: 'lacks', capability: this.#lacking };
    return { kind: 'encoded', body, warnings: [...this.#warnings] };
  }
}

/** The caller's limit of output tokens, within what the model can give. */
export function outputTokensWithin(
  limit: number | null,
  modelMax: number,
  encoding: Encoding,
): number | null {
  if (limit === null || modelMax <= 0 || limit <= modelMax) return limit;
  encoding.warn('max_tokens');
  return modelMax;
}
