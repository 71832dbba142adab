/** Who asks for what in one world, with which key, class, limit and token: one's own, somebody else's or a forged one. */
import type { ConsentScope } from '../../src/core/consent.ts';
import { keyId } from '../../src/core/ids.ts';
import type { TargetName } from '../../src/core/ids.ts';
import type { ApiKey } from '../../src/core/keys.ts';
import { resolveRequested } from '../../src/core/default-route.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Shape } from './asking.ts';
import type { Chance } from './chance.ts';
import { sameScope } from './judge.ts';
import type { Asked, Judge } from './judge.ts';
import { classNames, modes } from './world.ts';
import type { Mode, WorldSpec } from './world.ts';

const tenants = [null, 'clinic', 'shop'] as const;
const users = [null, 'u1', 'u1', 'u1', 'u1', 'u2'] as const;

/** A request before it is written down in the format of a vendor. */
export type Wish = {
  readonly asked: Asked;
  readonly model: string;
  readonly key: ApiKey | null;
  /** The data class that the caller names. */
  readonly header: string | null;
  readonly token: string | null;
};

type CallersOptions = {
  readonly spec: WorldSpec;
  readonly snapshot: Snapshot;
  readonly chance: Chance;
  readonly targets: readonly TargetName[];
  readonly judge: Judge;
  readonly now: () => number;
};

export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /** The request of that number: who asks what of which model, in which words of the protocol. */
  next(n: number): Wish {
    const { chance, snapshot, spec: world, targets, judge, now } = this.#options;
    const index = chance.of([0, 0, 0, 1, 2]);
    const spec = world.features[index] ?? null;
    const name = spec === null ? 'default' : `f${index}`;
    const feature = snapshot.features.get(name);
    const picked = feature === undefined ? chance.of(targets) : chance.of(feature.route).name;
    const model = feature === undefined || chance.chance(0.1) ? picked : name;
    const resolved = resolveRequested(snapshot, model, spec === null ? null : name);
    const key = someKey(chance);
    const header = chance.chance(0.7) ? null : chance.of([...classNames, ...classNames, 'nowhere']);
    const limit: Mode | null = chance.chance(0.7)
      ? null
      : chance.of(modes.filter((each) => each !== 'reduce'));
    const scope: ConsentScope = {
      key: key?.id ?? null,
      feature: name,
      user: chance.of(users),
      session: chance.of([null, 's1', 's1', 's2']),
    };
    const token = this.#tokenFor(scope);
    const shape = this.#shape();
    const asked: Asked = {
      n,
      shape,
      feature: spec,
      scope,
      preferred: resolved.kind === 'resolved' ? resolved.preferred.name : '',
      limit,
      tenant: key?.tenant ?? null,
      classes: [
        header,
        spec?.dataClass ?? null,
        world.ruleTenant !== null && key?.tenant === world.ruleTenant ? 'c2' : null,
      ].filter((each) => each !== null),
      keyMay: key?.features?.has(name) ?? true,
      highest: key?.dataClassMax ?? null,
      token: token.offer,
      arrivedAt: now(),
      heard: false,
    };
    judge.asked.set(n, asked);
    return { asked, model, key, header, token: token.text };
  }

  /** A token for this request: none, one of its own, one of somebody else's, or one that was never made. */
  #tokenFor(scope: ConsentScope): { readonly text: string | null; readonly offer: Asked['token'] } {
    const { chance, judge, now } = this.#options;
    const { offers } = judge;
    const kind = chance.unit();
    const spans = [
      '',
      ...(scope.session === null && chance.chance(0.9) ? [] : ['; scope=session; minutes=1']),
      ...(scope.user === null && chance.chance(0.9) ? [] : ['; scope=incident']),
    ];
    const span = chance.of(spans);
    if (kind < 0.4 || offers.length === 0)
      return kind < 0.02
        ? { text: `cns_${'x'.repeat(40)}.${'y'.repeat(43)}`, offer: 'worthless' }
        : { text: null, offer: 'none' };
    if (kind < 0.9) {
      const good = offers.filter(
        (each) => sameScope(each.scope, scope) && !each.used && now() < each.expiresAt,
      );
      if (good.length === 0) return { text: null, offer: 'none' };
      const offer = chance.of(good);
      return { text: `${offer.token}${span}`, offer };
    }
    const offer = chance.of(offers);
    if (kind < 0.95) return { text: `${offer.token}${span}`, offer };
    return {
      text: `${offer.token.slice(0, -3)}${offer.token.endsWith('xxx') ? 'yyy' : 'xxx'}`,
      offer: 'worthless',
    };
  }

  #shape(): Shape {
    const { chance } = this.#options;
    const kind = chance.unit();
    if (kind < 0.05)
      return {
        dialect: 'openai-chat',
        operation: 'embeddings',
        stream: false,
        tools: false,
        picture: false,
        long: false,
      };
    const dialect = chance.of(['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const);
    const operation = kind < 0.12 && dialect !== 'openai-chat' ? 'count_tokens' : 'answer';
    return {
      dialect,
      operation,
      stream: operation === 'answer' && chance.chance(0.7),
      tools: chance.chance(0.2),
      picture: chance.chance(0.2),
      long: chance.chance(0.03),
    };
  }
}

function someKey(chance: Chance): ApiKey | null {
  if (chance.chance(0.6)) return null;
  const id = chance.of(['key_1', 'key_1', 'key_2']);
  return {
    id: keyId(id),
    name: id,
    hash: id,
    features: chance.chance(0.2) ? new Set(['f0']) : null,
    tenant: chance.of(tenants),
    dataClassMax: chance.chance(0.2) ? chance.of(classNames) : null,
    rpm: null,
    budget: null,
    createdAt: 0,
    revokedAt: null,
  };
}
