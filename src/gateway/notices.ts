/**
 * Puts a notice next to an answer: in a header where the policy says so, and inside the answer where the caller asked
 * for that. Inside a whole answer it is one more field; in a stream it is an event of its own between two others, in a
 * form that clients which do not know it pass over.
 */
import { isLimited } from '../core/adaptation.ts';
import { noticeWords } from '../core/notice.ts';
import type { Notice } from '../core/notice.ts';
import type { Told } from '../core/record.ts';
import { modeFor } from '../core/rules.ts';
import { hopBetween, retentionWords, termsAt } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import type { JsonObject } from '../dialects/dialect.ts';
import type { CommittedExecution } from './execute.ts';
import type { Exchange } from './exchange.ts';
import type { ReplyHeaders } from './reply.ts';
import { askedName, boundaryOf, fallbackReason } from './story.ts';

const noticeHeader = 'x-breakwater-notice';

/** What there is to say about an answer of this target; null when it is the one that was asked for. */
export function noticeOf(exchange: Exchange, target: Target, kind?: Notice['kind']): Notice | null {
  const hop = hopBetween(exchange.preferred, target);
  if (hop === null && kind === undefined) return null;
  const terms = termsAt(target.provider.terms, exchange.at);
  const limited = isLimited(exchange.feature, exchange.preferred, target);
  return {
    kind: kind ?? (limited ? 'limited' : 'backup'),
    requested: askedName(exchange),
    target: target.name,
    model: target.model.name,
    company: terms.entity,
    region: terms.regions === 'unknown' ? null : terms.regions.join(','),
    retention: retentionWords(terms),
    hop,
    boundary: boundaryOf(exchange),
    reason: fallbackReason(exchange, target),
  };
}

/** The wire form. */
export function noticeToWire(notice: Notice): JsonObject {
  const { kind, requested, target, model, company, region, retention, hop, boundary, reason } = notice;
  return {
    kind,
    text: noticeWords(notice),
    requested,
    target,
    model,
    company,
    region,
    retention,
    hop,
    boundary,
    reason,
  };
}

/** Whether the policy wants the user told, not only the product's headers. */
function mustNotify({ feature, preferred, wishes }: Exchange, target: Target): boolean {
  const mode = modeFor(feature, hopBetween(preferred, target), wishes.fallback);
  return mode === 'notify' || isLimited(feature, preferred, target);
}

/** JSON in the characters a header may hold. */
function headerJson(value: JsonObject): string {
  return JSON.stringify(value).replaceAll(
    /[^\u0020-\u007E]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const lineFeed = 10;
const carriageReturn = 13;

/** Where the first event ends, past its blank line; the length when it has none. */
function firstEventEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
    const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1;
    if (bytes[next] === lineFeed) return next + 1;
  }
  return bytes.length;
}

const encoder = new TextEncoder();

/** The start of a stream with the notice after its first event. */
function noticeInStream({ codec }: Exchange, head: Uint8Array, notice: JsonObject): Uint8Array {
  const end = firstEventEnd(head);
  return Buffer.concat([
    head.subarray(0, end),
    encoder.encode(codec.noticeEvent(notice)),
    head.subarray(end),
  ]);
}

const braceClose = 125;
const braceOpen = 123;

/** A whole answer with the notice as one more field; every other byte stays as it is. */
function noticeInWhole(body: Uint8Array, notice: JsonObject): Uint8Array {
  const end = body.lastIndexOf(braceClose);
  if (end < 0) return body;
  let before = end - 1;
  while (before > 0 && (body[before] ?? 0) <= 32) before -= 1;
  const separator = body[before] === braceOpen ? '' : ',';
  const field = `${separator}"breakwater":${JSON.stringify({ notice })}`;
  return Buffer.concat([body.subarray(0, end), encoder.encode(field), body.subarray(end)]);
}

/** The answer with its notice where there is one to give, and what the caller was told by it. */
export function withNotice(
  exchange: Exchange,
  headers: ReplyHeaders,
  execution: CommittedExecution,
  headersSent: boolean,
): { readonly execution: CommittedExecution; readonly told: Told } {
  const { answer } = execution;
  const { target } = answer.trace.ticket;
  const notice = noticeOf(exchange, target);
  if (notice === null) return { execution, told: 'none' };
  const wire = noticeToWire(notice);
  const inBand = exchange.wishes.noticeInBand && exchange.codec.operation === 'answer';
  const isDue = inBand || mustNotify(exchange, target);
  if (isDue && !headersSent) headers[noticeHeader] = headerJson(wire);
  if (!inBand) return { execution, told: headersSent ? 'none' : isDue ? 'notice' : 'header' };
  const head = exchange.facts.stream
    ? noticeInStream(exchange, answer.head, wire)
    : noticeInWhole(answer.head, wire);
  return { execution: { ...execution, answer: { ...answer, head } }, told: 'notice' };
}
