/** What providers of a scenario do to an attempt: usual noise and times, and the faults in force at that moment. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import type { AnswerRead } from '../gateway/ticket.ts';
import type { Effect, Fault, Scenario } from './scenario.ts';
import type { Asked } from './served-target.ts';

/** How an attempt will go: decided when it starts, seen when it happens. */
export type Fate = {
  /** Null: a good answer. */
  readonly failure: Failure | null;
  /** What its answer is like, should it arrive; null: nobody looks. */
  readonly answer: AnswerRead | null;
  /** When the first content comes; null when none does. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
};

export function strikes({ scope }: Fault, target: Target, key: string | null): boolean {
  const { provider, region, vendor, family, model, target: name } = scope;
  const { regions } = target.provider.terms;
  return (
    (provider === undefined || provider === target.provider.id) &&
    (vendor === undefined || vendor === target.model.vendor) &&
    (family === undefined || family === target.model.family) &&
    (model === undefined || model === target.model.name) &&
    (name === undefined || name === target.name) &&
    (region === undefined || (regions !== 'unknown' && regions.includes(region))) &&
    (scope.key === undefined || scope.key === key)
  );
}

/** When a fault is over, fading included. */
export function endOf({ at, for: lasts, fades = 0 }: Fault): number {
  return at + lasts + fades;
}

/** The share of attempts that a fault strikes at this time since the start. */
export function shareAt(fault: Fault, sinceMs: number): number {
  const age = sinceMs - fault.at;
  const { flapping, fades = 0, share = 1 } = fault;
  if (age < 0 || sinceMs >= endOf(fault)) return 0;
  if (flapping !== undefined && age % (flapping.bad + flapping.good) >= flapping.bad) return 0;
  return age < fault.for ? share : share * (1 - (age - fault.for) / fades);
}

/** How far times scatter around their median, lognormally: the longest in a hundred are about three times as long. */
const spread = 0.5;

function around(median: number, random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * random()));
}

const quickMs = 120;
/** What a short answer takes of the time of a usual one. */
const shortShare = 0.05;

function struck(
  effect: Effect,
  asked: Asked,
  firstTokenMsMax: number,
  usual: Fate,
  random: () => number,
): Fate {
  switch (effect.kind) {
    case 'fail': {
      const { status = null, retryAfter = null, remaining = false } = effect;
      const failure = {
        ...failureOf(remaining ? 'overloaded' : effect.class),
        status: status ?? (effect.class === 'rate_limited' ? 429 : null),
        retryAfterMs: retryAfter,
      };
      return { ...usual, failure, firstTokenMs: null, durationMs: around(quickMs, random) };
    }
    case 'hang':
      return {
        ...usual,
        failure: failureOf('first_token_timeout'),
        firstTokenMs: null,
        durationMs: Math.max(0, firstTokenMsMax),
      };
    case 'slow': {
      const firstTokenMs = (usual.firstTokenMs ?? 0) * effect.factor;
      return firstTokenMs >= firstTokenMsMax
        ? struck({ kind: 'hang' }, asked, firstTokenMsMax, usual, random)
        : { ...usual, firstTokenMs, durationMs: usual.durationMs * effect.factor };
    }
    case 'cut':
      return { ...usual, failure: failureOf('stream_truncated') };
    case 'stall':
      return {
        ...usual,
        failure: failureOf('stream_stalled'),
        durationMs: (usual.firstTokenMs ?? 0) + asked.stallMs,
      };
    case 'shrink':
      return usual;
    case 'soft':
      return usual.answer === null ? usual : { ...usual, answer: { ...usual.answer, soft: effect.signal } };
    case 'changed': {
      const { answer } = usual;
      const { model = answer?.model ?? null, length = 1 } = effect;
      const outputTokens = Math.round((answer?.outputTokens ?? 0) * length);
      return {
        ...usual,
        answer: answer === null ? null : { ...answer, model, outputTokens },
        durationMs: usual.durationMs * length,
      };
    }
  }
}

/** What becomes of a call that begins at this time since the start; `firstTokenMsMax`: how long its caller will wait. */
export type ProviderModel = (asked: Asked, firstTokenMsMax: number, sinceMs: number) => Fate;

/** Tokens of a usual answer. */
const usualTokens = 400;
/** An answer by which every signal can be judged. */
const plainAnswer: AnswerRead = {
  soft: null,
  model: null,
  fingerprint: null,
  outputTokens: null,
  hasCalls: true,
  isStructured: true,
};

const broken: Effect = { kind: 'fail', class: 'server_error', status: 500 };

export function createProviderModel(
  target: Target,
  scenario: Pick<Scenario, 'faults'>,
  usual: Scenario['usual'],
  random: () => number,
  readsAnswers = true,
): ProviderModel {
  // Which of the faults strike this target is known; which are in force changes rarely.
  const faults = scenario.faults.filter(
    (fault) => fault.effect.kind !== 'shrink' && strikes(fault, target, fault.scope.key ?? null),
  );
  let active: readonly Fault[] = [];
  let validUntil = Number.NEGATIVE_INFINITY;
  const look = (sinceMs: number): void => {
    active = faults.filter((fault) => sinceMs >= fault.at && sinceMs < endOf(fault));
    validUntil = Math.min(
      ...faults.flatMap((fault) => [fault.at, endOf(fault)]).filter((at) => at > sinceMs),
      Number.POSITIVE_INFINITY,
    );
  };
  return (asked, firstTokenMsMax, sinceMs) => {
    // Two normal numbers come out of one pair of draws (Box and Muller).
    const radius = spread * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    const firstTokenMs = usual.firstTokenMs * Math.exp(radius * Math.cos(angle));
    const answerMs = usual.answerMs * Math.exp(radius * Math.sin(angle));
    const durationMs = firstTokenMs + (asked.short ? answerMs * shortShare : answerMs);
    const outputTokens = Math.round((usualTokens * answerMs) / usual.answerMs);
    const answer: AnswerRead | null = readsAnswers
      ? { ...plainAnswer, model: target.model.name, outputTokens }
      : null;
    const good: Fate = { failure: null, answer, firstTokenMs, durationMs };
    if (asked.poisonous) return struck(broken, asked, firstTokenMsMax, good, random);
    if (sinceMs >= validUntil) look(sinceMs);
    for (const fault of active) {
      if (fault.scope.key !== undefined && fault.scope.key !== asked.key) continue;
      const share = shareAt(fault, sinceMs);
      if (share > 0 && random() < share) return struck(fault.effect, asked, firstTokenMsMax, good, random);
    }
    return random() < usual.failures ? struck(broken, asked, firstTokenMsMax, good, random) : good;
  };
}
