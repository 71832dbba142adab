/** Who asks when: one random stream of requests per feature, steady, with the hours of a day, or in bursts. */
import type { Profile, Scenario } from './scenario.ts';

export type Arrival = { readonly feature: string; readonly caller: string; readonly poisonous: boolean };

export type Arrivals = {
  /** When the next request comes, in milliseconds since the start. */
  readonly nextAt: () => number;
  /** That request. */
  readonly take: () => Arrival;
};

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

export function createArrivals(
  features: readonly string[],
  scenario: Scenario,
  random: () => number,
): Arrivals {
  const streams = features.map((feature) => {
    const profile = scenario.traffic(feature);
    const callers = Array.from({ length: profile.callers }, (_, index) => `${feature}-${index}`);
    return { feature, profile, callers, at: 0 };
  });
  const advance = (stream: (typeof streams)[number]): void => {
    const { profile } = stream;
    // Thinning: candidates at the busiest rate, kept in proportion.
    const most = profile.shape === 'steady' ? 1 : busiest;
    for (;;) {
      stream.at += (-Math.log(1 - random()) * 1_000) / (profile.rate * most);
      if (most === 1 || random() * most <= busy(profile, stream.at)) return;
    }
  };
  streams.forEach(advance);
  const earliest = (): (typeof streams)[number] | undefined => {
    let first = streams[0];
    for (const stream of streams) if (first !== undefined && stream.at < first.at) first = stream;
    return first;
  };
  let upcoming = earliest();
  return {
    nextAt: () => upcoming?.at ?? Number.POSITIVE_INFINITY,
    take: () => {
      const stream = upcoming;
      if (stream === undefined) return { feature: '', caller: '', poisonous: false };
      const { feature, callers, profile } = stream;
      const index = Math.floor(random() * callers.length);
      advance(stream);
      upcoming = earliest();
      return { feature, caller: callers[index] ?? '', poisonous: profile.poison && index === 0 };
    },
  };
}
