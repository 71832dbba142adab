/**
 * Content on its way to where it is kept: held while the request runs, handed on when it is over, never waited for. What
 * is held is bounded; where there is no room, content is lost, the record says so, and it is counted aloud.
 */
import { captureKeyBytes } from '../core/configure-capture.ts';
import { contentMs, dayOf, isCaptured } from '../core/capture.ts';
import type { CaptureMark, CaptureSettings } from '../core/capture.ts';
import type { RequestId } from '../core/ids.ts';
import type { Capture } from '../gateway/captured.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { ContentItem, ContentStore } from '../store/content-store.ts';

type Asked = Pick<Exchange, 'id' | 'at' | 'feature' | 'demand' | 'key' | 'wishes'>;

export type ContentPump = {
  /** Null where the content of this request is not captured. */
  begin(asked: Asked, request: Uint8Array): Capture | null;
  /** Whether what was handed on of a request is kept, as soon as that is known; null where nothing of it is on its way. */
  readonly keeping: (request: RequestId) => Promise<boolean> | null;
  /** Resolves when everything that was handed on so far is kept or lost. */
  flush(): Promise<void>;
  counts(): { readonly kept: number; readonly lost: number; readonly held: number };
};

export type ContentPumpOptions = {
  readonly settings: () => CaptureSettings | null;
  readonly store: Pick<ContentStore, 'keep'>;
  /** Of all requests together. */
  readonly heldBytesMax?: number;
  readonly onLost: (count: number) => void;
};

const batchBytesMax = 4 * 1_048_576;
const triesMax = 3;
const retryMs = 200;

/** One body as it comes, up to its limit. */
class Body {
  readonly #parts: Uint8Array[] = [];
  readonly #bytesMax: number;
  #kept = 0;
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How much more is held by it. */
  take(part: Uint8Array): number {
    this.bytes += part.length;
    const room = Math.min(part.length, this.#bytesMax - this.#kept);
    if (room <= 0) return 0;
    this.#parts.push(room === part.length ? part : part.subarray(0, room));
    this.#kept += room;
    return room;
  }

  get isCut(): boolean {
    return this.bytes > this.#kept;
  }

  /** A copy: what came belongs to the answer. */
  joined(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#kept);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

type Handed = {
  readonly request: RequestId;
  readonly item: ContentItem;
  readonly held: number;
  readonly retentionMs: number;
  readonly settings: CaptureSettings;
};
type Waiting = Handed & { readonly settle: (isKept: boolean) => void };

class Pump implements ContentPump {
  readonly #options: ContentPumpOptions;
  readonly #heldBytesMax: number;
  #queue: Waiting[] = [];
  readonly #keeping = new Map<RequestId, Promise<boolean>>();
  #held = 0;
  #kept = 0;
  #lost = 0;
  #running: Promise<void> | null = null;

  constructor(options: ContentPumpOptions) {
    this.#options = options;
    this.#heldBytesMax = options.heldBytesMax ?? 64 * 1_048_576;
  }

  begin(asked: Asked, request: Uint8Array): Capture | null {
    const settings = this.#options.settings();
    if (settings === null || !isCaptured(settings, asked.feature.name, asked.demand)) return null;
    const retentionMs = contentMs(settings, asked.demand);
    const input = new Body(settings.bodyBytesMax);
    const output = new Body(settings.bodyBytesMax);
    let held = 0;
    let isLost = false;
    const take = (body: Body, part: Uint8Array): void => {
      if (isLost) return;
      const more = body.take(part);
      held += more;
      this.#held += more;
      if (this.#held <= this.#heldBytesMax) return;
      isLost = true;
      this.#held -= held;
    };
    take(input, request);
    return {
      take: (part) => take(output, part),
      end: () => {
        if (isLost) {
          this.#lose(1);
          return 'lost';
        }
        this.#push({ request: asked.id, item: itemOf(asked, input, output), held, retentionMs, settings });
        return markOf(input, output);
      },
    };
  }

  readonly keeping = (request: RequestId): Promise<boolean> | null => this.#keeping.get(request) ?? null;

  #push(handed: Handed): void {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#keeping.set(handed.request, promise);
    this.#queue.push({ ...handed, settle: resolve });
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Whatever ends in this turn of the loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#next();
      const isKept = await this.#keep(batch);
      for (const { request, held, settle } of batch) {
        this.#held -= held;
        this.#keeping.delete(request);
        settle(isKept);
      }
    }
    this.#running = null;
  }

  /** As many as fit into one write, and were captured under the same settings for as long. */
  #next(): readonly Waiting[] {
    const { settings, retentionMs } = this.#queue[0] ?? {};
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (waiting.settings !== settings || waiting.retentionMs !== retentionMs) break;
      if (count > 0 && bytes + waiting.held > batchBytesMax) break;
      bytes += waiting.held;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #keep(batch: readonly Waiting[]): Promise<boolean> {
    const [first] = batch;
    const key = first === undefined ? null : captureKeyBytes(first.settings.key.reveal());
    if (first === undefined || key === null) return this.#lose(batch.length);
    for (let tries = 1; tries <= triesMax; tries++) {
      try {
        await this.#options.store.keep(
          key,
          first.retentionMs,
          batch.map(({ item }) => item),
        );
        this.#kept += batch.length;
        return true;
      } catch {
        if (tries < triesMax) await Bun.sleep(retryMs * tries);
      }
    }
    return this.#lose(batch.length);
  }

  #lose(count: number): false {
    this.#lost += count;
    this.#options.onLost(count);
    return false;
  }

  async flush(): Promise<void> {
    await this.#running;
  }

  counts(): ReturnType<ContentPump['counts']> {
    return { kept: this.#kept, lost: this.#lost, held: this.#held };
  }
}

function itemOf({ id, at, key, wishes }: Asked, input: Body, output: Body): ContentItem {
  return {
    request: id,
    tenant: key?.tenant ?? null,
    user: wishes.user,
    day: dayOf(at),
    input: input.joined(),
    output: output.joined(),
    inputBytes: input.bytes,
    outputBytes: output.bytes,
  };
}

const markOf = (input: Body, output: Body): CaptureMark => (input.isCut || output.isCut ? 'cut' : 'whole');

export const createContentPump = (options: ContentPumpOptions): ContentPump => new Pump(options);
