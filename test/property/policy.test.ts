/**
 * The promises of policy over random configurations, faults, switches and requests: the core that production runs
 * (compile, classify, decide, next, consent), driven as the gateway drives it, and judged by a second telling of the
 * rules in `world.ts`.
 *
 * No data class reaches a target that may not process it. `never` never falls back. `ask` never crosses without a valid
 * token or agreement. What a person switched off gets nothing. Attempts stay within their limit, and second tries of the
 * same target within the retry budget. A higher priority is never refused where a lower one would be let in.
 */
import { expect, test } from 'bun:test';

import fc from 'fast-check';

import type { ConsentScope } from '../../src/core/consent.ts';
import { classDemand } from '../../src/core/data-class.ts';
import { resolveRequested } from '../../src/core/default-route.ts';
import { failureClasses, failureOf } from '../../src/core/failure.ts';
import { next, startFailover } from '../../src/core/failover.ts';
import type { FailoverEvent } from '../../src/core/failover.ts';
import { instant, keyId, requestId, switchId, targetName } from '../../src/core/ids.ts';
import type { Instant, TargetName } from '../../src/core/ids.ts';
import { keyLimits } from '../../src/core/keys.ts';
import type { ApiKey } from '../../src/core/keys.ts';
import { compile } from '../../src/core/policy.ts';
import { deposit, fullBudget, withdraw } from '../../src/core/retry-budget.ts';
import type { RetryBudget } from '../../src/core/retry-budget.ts';
import { askerOf, decide } from '../../src/core/routing.ts';
import { plainRequest } from '../../src/core/rules.ts';
import type { Standing } from '../../src/core/rules.ts';
import { Secret } from '../../src/core/secret.ts';
import { isAbove, priorities } from '../../src/core/shedding.ts';
import type { Priority, Snapshot } from '../../src/core/snapshot.ts';
import { offBy, speaking } from '../../src/core/switches.ts';
import type { Switch } from '../../src/core/switches.ts';
import { createCapacity } from '../../src/gateway/capacity.ts';
import type { Place } from '../../src/gateway/capacity.ts';
import { createConsents } from '../../src/gateway/consent.ts';
import type { Consents, Redeemed } from '../../src/gateway/consent.ts';
import { aFeature, opusAtAnthropic } from '../core-fixture.ts';
import { classNames, documentOf, hopOf, mayProcess, modeOf, modes, models, start, world } from './world.ts';
import type { Mode, WorldSpec } from './world.ts';

const worldsMin = 2_500;
const requestsPerWorld = 42;

/** A stream of chance from one seed: a world's requests are many, and their shape needs no shrinking. */
class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  chance(share: number): boolean {
    return this.unit() < share;
  }
  of<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.unit() * list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
}

const tenants = [null, 'clinic', 'shop'] as const;
const users = [null, 'u1', 'u1', 'u2'] as const;

function aKey(chance: Chance): ApiKey | null {
  if (chance.chance(0.3)) return null;
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

function someSwitches(chance: Chance, spec: WorldSpec): readonly Switch[] {
  const count = chance.of([0, 0, 0, 1, 2]);
  return Array.from({ length: count }, (_, index): Switch => {
    const provider = `p${Math.floor(chance.unit() * spec.providers.length)}`;
    return {
      id: switchId(`sw_${index}`),
      rev: 1,
      scope: chance.of([
        { provider },
        { model: chance.of(models) },
        { provider, model: chance.of(models) },
        { provider, feature: 'f0' },
        { data_class: chance.of(classNames) },
      ]),
      effect: chance.of([{ kind: 'off' }, { kind: 'off' }, { kind: 'last_resort' }] as const),
      reason: 'test',
      failureClass: null,
      actor: 'me',
      createdAt: instant(start),
      expiresAt: null,
      atExpiry: 'stay',
      inFlight: 'finish',
      mode: chance.chance(0.8) ? 'enforce' : 'observe',
      release: null,
    };
  });
}

/** Whether a switch takes a target out for a request, in plain words. */
function isOff(
  list: readonly Switch[],
  target: string,
  feature: string,
  classes: readonly string[],
): boolean {
  const [provider, model] = [target.slice(0, target.indexOf('/')), target.slice(target.indexOf('/') + 1)];
  return list.some(
    ({ scope, effect, mode }) =>
      mode === 'enforce' &&
      effect.kind === 'off' &&
      (scope.provider === undefined || scope.provider === provider) &&
      (scope.model === undefined || scope.model === model) &&
      (scope.feature === undefined || scope.feature === feature) &&
      (scope.data_class === undefined || classes.includes(scope.data_class)),
  );
}

type Issued = {
  readonly token: string;
  readonly scope: ConsentScope;
  readonly target: TargetName;
  readonly expiresAt: number;
  used: boolean;
};
/** An agreement as the test remembers it. */
type Granted = {
  readonly scope: ConsentScope;
  readonly preferred: string;
  readonly target: string;
  readonly until: number;
};

/** What was met, so that the property cannot hold by nothing happening. */
type Counts = {
  attempts: number;
  crossings: number;
  asked: number;
  tokensTaken: number;
  tokensRefused: number;
  agreementsUsed: number;
  refused: number;
  retries: number;
  firsts: number;
};
const noCounts = (): Counts => ({
  attempts: 0,
  crossings: 0,
  asked: 0,
  tokensTaken: 0,
  tokensRefused: 0,
  agreementsUsed: 0,
  refused: 0,
  retries: 0,
  firsts: 0,
});

type Life = {
  readonly spec: WorldSpec;
  readonly snapshot: Snapshot;
  readonly chance: Chance;
  readonly consents: Consents;
  readonly issued: Issued[];
  readonly granted: Granted[];
  readonly budgets: Map<string, RetryBudget>;
  readonly counts: Counts;
  now: number;
};

const offerMs = 15_000;

/** Nearly used up: a full one would last longer than a world. */
const scantBudget = (now: Instant): RetryBudget => ({ ...fullBudget(now), tokens: 1 });

function standingFor(chance: Chance): (target: { readonly name: string }) => Standing {
  const known = new Map<string, Standing>();
  return ({ name }) => {
    let standing = known.get(name);
    if (standing === undefined) {
      standing = chance.chance(0.6)
        ? { kind: 'open' }
        : {
            kind: 'out',
            reason: chance.of(['ejected', 'ramping', 'rate_limited', 'at_capacity'] as const),
            words: 'out',
            until: null,
            badness: chance.unit(),
          };
      known.set(name, standing);
    }
    return standing;
  };
}

/** A token for this request: none, one of its own, one of somebody else's, or none at all. */
function tokenFor(life: Life, scope: ConsentScope): string | null {
  const { chance, issued } = life;
  const kind = chance.unit();
  if (kind < 0.5 || issued.length === 0) return kind < 0.01 ? 'cns_forged.token' : null;
  if (kind < 0.9) {
    const good = issued.filter(
      (each) => sameScope(each.scope, scope) && !each.used && life.now < each.expiresAt,
    );
    return good.length === 0 ? null : chance.of(good).token;
  }
  const { token } = chance.of(issued);
  if (kind < 0.95) return token;
  return `${token.slice(0, -3)}${token.endsWith('xxx') ? 'yyy' : 'xxx'}`;
}

const sameScope = (one: ConsentScope, other: ConsentScope): boolean =>
  one.key === other.key && one.feature === other.feature && one.user === other.user;

/** Whether the test's own books know an agreement to this target. */
function isAgreed(life: Life, scope: ConsentScope, preferred: string, target: string): boolean {
  return life.granted.some(
    (grant) =>
      sameScope(grant.scope, scope) &&
      grant.scope.session === scope.session &&
      grant.preferred === preferred &&
      grant.target === target &&
      life.now < grant.until,
  );
}

function oneRequest(life: Life): void {
  const { spec, snapshot, chance, consents } = life;
  life.now += Math.floor(chance.unit() * 1_500);
  const featureIndex = chance.of([0, 0, 0, 1]);
  const featureSpec = spec.features[featureIndex];
  const feature = snapshot.features.get(`f${featureIndex}`);
  if (featureSpec === undefined || feature === undefined) return;
  const pick = chance.chance(0.1) ? chance.of(feature.route).name : feature.name;
  const resolved = resolveRequested(snapshot, pick, feature.name);
  if (resolved.kind !== 'resolved') return;
  const key = aKey(chance);
  const header = chance.chance(0.5) ? null : chance.of([...classNames, 'nowhere']);
  const limit: Mode | null = chance.chance(0.7) ? null : chance.of(modes.filter((each) => each !== 'reduce'));
  const user = chance.of(users);
  const scope = { key: key?.id ?? null, feature: feature.name, user, session: chance.of([null, 's1', 's1']) };
  const demand = classDemand(snapshot, feature, header, {
    tenant: key?.tenant ?? null,
    keyNames: key === null ? [] : [key.id, key.name],
  });
  // What is in force, said plainly: everything that names a class.
  const classes = [
    header,
    featureSpec.dataClass,
    spec.ruleTenant !== null && key?.tenant === spec.ruleTenant ? 'c2' : null,
  ].filter((each) => each !== null);

  const token = tokenFor(life, scope);
  const span = chance.chance(0.5)
    ? ({ kind: 'session', minutes: 1 } as const)
    : ({ kind: 'request' } as const);
  const until = instant(life.now + 1_000);
  const redeemed: Redeemed | string | null =
    token === null ? null : consents.redeem({ token, span }, scope, resolved.route, until);
  const book = life.issued.find((each) => each.token === token);
  const preferred = resolved.preferred.name;
  if (redeemed !== null && typeof redeemed !== 'string') {
    const isValid =
      book !== undefined && !book.used && life.now < book.expiresAt && sameScope(book.scope, scope);
    expect([isValid, redeemed.target]).toEqual([true, book?.target as TargetName]);
  }
  if (typeof redeemed === 'string') {
    life.counts.tokensRefused++;
    return;
  }
  const standing = token === null ? consents.agreed(scope, resolved.route) : [];
  const request = plainRequest(feature, {
    route: resolved.route,
    needs: chance.chance(0.3) ? new Set(['tools']) : new Set(),
    inputTokensEstimate: chance.of([100, 100, 9_000, 50_000]),
    demand,
    ...keyLimits(key, snapshot),
    fallbackLimit: limit,
    consentedTarget: redeemed?.target ?? null,
    agreed: new Set(standing.map(({ target }) => target)),
  });
  let switches = someSwitches(chance, spec);
  const decision = decide(request, {
    switches,
    standing: standingFor(chance),
    now: instant(life.now),
    random: chance.unit(),
  });
  const offer = (): void => {
    for (const { target } of decision.offers) {
      life.issued.push({
        token: consents.offer(scope, resolved.route[0], target, requestId('req_1')),
        scope,
        target: target.name,
        expiresAt: life.now + offerMs,
        used: false,
      });
      life.counts.asked++;
    }
  };
  if (decision.kind === 'ask') offer();
  if (decision.kind !== 'route') {
    redeemed?.release();
    life.counts.refused++;
    return;
  }

  const judge = (target: TargetName): void => {
    const hop = hopOf(spec, preferred, target);
    const mode = modeOf(featureSpec, hop, limit);
    const hasToken = redeemed?.target === target;
    const facts = { target, preferred, hop, mode, classes };
    const says = {
      ...facts,
      dataAllowed: classes.every((each) => mayProcess(spec, target, each, life.now)),
      neverKept: mode !== 'never',
      asked: mode !== 'ask' || hasToken || isAgreed(life, scope, preferred, target),
      onlyWhereAgreed: redeemed === null || hasToken,
      on: !isOff(switches, target, feature.name, (demand.name ?? '').split('+')),
      keyMay: key?.features?.has(feature.name) ?? true,
    };
    expect(says).toEqual({
      ...facts,
      dataAllowed: true,
      neverKept: true,
      asked: true,
      onlyWhereAgreed: true,
      on: true,
      keyMay: true,
    });
    life.counts.attempts++;
    if (hasToken) life.counts.tokensTaken++;
    else if (mode === 'ask') life.counts.agreementsUsed++;
    if (hop !== null) life.counts.crossings++;
  };

  let attempts = 0;
  const { attemptsMax } = snapshot.limits;
  let { state, command } = next(
    startFailover(decision.plan, instant(life.now + 120_000), snapshot.limits),
    { kind: 'begin' },
    instant(life.now),
    chance.unit(),
  );
  let answered = false;
  while (command.kind !== 'finish') {
    if (command.kind === 'wait') {
      const granted = chance.chance(0.5) ? chance.of(command.targets) : null;
      ({ state, command } = next(
        state,
        { kind: 'waited', target: granted },
        instant(life.now),
        chance.unit(),
      ));
      continue;
    }
    const { target, why } = command;
    life.now += command.waitMs;
    if (chance.chance(0.1)) switches = someSwitches(chance, spec);
    const budget = life.budgets.get(target.name) ?? scantBudget(instant(life.now));
    const off = offBy(speaking(switches, target, askerOf(request), instant(life.now)));
    let event: FailoverEvent;
    if (off !== null) event = { kind: 'skipped' };
    else if (chance.chance(0.05)) event = { kind: 'full' };
    else {
      judge(target.name);
      attempts++;
      if (why === 'same_target_retry' || why === 'same_target_waited') {
        const rest = withdraw(budget, instant(life.now));
        expect(rest).not.toBeNull();
        life.budgets.set(target.name, rest ?? budget);
        life.counts.retries++;
      } else {
        life.budgets.set(target.name, deposit(budget, instant(life.now)));
        life.counts.firsts++;
      }
      if (chance.chance(0.45)) {
        answered = true;
        break;
      }
      const failure = failureOf(chance.of(failureClasses));
      const hinted = chance.chance(0.5)
        ? { ...failure, retryAfterMs: chance.of([100, 2_000, 60_000]) }
        : failure;
      const left = life.budgets.get(target.name) ?? budget;
      event = {
        kind: 'failed',
        failure: hinted,
        otherKey: chance.chance(0.5),
        budget: withdraw(left, instant(life.now)) !== null,
      };
    }
    ({ state, command } = next(state, event, instant(life.now), chance.unit()));
  }
  expect(attempts).toBeLessThanOrEqual(attemptsMax);
  if (!answered) {
    redeemed?.release();
    if (decision.offers.length > 0) offer();
    return;
  }
  if (redeemed === null || book === undefined) return;
  redeemed.use();
  book.used = true;
  if (span.kind === 'session' && scope.session !== null)
    life.granted.push({ scope, preferred, target: redeemed.target, until: life.now + 60_000 });
}

/** A feature whose own class nobody may process does not load, and rightly: then its requests say their class. */
function usable(drawn: WorldSpec): { readonly spec: WorldSpec; readonly snapshot: Snapshot } {
  const unclassed = { ...drawn, features: drawn.features.map((each) => ({ ...each, dataClass: null })) };
  for (const spec of [drawn, unclassed]) {
    const compiled = compile(documentOf(spec), { hash: 'test', secrets: () => new Secret('k') });
    if (compiled.ok) return { spec, snapshot: compiled.snapshot };
    const [first] = compiled.problems;
    if (!first.message.includes('no target of the route may process')) throw new Error(first.message);
  }
  throw new Error('the configuration does not load');
}

test('whatever is configured, asked, switched and broken, the promises of policy hold', () => {
  const totals = noCounts();
  let cases = 0;
  fc.assert(
    fc.property(world, fc.nat(), (drawn, seed) => {
      const { spec, snapshot } = usable(drawn);
      let consents: Consents | null = null;
      const life: Life = {
        spec,
        snapshot,
        chance: new Chance(seed),
        get consents() {
          consents ??= createConsents({
            now: () => instant(life.now),
            offerMs: () => offerMs,
            key: 'key',
            kept: [],
            keep: () => {},
          });
          return consents;
        },
        issued: [],
        granted: [],
        budgets: new Map(),
        counts: noCounts(),
        now: start + 12 * 3_600_000,
      };
      const begun = life.now;
      for (let request = 0; request < requestsPerWorld; request++) oneRequest(life);
      cases += requestsPerWorld;
      const { retries, firsts } = life.counts;
      const targets = life.budgets.size;
      const seconds = (life.now - begun) / 1_000;
      expect(retries).toBeLessThanOrEqual(firsts * 0.1 + targets * (1 + seconds));
      for (const name of Object.keys(totals) as (keyof Counts)[]) totals[name] += life.counts[name];
    }),
    { numRuns: worldsMin, seed: 7 },
  );
  expect(cases).toBeGreaterThanOrEqual(100_000);
  // The property says nothing where nothing happens: all of this must have been met often.
  for (const [name, count] of Object.entries(totals))
    expect({ name, isOften: count > (name === 'agreementsUsed' ? 20 : 500) }).toEqual({
      name,
      isOften: true,
    });
}, 300_000);

const load = fc.array(
  fc.record({
    priority: fc.constantFrom(...priorities),
    tenant: fc.constantFrom(null, 'a', 'b'),
    inputTokens: fc.constantFrom(10, 500),
    /** A new request, an answer that ends, time that passes, or a sign of overload. */
    event: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'later', 'overloaded'),
  }),
  { maxLength: 60 },
);

test('a higher priority is never refused where a lower one would be let in', () => {
  fc.assert(
    fc.property(
      load,
      fc.integer({ min: 1, max: 12 }),
      fc.option(fc.integer({ min: 2, max: 60 })),
      (events, most, rpm) => {
        let now = start;
        const provider = {
          ...opusAtAnthropic.provider,
          concurrencyMax: most,
          requestsPerMinute: rpm,
          tokensPerMinute: null,
        };
        const target = { ...opusAtAnthropic, name: targetName('p', 'm'), provider };
        const features = new Map(
          priorities.map((priority) => [priority, aFeature([target], { name: priority, priority })]),
        );
        const capacity = createCapacity({
          now: () => instant(now),
          random: () => 0.5,
          features: () => features,
          onWaiting: () => {},
        });
        const places: Place[] = [];
        for (const { event, ...claim } of events) {
          if (event === 'later') now += 900;
          if (event === 'leave') {
            const place = places.shift();
            if (place !== undefined) capacity.leave(place);
          }
          const [first] = places;
          if (event === 'overloaded' && first !== undefined) capacity.seen(first, 'overloaded');
          if (event !== 'enter') continue;
          const entered = capacity.enter(target, claim);
          if (!('kind' in entered)) {
            places.push(entered);
            continue;
          }
          for (const lower of priorities.filter((each: Priority) => isAbove(claim.priority, each)))
            expect('kind' in capacity.enter(target, { ...claim, priority: lower })).toBe(true);
        }
      },
    ),
    { numRuns: 3_000, seed: 7 },
  );
}, 120_000);
