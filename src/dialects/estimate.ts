/** How long a request is, roughly: enough to keep it away from a model with too small a window. */
import { isJsonObject } from './json-value.ts';

export const charactersPerToken = 4;
/** Shares of what is not text; providers count by pixels and pages, which would mean decoding. */
const imageTokens = 1_500;
const documentTokens = 5_000;

/** Counts while a request's messages are walked. */
export class Estimate {
  #characters = 0;
  #tokens = 0;

  addText(value: unknown): void {
    if (typeof value === 'string') this.#characters += value.length;
  }

  addImage(): void {
    this.#tokens += imageTokens;
  }

  addDocument(): void {
    this.#tokens += documentTokens;
  }

  /** Counts every text inside a value: schemas, tool arguments, parts that are not known. The body's depth is limited, so this is. */
  addValue(value: unknown): void {
    if (typeof value === 'string') this.#characters += value.length;
    else if (Array.isArray(value)) for (const item of value) this.addValue(item);
    else if (isJsonObject(value)) {
      for (const key of Object.keys(value)) {
        this.#characters += key.length + 1;
        this.addValue(value[key]);
      }
    } else this.#characters += 1;
  }

  tokens(): number {
    return Math.ceil(this.#characters / charactersPerToken) + this.#tokens;
  }
}
