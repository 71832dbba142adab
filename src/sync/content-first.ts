/**
 * Records of captured requests on their way to the store wait until their content is kept: a record that says `whole` is
 * there when the content is. So no kill leaves a record that tells of content which was only in memory, and where content
 * could not be kept, the record says that it is lost. Records of other requests wait for nothing.
 */
import type { RequestId } from '../core/ids.ts';
import type { RequestRecord } from '../core/record.ts';
import type { RecordPump } from './push-records.ts';

/** Records that wait for their content; with more, the next ones go ahead of theirs. */
const waitingMax = 10_000;

class ContentFirst implements RecordPump {
  readonly #pump: RecordPump;
  readonly #keeping: (request: RequestId) => Promise<boolean> | null;
  /** What is waited for, and how to say that it is not going to come. */
  readonly #waiting = new Map<Promise<unknown>, (isKept: boolean) => void>();

  constructor(pump: RecordPump, keeping: (request: RequestId) => Promise<boolean> | null) {
    this.#pump = pump;
    this.#keeping = keeping;
  }

  #contentOf({ id, captured }: RequestRecord): Promise<boolean> | null {
    const isKeeping = captured === 'whole' || captured === 'cut';
    return isKeeping && this.#waiting.size < waitingMax ? this.#keeping(id) : null;
  }

  #after<T>(
    content: Promise<boolean>,
    record: RequestRecord,
    write: (record: RequestRecord) => T | Promise<T>,
  ): Promise<T> {
    const known = Promise.withResolvers<boolean>();
    void content.then(known.resolve);
    const written = known.promise.then((isKept) => write(isKept ? record : { ...record, captured: 'lost' }));
    this.#waiting.set(written, known.resolve);
    return written.finally(() => this.#waiting.delete(written));
  }

  push(record: RequestRecord): void {
    const content = this.#contentOf(record);
    if (content === null) this.#pump.push(record);
    else void this.#after(content, record, (told) => this.#pump.push(told));
  }

  durable(record: RequestRecord): Promise<boolean> {
    const content = this.#contentOf(record);
    return content === null
      ? this.#pump.durable(record)
      : this.#after(content, record, (told) => this.#pump.durable(told));
  }

  accepts(): boolean {
    return this.#pump.accepts();
  }

  isFailing(): boolean {
    return this.#pump.isFailing();
  }

  async flush(): Promise<void> {
    await Promise.all(this.#waiting.keys());
    await this.#pump.flush();
  }

  async stop(limitMs: number): Promise<void> {
    const until = performance.now() + limitMs;
    await Promise.race([Promise.all(this.#waiting.keys()), Bun.sleep(limitMs)]);
    for (const know of this.#waiting.values()) know(false);
    // Each is with the pump before that one ends.
    await Promise.resolve();
    await this.#pump.stop(Math.max(0, until - performance.now()));
  }

  counts(): ReturnType<RecordPump['counts']> {
    const counts = this.#pump.counts();
    return { ...counts, pending: counts.pending + this.#waiting.size };
  }
}

/** `keeping`: resolves with whether the content of a request is kept; null where none is on its way. */
export const contentFirst = (
  pump: RecordPump,
  keeping: (request: RequestId) => Promise<boolean> | null,
): RecordPump => new ContentFirst(pump, keeping);
