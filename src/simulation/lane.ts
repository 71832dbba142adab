/** One target as one feature meets it: what its calls cost, what its answer means, and whether it may be asked at all. */
import type { ClassDemand } from '../core/data-class.ts';
import { costUsd } from '../core/cost.ts';
import type { Instant } from '../core/ids.ts';
import { dataPolicyObjection, modeFor } from '../core/rules.ts';
import type { Feature } from '../core/snapshot.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Switch } from '../core/switches.ts';
import { hopBetween } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import type { Profile } from './scenario.ts';
import type { Bearer, Ending, ServedTarget } from './served-target.ts';
import type { FeatureTally, SeenOutcome, TargetTally, Violation } from './tally.ts';

/** What is the same for all requests of a feature. */
export type Course = {
  readonly feature: Feature;
  readonly profile: Profile;
  readonly demand: ClassDemand;
  readonly tally: FeatureTally;
  readonly lanes: Map<Target, Lane>;
};

/** The time, and the switches in force. */
export type Moment = {
  readonly minute: number;
  readonly clock: Instant;
  readonly switches: readonly Switch[];
};

export class Lane implements Bearer {
  readonly target: Target;
  readonly served: ServedTarget;
  /** What an answer from here is to its user. */
  readonly answeredAs: SeenOutcome;
  readonly #course: Course;
  readonly #moment: Moment;
  readonly #bore: TargetTally;
  readonly #costUsd: number;
  #broken: Violation['rule'] | null = null;
  readonly #asks: boolean;
  #judgedUnder: readonly Switch[] | null = null;

  constructor(course: Course, served: ServedTarget, bore: TargetTally, moment: Moment) {
    const { feature, profile } = course;
    const { target } = served;
    this.target = target;
    this.served = served;
    this.#course = course;
    this.#moment = moment;
    this.#bore = bore;
    const tokens = { inputTokens: profile.inputTokens, outputTokens: profile.outputTokens };
    this.#costUsd = costUsd(target.model.price, { ...tokens, cachedTokens: 0, cacheWriteTokens: 0 }) ?? 0;
    const hop = hopBetween(feature.route[0], target);
    const mode = modeFor(feature, hop, null);
    this.#asks = mode === 'ask';
    this.answeredAs = hop === null ? 'answered' : mode === 'reduce' ? 'limited' : 'backup';
    course.tally.called.set(target.name, target);
  }

  begin(): void {
    this.#bore.begin(this.#moment.minute);
  }

  end(how: Ending): void {
    this.#bore.end(how, this.#costUsd);
  }

  /** The rule that forbids this call; null: none. Whoever decided cannot vouch for its own decision. */
  broken(agreed: boolean): Violation['rule'] | null {
    const { switches } = this.#moment;
    if (this.#judgedUnder !== switches) {
      this.#judgedUnder = switches;
      this.#broken = this.#judged(switches);
    }
    return this.#broken ?? (this.#asks && !agreed ? 'fallback' : null);
  }

  #judged(switches: readonly Switch[]): Violation['rule'] | null {
    const { feature, demand } = this.#course;
    const { target } = this;
    if (dataPolicyObjection(target, demand.dataClass, this.#moment.clock) !== null) return 'data_policy';
    const mode = modeFor(feature, hopBetween(feature.route[0], target), null);
    if (mode === 'never') return 'fallback';
    const asker = { feature: feature.name, dataClass: demand.name, tenant: null, key: null, keyName: null };
    return offBy(speaking(switches, target, asker, this.#moment.clock)) === null ? null : 'switch';
  }
}
