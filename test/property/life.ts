/**
 * One world lived through: the gateway that production runs (its handling, failover, hedging, carrying on, probes, health,
 * capacity and consent), in virtual time, with a stand-in for the network alone. Many callers at once ask all kinds of
 * things while targets fail and recover, switches come and go, incidents open and end, and terms expire.
 */
import { isCaptured } from '../../src/core/capture.ts';
import { instant, requestId, switchId, targetName } from '../../src/core/ids.ts';
import type { TargetName } from '../../src/core/ids.ts';
import type { ApiKey } from '../../src/core/keys.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Switch } from '../../src/core/switches.ts';
import { codecForCall } from '../../src/dialects/registry.ts';
import { createFlights } from '../../src/gateway/flights.ts';
import { handle } from '../../src/gateway/handle.ts';
import type { GatewayDependencies } from '../../src/gateway/handle.ts';
import { createHealthBoard } from '../../src/gateway/health-board.ts';
import { createHedgeBudgets } from '../../src/gateway/hedge.ts';
import { Prober } from '../../src/gateway/prober.ts';
import { createSpending } from '../../src/gateway/spending.ts';
import type { GatewayState } from '../../src/gateway/state.ts';
import { capacityOf } from '../../src/wiring/capacity.ts';
import { requestOf } from './asking.ts';
import type { Chance } from './chance.ts';
import { Judge } from './judge.ts';
import type { Asked, Counts, Offer } from './judge.ts';
import { Providers } from './providers.ts';
import { VirtualTime } from './virtual-time.ts';
import { classNames, models, start } from './world.ts';
import type { WorldSpec } from './world.ts';
import { judgeAfterwards } from './afterwards.ts';
import { Callers } from './callers.ts';
import type { Wish } from './callers.ts';
import { offerMs, WatchedCapacity, watchedConsents } from './watched.ts';

const beatMs = 250;
/** Long enough for every answer to have ended. */
const lifeMsMax = 600_000;
const begin = start + 24 * 3_600_000 - 5_000;

export class Life {
  readonly judge: Judge;
  readonly #spec: WorldSpec;
  readonly #chance: Chance;
  readonly #counts: Counts;
  readonly #time: VirtualTime;
  readonly #providers: Providers;
  readonly #callers: Callers;
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
    this.#callers = new Callers({
      spec,
      snapshot,
      chance,
      targets: this.#targets,
      judge: this.judge,
      now: () => time.now,
    });
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
      consents: watchedConsents({ judge: this.judge, now: clock.now, counts: this.#counts }),
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
        this.#send(this.#callers.next(this.#asking++));
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
    judgeAfterwards({
      spec: this.#spec,
      judge: this.judge,
      records: this.#records,
      at: this.#time.clock.now(),
      seconds: (this.#time.now - begin) / 1_000,
    });
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

  #send({ asked, model, key, header, token }: Wish): void {
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
