/** Configurations for the swarm: how many providers, which models where, which routes, which agreements. Drawn by a seed. */
import type { Snapshot } from '../../src/core/snapshot.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { compiled, houseDocument } from './house.ts';

type Json = Readonly<Record<string, unknown>>;

const companies = ['Anthropic PBC', 'Amazon Web Services', 'OpenAI OpCo LLC', 'Google LLC', null] as const;
const families = ['opus', 'sonnet', 'gpt', 'flash'] as const;
const vendors = { opus: 'anthropic', sonnet: 'anthropic', gpt: 'openai', flash: 'google' } as const;

const kept = new Map<number, Snapshot>();
const keptMax = 64;
/** Topologies there are; the first is the house of the scenarios. */
export const topologies = 64;

export function topology(index: number): Snapshot {
  let found = kept.get(index);
  if (found === undefined) {
    found = compiled(index === 0 ? houseDocument : drawn(index));
    if (kept.size < keptMax) kept.set(index, found);
  }
  return found;
}

function drawn(seed: number): Json {
  const random = seededRandom(seed * 7_919);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const targets: string[] = [];
  const providers: Record<string, Json> = {};
  for (let p = 0; p < upTo(5); p++) {
    const models: Record<string, Json> = {};
    for (let m = 0; m < upTo(3); m++) {
      const family = pick(families);
      const name = `${family}-${upTo(3)}`;
      models[name] = { family, vendor: vendors[family] };
      targets.push(`p${p}/${name}`);
    }
    providers[`p${p}`] = {
      api: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:1/v1',
      keys: Array.from({ length: upTo(3) }, (_, key) => `env:K${p}${key}`),
      terms: {
        ...(companies[p] === null ? {} : { entity: companies[p] }),
        regions: [pick(['us', 'eu'])],
        retention: '30d',
        training: 'no',
        reviewed: '2026-01-01',
      },
      models,
    };
  }
  const features: Record<string, Json> = {};
  for (let f = 0; f < upTo(5); f++) {
    const route = new Set(Array.from({ length: upTo(5) }, () => pick(targets)));
    features[`f${f}`] = { route: [...route], priority: pick(['critical', 'normal', 'sheddable']) };
  }
  const latency = random() < 0.3 ? { latency: { firstToken: '8s', breach: '20%' } } : {};
  const gates = [{ budget: pick(['0.1%', '0.5%', '2%']), breach: pick(['10%', '20%', '50%']), ...latency }];
  return { providers, features, gates };
}
