/**
 * Random configurations, switches and requests for the property test, and what is right about them: said a second time,
 * from the document itself and as plainly as possible, so that a mistake in the rules is not a mistake in the check.
 */
import fc from 'fast-check';

import { priorities } from '../../src/core/shedding.ts';
import type { Priority } from '../../src/core/snapshot.ts';
import type { Json } from '../harness.ts';

export const start = Date.UTC(2026, 10, 1);

export type TermsSpec = {
  readonly entity: string | null;
  readonly regions: readonly string[] | null;
  readonly retentionDays: number | null;
  readonly training: 'no' | 'yes' | null;
  readonly expires: string | null;
};
const apis = ['openai', 'anthropic', 'google', 'openai-compatible'] as const;
export type ProviderSpec = {
  readonly api: (typeof apis)[number];
  readonly local: boolean;
  readonly terms: TermsSpec;
  readonly keys: number;
  readonly tools: boolean;
  readonly context: number;
  readonly concurrency: number | null;
  readonly rpm: number | null;
};
export type ClassSpec = {
  readonly training: 'no' | null;
  readonly retentionDays: number | null;
  readonly regions: readonly string[] | null;
  readonly entities: readonly string[] | null;
  readonly kept: boolean;
};
export const modes = ['auto', 'notify', 'ask', 'never', 'reduce'] as const;
export type Mode = (typeof modes)[number];
export const hopKinds = ['same_model', 'same_vendor', 'other_vendor', 'local'] as const;
export type HopKind = (typeof hopKinds)[number];
export type FeatureSpec = {
  /** Indexes into every provider × model. */
  readonly route: readonly number[];
  readonly fallback: Readonly<Record<HopKind, Mode>>;
  readonly dataClass: string | null;
  readonly withoutTools: boolean;
  readonly priority: Priority;
  readonly hedge: boolean;
  readonly carryOn: boolean;
  readonly warm: boolean;
};
export type WorldSpec = {
  readonly providers: readonly ProviderSpec[];
  readonly classes: readonly ClassSpec[];
  readonly features: readonly FeatureSpec[];
  readonly ruleTenant: string | null;
  readonly attempts: number;
  /** Whether gates act, or failing targets are asked on and on. */
  readonly gates: boolean;
};

export const models = ['claude-opus-4-8', 'claude-opus-4-7', 'gpt-5.2', 'house-model'] as const;
export const vendorOf: Readonly<Record<string, string>> = {
  'claude-opus-4-8': 'anthropic',
  'claude-opus-4-7': 'anthropic',
  'gpt-5.2': 'openai',
  'house-model': 'house',
};
export const classNames = ['c0', 'c1', 'c2'] as const;
const entities = ['Alpha', 'Beta', 'Gamma'];
const regions = ['us', 'eu', 'ap'];

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(arbitrary, { nil: null, freq: 6 });
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const someOf = (words: readonly string[]): fc.Arbitrary<string[]> =>
  fc.subarray([...words], { minLength: 1 });

const terms: fc.Arbitrary<TermsSpec> = fc.record({
  entity: maybe(fc.constantFrom(...entities)),
  regions: maybe(someOf(regions)),
  retentionDays: maybe(fc.constantFrom(0, 1, 7, 30)),
  training: maybe(fc.constantFrom('no' as const, 'no' as const, 'no' as const, 'yes' as const)),
  expires: fc.constantFrom(null, null, '2026-11-01', '2026-11-02', '2026-11-02', '2030-01-01'),
});
const provider: fc.Arbitrary<ProviderSpec> = fc.record({
  api: fc.constantFrom(...apis),
  local: fc.boolean(),
  terms,
  keys: fc.constantFrom(1, 1, 2),
  tools: fc.boolean(),
  context: fc.constantFrom(8_000, 128_000),
  concurrency: fc.constantFrom(null, null, 2, 6),
  rpm: fc.constantFrom(null, null, null, 120),
});
const dataClass: fc.Arbitrary<ClassSpec> = fc.record({
  training: maybe(fc.constant('no' as const)),
  retentionDays: seldom(fc.constantFrom(0, 7, 30)),
  regions: seldom(someOf(regions)),
  entities: seldom(someOf(entities)),
  kept: fc.constantFrom(true, true, false),
});
const mode = fc.constantFrom(...modes, 'ask' as const, 'auto' as const);
const feature = (targets: number): fc.Arbitrary<FeatureSpec> =>
  fc.record({
    route: fc.shuffledSubarray(
      Array.from({ length: targets }, (_, index) => index),
      { minLength: 1, maxLength: 5 },
    ),
    fallback: fc.record({ same_model: mode, same_vendor: mode, other_vendor: mode, local: mode }),
    dataClass: seldom(fc.constantFrom(...classNames)),
    withoutTools: fc.boolean(),
    priority: fc.constantFrom(...priorities),
    hedge: fc.boolean(),
    carryOn: fc.boolean(),
    warm: fc.boolean(),
  });

export const world: fc.Arbitrary<WorldSpec> = fc
  .array(provider, { minLength: 2, maxLength: 4 })
  .chain((providers) =>
    fc.record({
      providers: fc.constant(providers),
      classes: fc.tuple(dataClass, dataClass, dataClass),
      features: fc.array(feature(providers.length * models.length), { minLength: 2, maxLength: 2 }),
      ruleTenant: maybe(fc.constant('clinic')),
      attempts: fc.constantFrom(1, 2, 3, 4),
      gates: fc.constantFrom(true, true, true, false),
    }),
  );

export const targetAt = (index: number): string =>
  `p${Math.floor(index / models.length)}/${models[index % models.length] ?? ''}`;

function termsDocument({ entity, regions: places, retentionDays, training, expires }: TermsSpec): Json {
  return {
    ...(entity === null ? {} : { entity }),
    ...(places === null ? {} : { regions: places }),
    ...(retentionDays === null ? {} : { retention: retentionDays === 0 ? 'none' : `${retentionDays}d` }),
    ...(training === null ? {} : { training }),
    ...(expires === null ? {} : { expires }),
  };
}

function classDocument({ training, retentionDays, regions: places, entities: who, kept }: ClassSpec): Json {
  return {
    ...(kept ? {} : { capture: 'no' }),
    ...(training === null ? {} : { training }),
    ...(retentionDays === null ? {} : { retention: retentionDays === 0 ? 'none' : `${retentionDays}d` }),
    ...(places === null ? {} : { regions: places }),
    ...(who === null ? {} : { entities: who }),
  };
}

const limitsDocument = ({ concurrency, rpm }: Pick<ProviderSpec, 'concurrency' | 'rpm'>): Json =>
  concurrency === null && rpm === null
    ? {}
    : { limits: { ...(concurrency === null ? {} : { concurrency }), ...(rpm === null ? {} : { rpm }) } };

/** The share of a feature's requests that may be hedged. */
export const hedgeShare = 0.05;

/** The configuration as a person would write it. */
export function documentOf(spec: WorldSpec): Json {
  const providers = spec.providers.map(
    ({ api, local, terms: stated, keys, tools, context, ...rates }, index) => [
      `p${index}`,
      {
        api,
        baseUrl: `http://p${index}.test${api.startsWith('openai') ? '/v1' : ''}`,
        local,
        ...limitsDocument(rates),
        keys: Array.from({ length: keys }, () => 'env:KEY'),
        terms: termsDocument(stated),
        models: Object.fromEntries(
          models.map((name) => [
            name,
            { vendor: vendorOf[name], context, capabilities: tools ? ['tools', 'vision'] : ['vision'] },
          ]),
        ),
      },
    ],
  );
  const features = spec.features.map((each, index) => {
    const { route, fallback, dataClass: byDefault, withoutTools, priority } = each;
    const targets = route.map(targetAt);
    return [
      `f${index}`,
      {
        route: targets,
        fallback,
        priority,
        timeouts: { connect: '1s', firstToken: '2s', stall: '1s', total: '15s' },
        ...(each.hedge ? { hedge: { after: '100ms', budget: `${hedgeShare * 100}%` } } : {}),
        ...(each.carryOn ? { midStream: 'continue' } : {}),
        ...(each.warm ? { warm: '10%' } : {}),
        ...(byDefault === null ? {} : { dataClass: byDefault }),
        ...(withoutTools ? { adapt: { [targets.at(-1) ?? '']: { tools: 'none' } } } : {}),
      },
    ];
  });
  return {
    providers: Object.fromEntries(providers) as Json,
    dataClasses: Object.fromEntries(
      spec.classes.map((each, index) => [classNames[index], classDocument(each)]),
    ) as Json,
    features: Object.fromEntries(features) as Json,
    audit: { capture: { key: 'env:KEY', features: ['f0', 'f1'] } },
    limits: { attempts: spec.attempts },
    gates: [
      {
        mode: spec.gates ? 'enforce' : 'observe',
        restore: { probeEvery: '500ms', ramp: ['50%', '100%'], hold: '1s' },
      },
    ],
    ...(spec.ruleTenant === null
      ? {}
      : { dataRules: [{ match: { tenant: spec.ruleTenant }, dataClass: 'c2' }] }),
  };
}

const providerOf = (spec: WorldSpec, target: string): ProviderSpec => {
  const found = spec.providers[Number(/^p(\d+)\//.exec(target)?.[1])];
  if (found === undefined) throw new Error(`no provider of ${target}`);
  return found;
};

/** Whether a target's provider may see data of one class: the rule of the documents in plain words. */
export function mayProcess(spec: WorldSpec, target: string, className: string, now: number): boolean {
  const index = classNames.indexOf(className as (typeof classNames)[number]);
  const accepts = spec.classes[index];
  if (accepts === undefined) return false;
  const stated = providerOf(spec, target).terms;
  const isOver = stated.expires !== null && now >= Date.parse(`${stated.expires}T00:00:00Z`);
  const known = <T>(value: T | null): T | null => (isOver ? null : value);
  if (accepts.training === 'no' && known(stated.training) !== 'no') return false;
  const kept = known(stated.retentionDays);
  if (accepts.retentionDays !== null && (kept === null || kept > accepts.retentionDays)) return false;
  const places = known(stated.regions);
  if (
    accepts.regions !== null &&
    (places === null || places.some((each) => !accepts.regions?.includes(each)))
  )
    return false;
  const who = known(stated.entity);
  return accepts.entities === null || (who !== null && accepts.entities.includes(who));
}

/** Whether a class asks for something that another does not: then its data is above it. */
export function isAbove(spec: WorldSpec, className: string, highest: string): boolean {
  const [asks, most] = [className, highest].map((name) => spec.classes[classNames.indexOf(name as 'c0')]);
  if (asks === undefined || most === undefined) return true;
  const leaves = (wants: readonly string[] | null, has: readonly string[] | null): boolean =>
    wants !== null && (has === null || has.some((each) => !wants.includes(each)));
  return (
    (asks.training === 'no' && most.training !== 'no') ||
    (asks.retentionDays !== null && (most.retentionDays ?? Infinity) > asks.retentionDays) ||
    leaves(asks.regions, most.regions) ||
    leaves(asks.entities, most.entities)
  );
}

/** Whether content of a class may be kept at all; a class that nobody defined may not. */
export function mayBeKept(spec: WorldSpec, className: string): boolean {
  return spec.classes[classNames.indexOf(className as (typeof classNames)[number])]?.kept ?? false;
}

/** The hop from one target to another, again in plain words. */
export function hopOf(spec: WorldSpec, preferred: string, target: string): HopKind | null {
  if (preferred === target) return null;
  if (providerOf(spec, target).local && !providerOf(spec, preferred).local) return 'local';
  const [one, other] = [preferred, target].map((each) => each.slice(each.indexOf('/') + 1));
  if (one === other) return 'same_model';
  return vendorOf[one ?? ''] === vendorOf[other ?? ''] ? 'same_vendor' : 'other_vendor';
}

const order: Readonly<Record<Mode, number>> = { auto: 0, notify: 1, reduce: 1, ask: 2, never: 3 };

export function modeOf(spec: Pick<FeatureSpec, 'fallback'>, hop: HopKind | null, limit: Mode | null): Mode {
  if (hop === null) return 'auto';
  const mode_ = spec.fallback[hop];
  return limit !== null && order[limit] > order[mode_] ? limit : mode_;
}
