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
