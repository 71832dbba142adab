/** What a simulated vendor needs to be: how it reads a request, how it refuses, and how it says an answer. */
import type { Preset } from './faults.ts';
import type { Asked, PlannedAnswer } from './answer.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Refusal = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
};

export type ReadRequest =
  | {
      readonly kind: 'asked';
      readonly asked: Asked;
      readonly stream: boolean;
      readonly includeUsage: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** One event of a stream as text. `content`: it carries part of the answer. */
export type StreamEvent = {
  readonly text: string;
  readonly content: boolean;
  readonly role: 'preamble' | 'content' | 'finish' | 'usage' | 'terminal';
};

export type Speech = {
  readonly requestIdHeader: string;
  readonly path: string;
  key(headers: Headers): string | null;
  read(body: Body, headers: Headers, models: readonly string[]): ReadRequest;
  refuse(preset: Preset, requestId: string): Refusal;
  whole(answer: PlannedAnswer, model: string): Body;
  events(answer: PlannedAnswer, model: string, includeUsage: boolean): readonly StreamEvent[];
  errorEvent(type: string): string;
  models(models: readonly string[]): Body;
};

export const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const objectsOf = (value: unknown): readonly Body[] => listOf(value).filter(isObject);
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
