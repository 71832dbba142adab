/** What a simulated vendor needs to be: how it reads a request, how it refuses, and how it says an answer. */
import type { Preset } from './faults.ts';
import type { Asked, PlannedAnswer } from './answer.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Refusal = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
};

/** What a request wants of the form of its answer. */
export type Form = {
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** How many answers. */
  readonly choices: number;
  /** Pads events, so that their length says nothing about the text. */
  readonly obfuscate: boolean;
};

export type ReadRequest =
  | { readonly kind: 'asked'; readonly asked: Asked; readonly form: Form }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** One event of a stream as text. `content`: it carries part of the answer. */
export type StreamEvent = {
  readonly text: string;
  readonly content: boolean;
  /** `opening` and `closing` frame parts of the answer. */
  readonly role: 'preamble' | 'opening' | 'content' | 'closing' | 'finish' | 'usage' | 'terminal';
};

export type Addressed = { readonly isSide: boolean; readonly fields: Body };

export type Speech = {
  readonly answerPath: string;
  /** Where something beside an answer is asked: a count of tokens, embeddings. */
  readonly sidePath: string | null;
  /** For a vendor whose addresses say what a body says elsewhere; null for an address that is not its own. */
  addressed?(path: string): Addressed | null;
  key(headers: Headers): string | null;
  read(body: Body, headers: Headers, models: readonly string[]): ReadRequest;
  readSide(body: Body, headers: Headers, models: readonly string[]): ReadRequest;
  side(answer: PlannedAnswer, body: Body): Body;
  refuse(preset: Preset, model: string): Refusal;
  /** Why there is nothing at an address. */
  notFound(method: string, path: string): Refusal;
  unreadable(): Refusal;
  /** Puts the id of the request where an error names it. */
  stamped(body: unknown, requestId: string): unknown;
  /** What every answer carries. */
  headers(requestId: string): Readonly<Record<string, string>>;
  whole(answer: PlannedAnswer, model: string, form: Form): Body;
  events(answer: PlannedAnswer, model: string, form: Form): readonly StreamEvent[];
  errorEvent(type: string, requestId: string): StreamEvent;
  models(models: readonly string[]): Body;
  model(id: string): Body;
};

export const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const objectsOf = (value: unknown): readonly Body[] => listOf(value).filter(isObject);
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
