/** Who asks when: one random stream of requests per feature, steady, with the hours of a day, or in bursts. */
import type { Profile } from './scenario.ts';

const dayMs = 86_400_000;
const burstMs = 20_000;

/** How busy it is, around 1 on average. */
function busy(profile: Profile, ms: number): number {
  switch (profile.shape) {
    case 'steady':
      return 1;
    case 'diurnal':
      return 1 - 0.8 * Math.cos((2 * Math.PI * (ms % dayMs)) / dayMs);
    case 'bursty':
      return Math.floor(ms / burstMs) % 5 === 0 ? 3 : 0.5;
  }
}

const busiest = 3;

export type Stream<Name> = {
  readonly name: Name;
  readonly profile: Profile;
  readonly callers: readonly string[];
  /** When its next request comes, in milliseconds since the start. */
  at: number;
};

export class Traffic<Name> {
  readonly #streams: readonly Stream<Name>[];
  readonly #random: () => number;
  readonly #untilMs: number;
  #upcoming: Stream<Name> | null = null;
  /** When the next request comes; never, when there is none before the end. */
  nextAt = Number.POSITIVE_INFINITY;

  constructor(
    streams: readonly { readonly name: Name; readonly prefix: string; readonly profile: Profile }[],
    untilMs: number,
    random: () => number,
  ) {
    this.#random = random;
    this.#untilMs = untilMs;
    this.#streams = streams.map(({ name, prefix, profile }) => ({
      name,
      profile,
      callers: Array.from({ length: profile.callers }, (_, index) => `${prefix}-${index}`),
      at: 0,
    }));
    for (const stream of this.#streams) this.#advance(stream);
    this.#look();
  }

  #advance(stream: Stream<Name>): void {
    const { profile } = stream;
    // Thinning: candidates at the busiest rate, kept in proportion.
    const most = profile.shape === 'steady' ? 1 : busiest;
    for (;;) {
      stream.at += (-Math.log(1 - this.#random()) * 1_000) / (profile.rate * most);
      if (most === 1 || this.#random() * most <= busy(profile, stream.at)) return;
    }
  }

  #look(): void {
    let first: Stream<Name> | null = null;
    for (const stream of this.#streams) if (first === null || stream.at < first.at) first = stream;
    this.#upcoming = first;
    this.nextAt = first === null || first.at >= this.#untilMs ? Number.POSITIVE_INFINITY : first.at;
  }

  /** The request that comes next: its stream, and which of the stream's callers. */
  take(): { readonly stream: Stream<Name>; readonly caller: number } | null {
    const stream = this.#upcoming;
    if (stream === null) return null;
    const caller = Math.floor(this.#random() * stream.callers.length);
    this.#advance(stream);
    this.#look();
    return { stream, caller };
  }
}
