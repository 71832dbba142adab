/** The world with somebody watching: every call and every answer is checked against what must always hold. */
import type { Target } from '../../src/core/target.ts';
import { Arena } from '../../src/simulation/arena.ts';
import type { Arrival } from '../../src/simulation/arena.ts';
import type { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import type { Call, Listener } from '../../src/simulation/served-target.ts';
import type { SeenOutcome } from '../../src/simulation/tally.ts';

/** Past its deadline by this much, a request that nobody answered has been forgotten. */
const lateMsMax = 100;

export class Watched extends Arena {
  #client: BreakwaterClient | null = null;
  readonly #broken: string[] = [];
  readonly #attempts = new Map<Arrival, number>();
  #jumpedAt = Number.NEGATIVE_INFINITY;

  watch(client: BreakwaterClient): void {
    this.#client = client;
    this.join(client);
  }

  broken(): readonly string[] {
    const { violations, violationCount } = this.tally;
    const [first] = violations;
    if (first !== undefined)
      this.#break(
        `${violationCount} calls that policy forbids, such as ${first.feature} to ${first.target}: ${first.rule} (I7, I21)`,
      );
    for (const tally of this.tally.targets.values())
      if (tally.open !== 0) this.#break(`${tally.target.name}: ${tally.open} calls never ended (I12)`);
    if (this.#attempts.size > 0) this.#break(`${this.#attempts.size} requests were never answered`);
    return this.#broken;
  }

  #break(words: string): void {
    if (this.#broken.length < 20) this.#broken.push(`minute ${this.minute}: ${words}`);
  }

  override call(arrival: Arrival, target: Target, key: string | null, caller: Listener): Call {
    const attempts = (this.#attempts.get(arrival) ?? 0) + 1;
    this.#attempts.set(arrival, attempts);
    const { attemptsMax } = this.rehearsal.snapshot.limits;
    if (attempts > attemptsMax) this.#break(`${attempts} attempts of one request (I5)`);
    if (this.#lateMs(arrival) > 0) this.#break('an attempt after the deadline (I5)');
    this.#checkGate(arrival, target);
    return super.call(arrival, target, key, caller);
  }

  /** A target that is out is asked only when nothing else is in (I8). */
  #checkGate({ course, at }: Arrival, target: Target): void {
    const board = this.#client?.board;
    if (board === undefined || at !== this.now) return;
    const { state } = board.view(target).cell.health;
    if (state !== 'ejected') return;
    const { route } = course.feature;
    const better = route.find(
      (each) => each !== target && this.switches.length === 0 && board.standing(each).kind === 'open',
    );
    if (better !== undefined)
      this.#break(`${target.name} was asked while it was out and ${better.name} in (I8)`);
  }

  override jumpClock(byMs: number): void {
    this.#jumpedAt = this.now;
    super.jumpClock(byMs);
  }

  /** How long ago its time was up; deadlines from before a jump of the clock mean nothing. */
  #lateMs({ at, course }: Arrival): number {
    return at <= this.#jumpedAt ? 0 : this.now - at - course.feature.timeouts.totalMs;
  }

  override close(arrival: Arrival, outcome: SeenOutcome, heardAt: number): void {
    this.#attempts.delete(arrival);
    const lateMs = this.#lateMs(arrival);
    if (outcome !== 'answered' && outcome !== 'backup' && lateMs > lateMsMax)
      this.#break(`${outcome} ${lateMs} ms after the deadline (I5)`);
    super.close(arrival, outcome, heardAt);
  }
}
