/**
 * What is right about every call that leaves the gateway, told a second time and as plainly as possible: from the
 * document, from what callers sent, and from books of its own about tokens and agreements. It looks at calls where they
 * leave, so that no way to a provider can be forgotten.
 */
import type { ConsentScope, ConsentSpan } from '../../src/core/consent.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import type { Switch } from '../../src/core/switches.ts';
import type { Shape } from './asking.ts';
import type { Call } from './providers.ts';
import { hopOf, isAbove, mayBeKept, mayProcess, modeOf, targetAt } from './world.ts';
import type { FeatureSpec, HopKind, Mode, WorldSpec } from './world.ts';

/** A request as its caller meant it. */
export type Asked = {
  readonly n: number;
  readonly shape: Shape;
  /** Null: no feature was named, and every host of the model may answer. */
  readonly feature: FeatureSpec | null;
  readonly scope: ConsentScope;
  readonly preferred: string;
  readonly limit: Mode | null;
  readonly tenant: string | null;
  /** Every class that speaks: the caller's, the feature's, a rule's. */
  readonly classes: readonly string[];
  readonly keyMay: boolean;
  /** The highest class that its key may send. */
  readonly highest: string | null;
  readonly token: Offer | 'none' | 'worthless';
  readonly arrivedAt: number;
  /** The caller has begun to read the answer. */
  heard: boolean;
};

/** An offer as the test remembers it. */
export type Offer = {
  readonly token: string;
  readonly scope: ConsentScope;
  readonly target: string;
  readonly expiresAt: number;
  /** The request that holds it, while it is under way. */
  holder: number | null;
  used: boolean;
};
type Granted = {
  readonly scope: ConsentScope;
  readonly preferred: string;
  readonly target: string;
  readonly span: ConsentSpan['kind'];
  until: number;
  /** An incident of the preferred target was open since: its end is the agreement's. */
  inIncident: boolean;
};

export const sameScope = (one: ConsentScope, other: ConsentScope): boolean =>
  one.key === other.key && one.feature === other.feature && one.user === other.user;

const anyHop: Readonly<Record<HopKind, Mode>> = {
  same_model: 'auto',
  same_vendor: 'auto',
  other_vendor: 'auto',
  local: 'auto',
};

/** Of several classes the strictest is what a request counts as; which that is, is not told again here. */
function countsOnlyAs(asked: Asked | null, name: string): boolean {
  return asked !== null && asked.classes.length > 0 && asked.classes.every((each) => each === name);
}

/** Whether a switch takes a target out for a request; for nobody's request, when it is for everybody. */
function isOff(list: readonly Switch[], target: string, asked: Asked | null): boolean {
  const [provider, model] = [target.slice(0, target.indexOf('/')), target.slice(target.indexOf('/') + 1)];
  return list.some(
    ({ scope, effect, mode }) =>
      mode === 'enforce' &&
      effect.kind === 'off' &&
      (scope.provider === undefined || scope.provider === provider) &&
      (scope.model === undefined || scope.model === model) &&
      (scope.feature === undefined || scope.feature === asked?.scope.feature) &&
      (scope.data_class === undefined || countsOnlyAs(asked, scope.data_class)),
  );
}

/** What was met, so that the promises cannot be kept by nothing happening. */
export const noCounts = () => ({
  calls: 0,
  crossings: 0,
  tokenCrossings: 0,
  agreementCrossings: 0,
  incidentCrossings: 0,
  hedges: 0,
  carriedOn: 0,
  probes: 0,
  pictures: 0,
  counts: 0,
  embeddings: 0,
  offers: 0,
  tokensRefused: 0,
  refused: 0,
  full: 0,
  retries: 0,
  classed: 0,
  captured: 0,
});
export type Counts = ReturnType<typeof noCounts>;

export type JudgeOptions = {
  readonly spec: WorldSpec;
  readonly now: () => number;
  readonly switches: () => readonly Switch[];
  readonly counts: Counts;
  readonly attemptsMax: number;
};

export class Judge {
  readonly violations: unknown[] = [];
  readonly asked = new Map<number, Asked>();
  readonly offers: Offer[] = [];
  readonly #granted: Granted[] = [];
  readonly #options: JudgeOptions;
  /** Calls under way and made for each request. */
  readonly #calls = new Map<number, Call[]>();
  #inIncident: ReadonlySet<string> = new Set();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  blame(promise: string, facts: unknown): void {
    this.violations.push({ promise, facts });
  }

  callsOf(n: number): readonly Call[] {
    return this.#calls.get(n) ?? [];
  }

  call(call: Call): void {
    const { counts } = this.#options;
    counts.calls++;
    if (call.request === null) {
      this.#probe(call);
      return;
    }
    const asked = this.asked.get(call.request);
    if (asked === undefined) {
      this.blame('words belong to a request', call.request);
      return;
    }
    this.#permitted(asked, call.target, call.operation);
    this.#counted(asked, call);
    if (asked.shape.operation !== call.operation) this.blame('what was asked is what is asked', call);
    if (call.operation === 'count_tokens') counts.counts++;
    if (call.operation === 'embeddings') counts.embeddings++;
  }

  /** A picture is fetched for a target: its host is nobody whose terms are known. */
  picture(n: number): void {
    this.#options.counts.pictures++;
    const asked = this.asked.get(n);
    if (asked === undefined || asked.classes.length > 0)
      this.blame('nothing is fetched for data of a class', { n, classes: asked?.classes });
  }

  /** What a request says is kept. */
  captured(n: number): void {
    const { counts, spec } = this.#options;
    counts.captured++;
    const classes = this.asked.get(n)?.classes ?? [];
    if (this.asked.get(n)?.feature === null || !classes.every((each) => mayBeKept(spec, each)))
      this.blame('content is kept where it is wanted and no class forbids it', { n, classes });
  }

  #probe({ target, text }: Call): void {
    const { spec, counts, now, switches } = this.#options;
    counts.probes++;
    if (!text.includes('Reply with the word ok.')) this.blame('a probe says nothing of anybody', text);
    if (isOff(switches(), target, null)) this.blame('what is off for all is not probed', target);
    const using = spec.features.filter(({ route }) => route.some((at) => targetAt(at) === target));
    const isUsable = using.some(
      ({ dataClass }) => dataClass === null || mayProcess(spec, target, dataClass, now()),
    );
    if (using.length > 0 && !isUsable)
      this.blame('a target that no feature may send anything is not probed', target);
  }

  #permitted(asked: Asked, target: string, operation: Call['operation']): void {
    const { spec, counts, now, switches } = this.#options;
    const { preferred, feature, limit, classes, token, n } = asked;
    const hop = hopOf(spec, preferred, target);
    const mode = modeOf(feature ?? { fallback: anyHop }, hop, limit);
    const facts = { target, preferred, hop, mode, classes, operation, stream: asked.shape.stream };
    if (!classes.every((each) => mayProcess(spec, target, each, now())))
      this.blame('no data class reaches a target that may not process it', facts);
    if (mode === 'never') this.blame('never does not fall back', facts);
    const byToken = typeof token === 'object' && token.target === target;
    if (token === 'worthless') this.blame('a request with a worthless token is not sent', facts);
    if (typeof token === 'object' && !byToken) this.blame('a token leads where the user agreed', facts);
    if (byToken && token.used) this.blame('a token is good for one answer', facts);
    if (byToken && token.holder !== null && token.holder !== n)
      this.blame('a token is in the hands of one request', facts);
    if (byToken) token.holder = n;
    const agreement = mode === 'ask' && !byToken ? this.#agreement(asked, target) : null;
    if (mode === 'ask' && !byToken && agreement === null)
      this.blame('ask crosses only with a valid token or agreement', facts);
    if (isOff(switches(), target, asked)) this.blame('what is switched off gets nothing', facts);
    if (!asked.keyMay) this.blame('a key reaches its own features only', facts);
    const { highest } = asked;
    if (highest !== null && classes.some((each) => isAbove(spec, each, highest)))
      this.blame('a key sends nothing above its highest class', facts);
    if (operation !== 'answer' && hop !== null && target.split('/')[1] !== preferred.split('/')[1])
      this.blame('a call beside the answer stays with its model', facts);
    if (classes.length > 0) counts.classed++;
    if (hop !== null) counts.crossings++;
    if (byToken) counts.tokenCrossings++;
    if (agreement !== null) counts.agreementCrossings++;
    if (agreement?.span === 'incident') counts.incidentCrossings++;
  }

  #counted(asked: Asked, call: Call): void {
    const { counts, attemptsMax } = this.#options;
    const earlier = this.#calls.get(asked.n) ?? [];
    this.#calls.set(asked.n, [...earlier, call]);
    if (earlier.length >= attemptsMax) this.blame('attempts stay within their limit', earlier.length + 1);
    const open = earlier.filter(({ endedAt }) => endedAt === null);
    if (open.length > 0) counts.hedges++;
    if (open.length > 1 || (open.length > 0 && (asked.feature?.hedge !== true || !asked.shape.stream)))
      this.blame('one call at a time, two where hedging is wanted', open.length + 1);
    if (!asked.heard) return;
    counts.carriedOn++;
    if (asked.feature?.carryOn !== true || asked.shape.tools || !asked.shape.stream)
      this.blame('only a text that may be carried on is asked for again once it was begun', asked.shape);
  }

  /** A standing agreement when the request came: what it may rely on for as long as it lasts. */
  #agreement({ scope, preferred, arrivedAt }: Asked, target: string): Granted | null {
    return (
      this.#granted.find(
        (each) =>
          sameScope(each.scope, scope) &&
          (each.span === 'incident' || each.scope.session === scope.session) &&
          each.preferred === preferred &&
          each.target === target &&
          arrivedAt < each.until,
      ) ?? null
    );
  }

  /** The gateway took a token: it must have been good. */
  redeemed(token: string, scope: ConsentScope, target: string): void {
    const { now } = this.#options;
    const offer = this.offers.find((each) => each.token === token);
    if (
      offer === undefined ||
      offer.used ||
      now() >= offer.expiresAt ||
      offer.target !== target ||
      !sameScope(offer.scope, scope)
    )
      this.blame('no forged, used, expired or moved token is taken', { token, offer });
  }

  /** An answer was committed on a token. */
  used(token: string, scope: ConsentScope, span: ConsentSpan, preferred: string): void {
    const offer = this.offers.find((each) => each.token === token);
    if (offer === undefined) return;
    offer.used = true;
    if (span.kind === 'request') return;
    const lastsMs = span.kind === 'session' ? span.minutes * 60_000 : Number.POSITIVE_INFINITY;
    this.#granted.push({
      scope,
      preferred,
      target: offer.target,
      span: span.kind,
      until: this.#options.now() + lastsMs,
      inIncident: this.#inIncident.has(preferred),
    });
  }

  released(token: string): void {
    const offer = this.offers.find((each) => each.token === token);
    if (offer !== undefined) offer.holder = null;
  }

  incidents(open: ReadonlySet<string>): void {
    this.#inIncident = open;
    for (const grant of this.#granted) {
      if (grant.span !== 'incident') continue;
      const isIn = open.has(grant.preferred);
      if (grant.inIncident && !isIn) grant.until = Math.min(grant.until, this.#options.now());
      if (isIn) grant.inIncident = true;
    }
  }

  /** What is written down of a request tells every call of it, and what reached whom. */
  record(record: RequestRecord, n: number): void {
    const { counts, spec } = this.#options;
    const calls = this.callsOf(n);
    const told = record.attempts.map(({ target }) => String(target)).toSorted();
    if (
      told.join() !==
      calls
        .map(({ target }) => target)
        .toSorted()
        .join()
    )
      this.blame('a record tells every call', { told, calls });
    if (record.outcome === 'refused') counts.refused++;
    if (record.candidates.some(({ reason }) => reason === 'at_capacity')) counts.full++;
    counts.retries += record.attempts.filter(({ whyNext }) => isRetry(whyNext)).length;
    const asked = this.asked.get(n);
    if (asked === undefined) return;
    const crossed = calls.some(
      ({ target, received }) =>
        received && entityOf(spec, target, record.at) !== entityOf(spec, asked.preferred, record.at),
    );
    if (crossed && !record.boundary.includes('entity'))
      this.blame('who else received content is in the record', { record, calls });
  }
}

export const isRetry = (why: string | null): boolean =>
  why === 'same_target_retry' || why === 'same_target_waited';

function entityOf(spec: WorldSpec, target: string, now: number): string {
  const provider = spec.providers[Number(/^p(\d+)/.exec(target)?.[1])];
  const isOver =
    provider?.terms.expires !== null && now >= Date.parse(`${provider?.terms.expires}T00:00:00Z`);
  return provider === undefined || isOver
    ? (target.split('/')[0] ?? '')
    : (provider.terms.entity ?? target.split('/')[0] ?? '');
}
