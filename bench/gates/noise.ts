/** Kinds of trouble that are no outage: what a gate must sit through for months. */
import { seededRandom } from '../../src/simulator/random.ts';
import type { Noise } from './traffic.ts';

/** Hiccups: three a day, three to ten seconds each, half of what is asked fails. */
export function blips(usual: number, days: number, seed: number): Noise {
  const random = seededRandom(seed + 17);
  const starts = Array.from({ length: days * 3 }, () => ({
    from: random() * days * 86_400_000,
    lasts: 3_000 + random() * 7_000,
  })).sort((one, other) => one.from - other.from);
  let next = 0;
  return {
    fails: (now, _caller, chance) => {
      while (next < starts.length && starts[next]!.from + starts[next]!.lasts < now) next++;
      const blip = starts[next];
      const inside = blip !== undefined && now >= blip.from;
      return chance() < (inside ? 0.5 : usual);
    },
  };
}

/**
 * Bursts that 2 to 20 consecutive requests fail in, 0.5 % of all on average: intervals of time, as long as so many
 * requests take at this traffic. `secondsMax`: no burst lasts longer; without it, one of twenty lasts a quarter of an hour
 * at 0.02 requests a second, which is an outage by any measure.
 */
export function bursts(mean: number, perSecond: number, secondsMax: number | null, seed: number): Noise {
  const random = seededRandom(seed + 29);
  const gapMs = (): number => (-Math.log(1 - random()) * 1_000 * 11 * (1 - mean)) / (perSecond * mean);
  let from = gapMs();
  let to = from;
  const begin = (): void => {
    const requests = 2 + Math.floor(random() * 19);
    to = from + 1_000 * Math.min(requests / perSecond, secondsMax ?? Number.POSITIVE_INFINITY);
  };
  begin();
  return {
    fails: (now) => {
      while (now >= to) {
        from = to + gapMs();
        begin();
      }
      return now >= from;
    },
  };
}

/** One caller of ten whose every request fails, whatever it is sent to; probes are ours and do not. */
export function poison(usual: number): Noise {
  return { fails: (_now, caller, chance, probe) => (!probe && caller === 0) || chance() < usual };
}
