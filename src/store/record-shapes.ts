/**
 * Entries of records, written straight as bytes. Most of a record is the same as in the one before of its feature: all but
 * some moments, figures and names. So the text of one is remembered as a shape, its pieces with slots between them, beside
 * the numbers that it is searched by, and the next record that has the shape costs only what is its own.
 *
 * A shape is taken from the text that `recordToEntry` gives for the record with marks in its slots, so nothing is said here
 * of names or order of fields, and what is written this way is byte for byte what would be written without it.
 */
import { instant } from '../core/ids.ts';
import { momentText } from '../core/moment.ts';
import { recordToEntry } from '../core/record-json.ts';
import type { AttemptRecord, RequestRecord } from '../core/record.ts';
import { columnNames, writeColumns, writeOwn } from './record-columns.ts';

type Value = string | number | null;
type Slot = (record: RequestRecord, attempt: AttemptRecord) => Value;

/** What is each record's own. */
const slots: Readonly<Record<string, Slot>> = {
  a: (record) => record.id,
  b: (record) => record.durationMs,
  c: (record) => record.tenant,
  d: (record) => record.key,
  e: (record) => record.user,
  f: (record) => record.session,
  g: (record) => record.trace,
  h: (_record, attempt) => attempt.firstByteMs,
  i: (_record, attempt) => attempt.firstTokenMs,
  j: (_record, attempt) => attempt.durationMs,
  k: (_record, attempt) => attempt.providerRequestId,
  l: (_record, attempt) => attempt.inputTokens,
  m: (_record, attempt) => attempt.outputTokens,
  n: (_record, attempt) => attempt.costUsd,
  o: (record) => record.fingerprints.input,
  p: (record) => record.fingerprints.output,
  0: (record) => momentText(record.at),
  1: (_record, attempt) => momentText(attempt.startedAt),
};

/** Slots of numbers. */
const figures: ReadonlySet<string> = new Set(['b', 'h', 'i', 'j', 'l', 'm', 'n']);

/** A mark is a word that no field holds; a moment's is the first of all, or the one after. */
const mark = (slot: string): string => `\u0001${slot}`;
const marks = /"(?:\\u0001([a-p])|1970-01-01T00:00:00\.00([01])Z)"/;

/** Marks stand for figures as well: they are only ever turned into text. */
function marked(record: RequestRecord, attempt: AttemptRecord): RequestRecord {
  const or = <T extends Value>(value: T, slot: string): T => (value === null ? value : (mark(slot) as T));
  return {
    ...record,
    id: or(record.id, 'a'),
    at: instant(0),
    durationMs: mark('b') as unknown as number,
    tenant: or(record.tenant, 'c'),
    key: or(record.key, 'd'),
    user: or(record.user, 'e'),
    session: or(record.session, 'f'),
    trace: or(record.trace, 'g'),
    attempts: [
      {
        ...attempt,
        startedAt: instant(1),
        firstByteMs: or(attempt.firstByteMs, 'h'),
        firstTokenMs: or(attempt.firstTokenMs, 'i'),
        durationMs: mark('j') as unknown as number,
        providerRequestId: or(attempt.providerRequestId, 'k'),
        inputTokens: or(attempt.inputTokens, 'l'),
        outputTokens: or(attempt.outputTokens, 'm'),
        costUsd: or(attempt.costUsd, 'n'),
      },
    ],
    fingerprints: { input: or(record.fingerprints.input, 'o'), output: or(record.fingerprints.output, 'p') },
  };
}

export type Shape = {
  readonly like: RequestRecord;
  readonly has: number;
  /** Text between slots; one more than slots. */
  readonly pieces: readonly Uint8Array[];
  readonly slots: readonly Slot[];
  /** Of the columns; those that are a record's own are written over. */
  readonly cells: Int32Array;
};

/** Which slots that may be empty are not. */
function filled(
  { tenant, key, user, session, trace, fingerprints }: RequestRecord,
  attempt: AttemptRecord,
): number {
  return (
    (tenant === null ? 0 : 1) |
    (key === null ? 0 : 2) |
    (user === null ? 0 : 4) |
    (session === null ? 0 : 8) |
    (trace === null ? 0 : 16) |
    (attempt.firstByteMs === null ? 0 : 32) |
    (attempt.firstTokenMs === null ? 0 : 64) |
    (attempt.providerRequestId === null ? 0 : 128) |
    (attempt.inputTokens === null ? 0 : 256) |
    (attempt.outputTokens === null ? 0 : 512) |
    (attempt.costUsd === null ? 0 : 1_024) |
    (fingerprints.input === null ? 0 : 2_048) |
    (fingerprints.output === null ? 0 : 4_096)
  );
}

/** Records with more than this to tell are written one by one. */
const isPlain = (record: RequestRecord): boolean =>
  record.attempts.length === 1 &&
  record.incidents.length === 0 &&
  record.switches.length === 0 &&
  record.warnings.length === 0 &&
  record.boundary.length === 0 &&
  record.seam === null &&
  record.consentOfferedIn === null &&
  record.attempts[0]?.boundary.length === 0;

const isLike = (one: RequestRecord, other: RequestRecord): boolean =>
  one.requested === other.requested &&
  one.served === other.served &&
  one.preferred === other.preferred &&
  one.outcome === other.outcome &&
  one.stream === other.stream &&
  one.dialect === other.dialect &&
  one.operation === other.operation &&
  one.modelReported === other.modelReported &&
  one.dataClass === other.dataClass &&
  one.dataClassSource === other.dataClassSource &&
  one.consent === other.consent &&
  one.captured === other.captured &&
  one.snapshot === other.snapshot &&
  one.hop === other.hop &&
  one.fallback === other.fallback &&
  one.told === other.told &&
  one.errorCode === other.errorCode &&
  one.status === other.status &&
  one.finish === other.finish;

const isAttemptLike = (one: AttemptRecord, other: AttemptRecord): boolean =>
  one.n === other.n &&
  one.target === other.target &&
  one.company === other.company &&
  one.region === other.region &&
  one.retention === other.retention &&
  one.outcome === other.outcome &&
  one.failure === other.failure &&
  one.status === other.status &&
  one.providerCode === other.providerCode &&
  one.payloadSent === other.payloadSent &&
  one.whyNext === other.whyNext &&
  one.malformedEvents === other.malformedEvents &&
  one.adapted === other.adapted;

function areCandidatesLike(
  { candidates: some }: RequestRecord,
  { candidates: others }: RequestRecord,
): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) {
    const [one, other] = [some[at], others[at]];
    if (one?.target !== other?.target || one?.eligible !== other?.eligible) return false;
    if (one?.reason !== other?.reason || one?.rule !== other?.rule) return false;
  }
  return true;
}

const featuresMax = 2_048;
const shapesPerFeature = 32;

export class RecordShapes {
  readonly #byFeature = new Map<string, Shape[]>();
  readonly #wordOf: (text: string) => number;

  constructor(wordOf: (text: string) => number) {
    this.#wordOf = wordOf;
  }

  /** The shape of a record; null when it has too much of its own to have one. */
  of(record: RequestRecord): Shape | null {
    const [attempt] = record.attempts;
    if (attempt === undefined || !isPlain(record)) return null;
    const has = filled(record, attempt);
    const known = this.#byFeature.get(record.feature) ?? [];
    for (const shape of known) {
      const [other] = shape.like.attempts;
      if (shape.has !== has || other === undefined) continue;
      if (
        isLike(shape.like, record) &&
        isAttemptLike(other, attempt) &&
        areCandidatesLike(shape.like, record)
      )
        return shape;
    }
    const made = this.#made(record, attempt, has);
    if (made === null) return null;
    if (this.#byFeature.size >= featuresMax) this.#byFeature.clear();
    this.#byFeature.set(record.feature, [made, ...known].slice(0, shapesPerFeature));
    return made;
  }

  #made(record: RequestRecord, attempt: AttemptRecord, has: number): Shape | null {
    const parts = JSON.stringify(recordToEntry(marked(record, attempt))).split(marks);
    // Text, then for each slot: its letter or its moment, the other undefined, and the text behind it.
    const found = parts.flatMap((_, at) => (at % 3 === 1 ? (parts[at] ?? parts[at + 1] ?? '') : []));
    const expected = Object.keys(slots).length - 13 + bitsOf(has);
    // A name that holds a mark: written one by one.
    if (found.length !== expected || new Set(found).size !== expected) return null;
    const cells = new Int32Array(columnNames.length);
    writeColumns(record, this.#wordOf, cells, 0);
    // The quotes of words belong to the pieces; a figure has none. The bracket that opens the entry stands before its salt.
    const isWord = (at: number): boolean => !figures.has(found[at] ?? 'b');
    const texts = parts.filter((_, at) => at % 3 === 0);
    const pieces = texts.map(
      (text, at) => `${isWord(at - 1) ? '"' : ''}${at === 0 ? text.slice(1) : text}${isWord(at) ? '"' : ''}`,
    );
    return {
      like: record,
      has,
      pieces: pieces.map((piece) => new TextEncoder().encode(piece)),
      slots: found.flatMap((name) => slots[name] ?? []),
      cells,
    };
  }
}

function bitsOf(value: number): number {
  let bits = 0;
  for (let left = value; left > 0; left >>= 1) bits += left & 1;
  return bits;
}

/** Writes the columns of a record that has a shape. */
export function writeShaped(
  { cells }: Shape,
  record: RequestRecord,
  wordOf: (text: string) => number,
  columns: Int32Array,
  at: number,
): void {
  const step = columns.length / cells.length;
  for (let column = 0; column < cells.length; column++) columns[column * step + at] = cells[column] ?? 0;
  writeOwn(record, wordOf, columns, at);
}
