/**
 * One world lived through: the gateway that production runs (its handling, failover, hedging, carrying on, probes, health,
 * capacity and consent), in virtual time, with a stand-in for the network alone. Many callers at once ask all kinds of
 * things while targets fail and recover, switches come and go, incidents open and end, and terms expire.
 */
import { streamedEntry, otlpBody, webhookBody } from '../../src/core/audit-stream.ts';
import { isCaptured } from '../../src/core/capture.ts';
import type { ConsentScope } from '../../src/core/consent.ts';
import { instant, keyId, requestId, switchId, targetName } from '../../src/core/ids.ts';
import type { TargetName } from '../../src/core/ids.ts';
import type { ApiKey } from '../../src/core/keys.ts';
import { resolveRequested } from '../../src/core/default-route.ts';
import { recordToJson } from '../../src/core/record-json.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import { isAbove, priorities } from '../../src/core/shedding.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Switch } from '../../src/core/switches.ts';
import type { Target } from '../../src/core/target.ts';
import { codecForCall } from '../../src/dialects/registry.ts';
import { createFlights } from '../../src/gateway/flights.ts';
import type { Capacity, Claim, Full, Place } from '../../src/gateway/capacity.ts';
import { createConsents } from '../../src/gateway/consent.ts';
import type { Consents } from '../../src/gateway/consent.ts';
import { handle } from '../../src/gateway/handle.ts';
import type { GatewayDependencies } from '../../src/gateway/handle.ts';
import { createHealthBoard } from '../../src/gateway/health-board.ts';
import { createHedgeBudgets } from '../../src/gateway/hedge.ts';
import { Prober } from '../../src/gateway/prober.ts';
import { createSpending } from '../../src/gateway/spending.ts';
import type { GatewayState } from '../../src/gateway/state.ts';
import { capacityOf } from '../../src/wiring/capacity.ts';
import { requestOf } from './asking.ts';
import type { Shape } from './asking.ts';
import type { Chance } from './chance.ts';
import { isRetry, Judge, sameScope } from './judge.ts';
import type { Asked, Counts, Offer } from './judge.ts';
import { answerWords, Providers } from './providers.ts';
import { VirtualTime } from './virtual-time.ts';
import { classNames, hedgeShare, modes, models, start } from './world.ts';
import type { Mode, WorldSpec } from './world.ts';

const offerMs = 3_000;
const beatMs = 250;
/** Long enough for every answer to have ended. */
const lifeMsMax = 600_000;
const begin = start + 24 * 3_600_000 - 5_000;

const tenants = [null, 'clinic', 'shop'] as const;
const users = [null, 'u1', 'u1', 'u1', 'u1', 'u2'] as const;
const words = /words-of-\d+-end/;

/** A place is asked for through these eyes: nobody below may be let in where somebody above is turned away. */
class WatchedCapacity implements Capacity {
  readonly #real: Capacity;
  readonly #judge: Judge;
  readonly #waiting = new Set<{ readonly targets: readonly Target[]; readonly claim: Claim }>();

  constructor(real: Capacity, judge: Judge) {
    this.#real = real;
    this.#judge = judge;
  }

  #turnedAway(target: Target, claim: Claim): void {
    for (const priority of priorities.filter((each) => isAbove(claim.priority, each))) {
      const lower = this.#real.enter(target, { ...claim, priority });
      if ('kind' in lower) continue;
      this.#real.leave(lower);
      this.#judge.blame('no higher priority is refused where a lower one is let in', {
        target: target.name,
        claim,
      });
    }
  }

  #letIn({ target, claim }: Place): void {
    for (const waiter of this.#waiting)
      if (waiter.targets.includes(target) && isAbove(waiter.claim.priority, claim.priority))
        this.#judge.blame('nobody is let in before a higher priority that waits', {
          target: target.name,
          claim,
        });
  }

  enter(target: Target, claim: Claim): Place | Full {
    const entered = this.#real.enter(target, claim);
    if ('kind' in entered) this.#turnedAway(target, claim);
    else this.#letIn(entered);
    return entered;
  }

  wait(...[targets, claim, deadline, settled]: Parameters<Capacity['wait']>): () => void {
    const waiter = { targets, claim };
    this.#waiting.add(waiter);
    const giveUp = this.#real.wait(targets, claim, deadline, (place) => {
      this.#waiting.delete(waiter);
      if (place !== null) this.#letIn(place);
      else for (const target of targets) this.#turnedAway(target, claim);
      settled(place);
    });
    return () => {
      this.#waiting.delete(waiter);
      giveUp();
    };
  }

  seen: Capacity['seen'] = (place, sign) => this.#real.seen(place, sign);
  leave: Capacity['leave'] = (place) => this.#real.leave(place);
  retryAfterMs: Capacity['retryAfterMs'] = (targets) => this.#real.retryAfterMs(targets);
  used: Capacity['used'] = (target) => this.#real.used(target);
  view: Capacity['view'] = (target) => this.#real.view(target);
  tick(): void {
    this.#real.tick();
  }
  get waiting(): number {
    return this.#real.waiting;
  }
}

export class Life {
  readonly judge: Judge;
  readonly #spec: WorldSpec;
  readonly #chance: Chance;
  readonly #counts: Counts;
  readonly #time: VirtualTime;
  readonly #providers: Providers;
  readonly #state: GatewayState;
  readonly #dependencies: GatewayDependencies;
  readonly #prober: Prober;
  readonly #keys = new Map<string, ApiKey>();
  readonly #records: RequestRecord[] = [];
  /** Every provider × model that the document names. */
  readonly #targets: readonly TargetName[];
  #asking = 0;

  constructor(spec: WorldSpec, snapshot: Snapshot, chance: Chance, counts: Counts) {
    this.#spec = spec;
    this.#chance = chance;
    this.#counts = counts;
    this.#targets = spec.providers.flatMap((_, index) =>
      models.map((model) => targetName(`p${index}`, model)),
    );
    this.#time = new VirtualTime(begin, () => chance.unit());
    const time = this.#time;
    this.#state = { snapshot, switches: [], keys: { byHash: new Map(), everCreated: false }, incidents: [] };
    this.judge = new Judge({
      spec,
      now: () => time.now,
      switches: () => this.#state.switches,
      counts,
      attemptsMax: snapshot.limits.attemptsMax,
    });
    this.#providers = new Providers(time, chance, (call) => this.judge.call(call));
    this.#dependencies = this.#assembled();
    this.#prober = new Prober({
      shared: this.#dependencies,
      state: this.#state,
      onProbe: () => {},
      onBug: (error) => this.judge.blame('nothing is thrown', String(error)),
    });
  }

  #assembled(): GatewayDependencies {
    const { clock, watchdog } = this.#time;
    const state = this.#state;
    const onBug = (error: unknown): void => this.judge.blame('nothing is thrown', String(error));
    return {
      clock,
      watchdog,
      board: createHealthBoard({
        ...clock,
        gates: () => state.snapshot.gates,
        keysKnown: () => 2,
        stallMs: () => state.snapshot.defaults.timeouts.stallMs,
        onTransition: () => {},
        onSoft: () => {},
        onWarning: () => {},
        onNews: () => {},
        onDisbelieved: () => {},
      }),
      capacity: new WatchedCapacity(capacityOf(state, clock, watchdog), this.judge),
      hedges: createHedgeBudgets(clock.now),
      flights: createFlights(),
      reachability: { check: () => Promise.resolve(true), heardFrom: () => {} },
      fetchMedia: (url) => this.#picture(url),
      incidents: () => state.incidents,
      state,
      consents: this.#watchedConsents(),
      spending: createSpending([]),
      newRequestId: () => requestId(`req_${this.#asking - 1}`),
      record: (record) => {
        this.#records.push(record);
        this.judge.record(record, numberOf(record.id));
        return null;
      },
      canRecord: () => true,
      // What keeps content asks this first (`sync/push-content.ts`).
      capture: ({ id, feature, demand }) => {
        const settings = state.snapshot.audit.capture;
        if (settings !== null && isCaptured(settings, feature.name, demand))
          this.judge.captured(numberOf(id));
        return null;
      },
      fingerprint: () => ({ update: () => {}, digest: () => '0' }),
      keyFor: ({ headers }) => this.#keys.get(headers.get('x-api-key') ?? '') ?? null,
      mayStart: () => ({ kind: 'yes' }),
      onBug,
    };
  }

  #watchedConsents(): Consents {
    const { judge } = this;
    const real = createConsents({
      now: this.#time.clock.now,
      offerMs: () => offerMs,
      key: 'key',
      kept: [],
      keep: () => {},
    });
    return {
      ...real,
      offer: (...args) => real.offer(...args),
      agreed: (...args) => real.agreed(...args),
      ended: (...args) => real.ended(...args),
      incidents: (open) => real.incidents(open),
      redeem: (wish, scope, route, until) => {
        const redeemed = real.redeem(wish, scope, route, until);
        if (typeof redeemed === 'string') {
          this.#counts.tokensRefused++;
          return redeemed;
        }
        judge.redeemed(wish.token, scope, redeemed.target);
        return {
          ...redeemed,
          use: () => {
            redeemed.use();
            judge.used(wish.token, scope, wish.span, route[0].name);
          },
          release: () => {
            redeemed.release();
            judge.released(wish.token);
          },
        };
      },
    };
  }

  #picture(url: string): ReturnType<GatewayDependencies['fetchMedia']> {
    this.judge.picture(Number(/words-of-(\d+)-end/.exec(url)?.[1]));
    const isThere = this.#chance.chance(0.8);
    const { promise, resolve } =
      Promise.withResolvers<Awaited<ReturnType<GatewayDependencies['fetchMedia']>>>();
    this.#time.after(this.#chance.of([1, 300]), () =>
      resolve(isThere ? { kind: 'data', mediaType: 'image/png', base64: 'AAAA' } : null),
    );
    return promise;
  }

  /** Lives until `requests` requests have been asked and every answer has ended. */
  async live(requests: number): Promise<void> {
    const before = globalThis.fetch;
    globalThis.fetch = this.#providers.fetch as typeof fetch;
    try {
      let left = requests;
      const spacingMs = this.#chance.of([200, 200, 200, 30]);
      const arrive = (): void => {
        this.#ask();
        if (--left > 0) this.#time.after(Math.floor(this.#chance.unit() * spacingMs), arrive);
      };
      this.#time.after(0, arrive);
      this.#time.after(beatMs, () => this.#beat());
      this.#time.after(1_000, () => this.#turnOfEvents());
      await this.#time.run(() => left === 0 && this.#asking === this.#ended.size, lifeMsMax);
      this.#isOver = true;
      await this.#time.run(() => false, lifeMsMax);
      for (const [n, asked] of this.judge.asked)
        if (!this.#ended.has(n))
          this.judge.blame('every request comes to an end', { asked, calls: this.judge.callsOf(n) });
    } finally {
      globalThis.fetch = before;
    }
    this.#afterwards();
  }

  readonly #ended = new Set<number>();
  #isOver = false;

  #beat(): void {
    if (this.#isOver) return;
    void this.#prober.look();
    this.#dependencies.board.tick();
    this.#time.after(beatMs, () => this.#beat());
  }

  /** Switches come and go, incidents open and end, while requests are under way. */
  #turnOfEvents(): void {
    if (this.#isOver) return;
    const chance = this.#chance;
    if (chance.chance(0.6)) {
      this.#state.switches = someSwitches(chance, this.#spec);
      this.#dependencies.flights.sweep(this.#state.switches, this.#time.clock.now());
    }
    if (chance.chance(0.5)) {
      const open = new Set(this.#targets.filter(() => chance.chance(0.4)));
      this.#dependencies.consents.incidents(open);
      this.judge.incidents(open as ReadonlySet<string>);
    }
    this.#time.after(200 + Math.floor(chance.unit() * 3_000), () => this.#turnOfEvents());
  }

  /** What can only be said at the end: no words of anybody in what is kept or streamed, and extra calls within budgets. */
  #afterwards(): void {
    const entries = this.#records.map((record, index) =>
      streamedEntry({ index, hash: 'h', text: JSON.stringify({ ...recordToJson(record), salt: 's' }) }),
    );
    const batch = { from: 0, next: entries.length, entries };
    const at = this.#time.clock.now();
    for (const text of [JSON.stringify(entries), webhookBody(batch, at), otlpBody(batch, at)])
      if (words.test(text) || text.includes(answerWords))
        this.judge.blame('records and streams hold nobody’s words', text);
    const seconds = (this.#time.now - begin) / 1_000;
    this.#retriesWithin(seconds);
    this.#hedgesWithin();
  }

  #retriesWithin(seconds: number): void {
    const firsts = new Map<string, number>();
    const retries = new Map<string, number>();
    for (const { attempts } of this.#records)
      for (const [index, { target }] of attempts.entries()) {
        const counted = isRetry(attempts[index - 1]?.whyNext ?? null) ? retries : firsts;
        counted.set(target, (counted.get(target) ?? 0) + 1);
      }
    for (const [target, count] of retries)
      if (count > 10 + seconds + 0.1 * (firsts.get(target) ?? 0))
        this.judge.blame('second tries stay within the budget', {
          target,
          count,
          firsts: firsts.get(target),
          seconds,
        });
  }

  #hedgesWithin(): void {
    for (const [index, { hedge }] of this.#spec.features.entries()) {
      if (!hedge) continue;
      const asked = [...this.judge.asked.values()].filter(({ scope }) => scope.feature === `f${index}`);
      const hedges = asked.filter(({ n }) => {
        const calls = this.judge.callsOf(n);
        return calls.some((call, at) =>
          calls.slice(0, at).some(({ endedAt }) => endedAt === null || endedAt > call.at),
        );
      }).length;
      if (hedges > 2 + hedgeShare * asked.length)
        this.judge.blame('hedges stay within their budget', { feature: index, hedges, asked: asked.length });
    }
  }

  #shape(): Shape {
    const chance = this.#chance;
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

  #ask(): void {
    const chance = this.#chance;
    const n = this.#asking++;
    const { snapshot } = this.#state;
    const index = chance.of([0, 0, 0, 1, 2]);
    const spec = this.#spec.features[index] ?? null;
    const name = spec === null ? 'default' : `f${index}`;
    const feature = snapshot.features.get(name);
    const picked = feature === undefined ? chance.of(this.#targets) : chance.of(feature.route).name;
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
        this.#spec.ruleTenant !== null && key?.tenant === this.#spec.ruleTenant ? 'c2' : null,
      ].filter((each) => each !== null),
      keyMay: key?.features?.has(name) ?? true,
      highest: key?.dataClassMax ?? null,
      token: token.offer,
      arrivedAt: this.#time.now,
      heard: false,
    };
    this.judge.asked.set(n, asked);
    this.#send(asked, model, { key, header, token: token.text });
  }

  /** A token for this request: none, one of its own, one of somebody else's, or one that was never made. */
  #tokenFor(scope: ConsentScope): { readonly text: string | null; readonly offer: Asked['token'] } {
    const chance = this.#chance;
    const { offers } = this.judge;
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
        (each) => sameScope(each.scope, scope) && !each.used && this.#time.now < each.expiresAt,
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

  #send(
    asked: Asked,
    model: string,
    {
      key,
      header,
      token,
    }: { readonly key: ApiKey | null; readonly header: string | null; readonly token: string | null },
  ): void {
    const { scope, shape, n } = asked;
    if (key !== null) this.#keys.set(`key-${n}`, key);
    const wanted: readonly (readonly [string, string | null])[] = [
      ['x-breakwater-feature', asked.feature === null ? null : scope.feature],
      ['x-breakwater-user', scope.user],
      ['x-breakwater-session', scope.session],
      ['x-breakwater-data-class', header],
      ['x-breakwater-fallback', asked.limit],
      ['x-breakwater-consent', token],
      ['x-api-key', key === null ? null : `key-${n}`],
      ['x-breakwater-notice', this.#chance.chance(0.3) ? 'inband' : null],
    ];
    const headers = Object.fromEntries(wanted.filter((pair): pair is [string, string] => pair[1] !== null));
    const leaving = new AbortController();
    const { request, address } = requestOf(n, shape, model, headers, leaving.signal);
    const codec = codecForCall(shape.dialect, shape.operation);
    const answered = handle(request, codec, this.#dependencies, address).then((response) =>
      this.#read(asked, response, leaving.signal),
    );
    void answered
      .catch((error: unknown) => this.judge.blame('nothing is thrown', String(error)))
      .then(() => this.#ended.add(n));
    if (this.#chance.chance(0.05))
      this.#time.after(Math.floor(this.#chance.unit() * 1_500), () => leaving.abort());
  }

  async #read(asked: Asked, response: Response, leaving: AbortSignal): Promise<void> {
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    let text = '';
    leaving.addEventListener('abort', () => void reader?.cancel().catch(() => {}));
    for (;;) {
      const piece = await (reader?.read() ?? Promise.resolve({ done: true as const, value: undefined }));
      if (piece.done) break;
      text += decoder.decode(piece.value, { stream: true });
      if (text.includes('Here is')) asked.heard = true;
    }
    if (response.status === 428) this.#offered(asked, text);
  }

  #offered({ scope }: Asked, text: string): void {
    for (const [token] of text.matchAll(/cns_[\w-]+\.[\w-]+/g)) {
      if (this.judge.offers.some((each) => each.token === token)) continue;
      const [target] = (
        JSON.parse(Buffer.from(token.slice(4).split('.')[0] ?? '', 'base64url').toString()) as string[]
      ).slice(1, 2);
      const offer: Offer = {
        token,
        scope,
        target: target ?? '',
        expiresAt: this.#time.now + offerMs,
        holder: null,
        used: false,
      };
      this.judge.offers.push(offer);
      this.#counts.offers++;
    }
  }
}

const numberOf = (id: string): number => Number(/\d+/.exec(id)?.[0]);

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
      effect: chance.of([
        { kind: 'off' },
        { kind: 'off' },
        { kind: 'last_resort' },
        { kind: 'shed', percent: 50 },
      ] as const),
      reason: 'test',
      failureClass: null,
      actor: 'me',
      createdAt: instant(start),
      expiresAt: null,
      atExpiry: 'stay',
      inFlight: chance.of(['finish', 'cancel_uncommitted', 'cancel'] as const),
      mode: chance.chance(0.8) ? 'enforce' : 'observe',
      release: null,
    };
  });
}
