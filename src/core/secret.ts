/**
 * A credential that cannot leak by accident: it prints, serialises and inspects as `[secret]`. The text comes out
 * only through `reveal`, which is called where a request is signed and nowhere else.
 */
export class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): string {
    return this.#text;
  }
  is(other: Secret): boolean {
    return this.#text === other.#text;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** Why there is no text behind a reference, and how much that matters to whoever reads the configuration. */
export type MissingSecret = { readonly why: string; readonly severity: 'error' | 'warning' };
