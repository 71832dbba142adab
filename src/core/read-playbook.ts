/**
 * From a document to a playbook, with every problem at once. Beyond form it checks meaning: a variable that nothing can
 * fill, a restore step without a plan, a rule behind one that always holds, tests that expect nothing.
 */
import type { z } from 'zod';

import { isYes } from './configure-fields.ts';
import { durationMs, rate } from './duration.ts';
import type { FailureClass } from './failure.ts';
import type { HealthState } from './health-cell.ts';
import { momentFrom } from './moment.ts';
import { variables } from './playbook.ts';
import type {
  Comparison,
  Condition,
  Expected,
  Never,
  Outage,
  Playbook,
  PlaybookTest,
  RestorePlan,
  Rule,
  Step,
} from './playbook.ts';
import { comparisonForm, playbookSchema } from './playbook-schema.ts';
import type { PlaybookDocument } from './playbook-schema.ts';
import { problemsOf } from './read-configuration.ts';
import type { Problem } from './snapshot.ts';
import type { Effect, Scope } from './switches.ts';

export type PlaybookRead =
  | { readonly ok: true; readonly playbook: Playbook; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type ConditionDocument = PlaybookDocument['match']['when'];
type RuleDocument = PlaybookDocument['decide'][number];
type StepDocument = Extract<RuleDocument, { otherwise: unknown }>['otherwise'][number];
type TestDocument = NonNullable<PlaybookDocument['tests']>[number];
type RestoreDocument = NonNullable<PlaybookDocument['restore']>;

const standard = {
  windowMs: 120_000,
  cooldownMs: 1_800_000,
  expiresInMs: 7_200_000,
  askMs: 900_000,
  holdDownMs: 180_000,
  quietMs: 300_000,
  holdMs: 120_000,
  shares: [0.1, 0.5],
  probes: { count: 20, overMs: 300_000, passed: 0.95 },
} as const;

const ms = (text: string | null | undefined, otherwise: number): number =>
  text === undefined || text === null ? otherwise : (durationMs(text) ?? otherwise);
const shareOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : (rate(text) ?? otherwise);

function comparisonOf(text: string): Comparison {
  const [, sign = '>=', value = '0', percent = ''] = comparisonForm.exec(text) ?? [];
  return { sign: sign as Comparison['sign'], value: Number(value) / (percent === '%' ? 100 : 1) };
}

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

function conditionOf(document: ConditionDocument): Condition {
  const { window, gate, warning, failures, allOut, between, ...comparisons } = document;
  const compared = Object.fromEntries(
    Object.entries(comparisons).flatMap(([key, text]) =>
      text === undefined ? [] : [[key, comparisonOf(text)]],
    ),
  ) as Pick<
    Condition,
    'requests' | 'failureRate' | 'slowRate' | 'qualityRate' | 'sickModels' | 'featuresAffected'
  >;
  return {
    windowMs: ms(window, standard.windowMs),
    ...compared,
    ...(failures === undefined ? {} : { failures: failures as FailureClass[] }),
    ...(gate === undefined
      ? {}
      : { gate: (typeof gate === 'string' ? [gate] : gate) satisfies readonly HealthState[] }),
    ...(warning === undefined ? {} : { warning: [warning].flat() }),
    ...(allOut === undefined ? {} : { allOut: isYes(allOut) }),
    ...(between === undefined
      ? {}
      : { between: [minuteOf(between.slice(0, 5)), minuteOf(between.slice(6))] }),
  };
}

const scopeOf = (scope: Readonly<Record<string, string | undefined>>): Scope =>
  Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));

function effectOf(effect: 'off' | 'last_resort' | { shed: number } | undefined): Effect {
  if (effect === undefined) return { kind: 'off' };
  return typeof effect === 'string' ? { kind: effect } : { kind: 'shed', percent: effect.shed };
}

const probesOf = (document: NonNullable<RestoreDocument['probes']>): NonNullable<RestorePlan['probes']> => ({
  count: document.count ?? standard.probes.count,
  overMs: ms(document.over, standard.probes.overMs),
  passed: shareOf(document.passed, standard.probes.passed),
});

type RampDocument = Pick<RestoreDocument, 'shares' | 'hold' | 'abortIf'>;
const rampOf = (
  document: RampDocument,
): { shares: readonly number[]; holdMs: number; abortIf: Condition | null } => ({
  shares: document.shares?.map((text) => shareOf(text, 1)) ?? standard.shares,
  holdMs: ms(document.hold, standard.holdMs),
  abortIf: document.abortIf === undefined ? null : conditionOf(document.abortIf),
});

function stepOf(document: StepDocument): Step {
  if ('switch' in document) {
    const {
      scope,
      effect,
      expiresIn,
      atExpiry = 'ramp',
      inFlight = 'finish',
      reason = null,
    } = document.switch;
    const expiresInMs = expiresIn === null ? null : ms(expiresIn, standard.expiresInMs);
    return {
      kind: 'switch',
      scope: scopeOf(scope),
      effect: effectOf(effect),
      expiresInMs,
      atExpiry,
      inFlight,
      reason,
    };
  }
  if ('incident' in document) {
    const { class: word, severity = null, title = null } = document.incident;
    return { kind: 'incident', class: word, severity, title };
  }
  if ('notify' in document) return { kind: 'notify', ...document.notify };
  if ('publish' in document)
    return {
      kind: 'publish',
      stage: document.publish.stage,
      holdDownMs: ms(document.publish.holdDown, standard.holdDownMs),
    };
  if ('wait' in document) {
    const wait = typeof document.wait === 'string' ? { for: document.wait } : document.wait;
    return {
      kind: 'wait',
      ms: ms(wait.for, 0),
      until: 'until' in wait && wait.until !== undefined ? conditionOf(wait.until) : null,
    };
  }
  if ('ask' in document) {
    const { question, timeout, otherwise = 'skip_rest' } = document.ask;
    return { kind: 'ask', question, timeoutMs: ms(timeout, standard.askMs), otherwise };
  }
  if ('probe' in document) return { kind: 'probe', ...probesOf(document.probe) };
  if ('drill' in document) return { kind: 'drill', scenario: document.drill };
  return 'ramp' in document ? { kind: 'ramp', ...rampOf(document.ramp) } : { kind: 'restore' };
}

const ruleOf = (document: RuleDocument): Rule =>
  'otherwise' in document
    ? { when: null, steps: document.otherwise.map(stepOf) }
    : { when: conditionOf(document.when), steps: document.do.map(stepOf) };

function neverOf(document: NonNullable<PlaybookDocument['never']>[number]): Never {
  if ('switch' in document) return { kind: 'switch', scope: scopeOf(document.switch) };
  return 'strand' in document ? { kind: 'strand', feature: document.strand } : { kind: 'publish' };
}

type ExpectedDocument = Extract<TestDocument['expect'][number], { not: unknown }>['not'];

function expectationsOf(
  document: ExpectedDocument,
  not: boolean,
  withinMs: number | null,
): readonly Expected[] {
  const base = { not, withinMs };
  const { switch: switched, incident, publish, notify, asked, restored, started } = document;
  return [
    ...(switched === undefined
      ? []
      : [
          {
            ...base,
            kind: 'switch' as const,
            scope: scopeOf(switched.scope),
            effect: switched.effect ?? null,
          },
        ]),
    ...(incident === undefined
      ? []
      : [{ ...base, kind: 'incident' as const, class: incident.class ?? null }]),
    ...(publish === undefined ? [] : [{ ...base, kind: 'publish' as const, stage: publish.stage ?? null }]),
    ...(notify === undefined ? [] : [{ ...base, kind: 'notify' as const, channel: notify.channel ?? null }]),
    ...(asked === undefined ? [] : [{ ...base, kind: 'asked' as const }]),
    ...(restored === undefined ? [] : [{ ...base, kind: 'restored' as const }]),
    ...(started === undefined ? [] : [{ ...base, kind: 'started' as const }]),
  ];
}

function outageOf(given: NonNullable<TestDocument['given']>[number]): Outage {
  return {
    fromMs: ms(given.from, 0),
    untilMs: ms(given.until, 0),
    scope: scopeOf(given.scope),
    requestsPerMinute: given.requestsPerMinute ?? 60,
    failureRate: shareOf(given.failureRate, 0),
    slowRate: shareOf(given.slowRate, 0),
    qualityRate: shareOf(given.qualityRate, 0),
    failure: (given.failure ?? 'server_error') as FailureClass,
    gate: given.gate ?? null,
    warning: given.warning ?? null,
  };
}

function testOf(document: TestDocument): PlaybookTest {
  return {
    name: document.name,
    given: document.given?.map(outageOf) ?? [],
    replay: document.replay ?? null,
    answers: document.answers?.map(({ at, answer }) => ({ atMs: ms(at, 0), answer })) ?? [],
    untilMs: ms(document.until, 0),
    startMs: document.start === undefined ? null : ms(document.start, 0),
    expect: document.expect.flatMap((each) =>
      'not' in each
        ? expectationsOf(each.not, true, null)
        : expectationsOf(each, false, each.within === undefined ? null : ms(each.within, 0)),
    ),
  };
}

const dateMs = (text: string): number => momentFrom(`${text}T00:00:00.000Z`);

function playbookOf(document: PlaybookDocument, version: string): Playbook {
  const { agreed, restore } = document;
  return {
    name: document.name,
    title: document.title ?? document.name,
    version,
    agreed:
      agreed === undefined
        ? null
        : {
            by: agreed.by,
            on: dateMs(agreed.on),
            reviewMs: agreed.review === undefined ? null : ms(agreed.review, 0),
          },
    match: { scope: scopeOf(document.match.scope), when: conditionOf(document.match.when) },
    cooldownMs: ms(document.cooldown, standard.cooldownMs),
    automatic: document.automatic === undefined || isYes(document.automatic),
    decide: document.decide.map(ruleOf),
    never: document.never?.map(neverOf) ?? [],
    restore:
      restore === undefined
        ? null
        : {
            quietMs: ms(restore.quiet, standard.quietMs),
            probes: restore.probes === undefined ? null : probesOf(restore.probes),
            ...(({ shares, ...rest }) => ({ ramp: shares, ...rest }))(rampOf(restore)),
          },
    tests: document.tests?.map(testOf) ?? [],
  };
}

const problem = (
  path: Problem['path'],
  message: string,
  remedy: string,
  severity: Problem['severity'] = 'error',
): Problem => ({
  path,
  message,
  remedy,
  severity,
});

function stepProblems(step: Step, path: Problem['path'], playbook: Playbook): readonly Problem[] {
  switch (step.kind) {
    case 'switch':
      return Object.entries(step.scope).flatMap(([key, value]) =>
        (value ?? '').startsWith('$') && !variables.some((each) => value === `$${each}`)
          ? [
              problem(
                [...path, 'switch', 'scope', key],
                `unknown variable "${value}"`,
                `use one of ${variables.map((each) => `$${each}`).join(', ')}`,
              ),
            ]
          : [],
      );
    case 'restore':
      return playbook.restore === null
        ? [problem([...path, 'restore'], 'there is no plan to restore by', 'add "restore" to the playbook')]
        : [];
    case 'incident':
    case 'notify':
    case 'publish':
    case 'wait':
    case 'ask':
    case 'probe':
    case 'drill':
    case 'ramp':
      return [];
  }
}

function meaningProblems(playbook: Playbook): readonly Problem[] {
  const found: Problem[] = [];
  playbook.decide.forEach((rule, index) => {
    const at = ['decide', index] as const;
    if (rule.when === null && index < playbook.decide.length - 1)
      found.push(problem([...at, 'otherwise'], 'the rules behind it can never apply', 'move it to the end'));
    const list = rule.when === null ? 'otherwise' : 'do';
    rule.steps.forEach((step, place) => found.push(...stepProblems(step, [...at, list, place], playbook)));
  });
  const switches = playbook.decide.some((rule) => rule.steps.some((step) => step.kind === 'switch'));
  if (switches && playbook.restore === null)
    found.push(
      problem(
        ['decide'],
        'it switches something off and has no plan to restore',
        'add "restore", or its switches come back when they expire',
        'warning',
      ),
    );
  if (playbook.agreed === null)
    found.push(
      problem([], 'nobody has agreed to it', 'add "agreed" with who, when, and when to review it', 'warning'),
    );
  if (playbook.tests.length === 0)
    found.push(
      problem(
        [],
        'it has no tests',
        'add "tests": an outage, and what is expected of the playbook',
        'warning',
      ),
    );
  return found;
}

/** Reads a document; `version` names its text. */
export function readPlaybook(document: unknown, version: string): PlaybookRead {
  const read: z.ZodSafeParseResult<PlaybookDocument> = playbookSchema.safeParse(document);
  if (!read.success)
    return { ok: false, problems: read.error.issues.flatMap((issue) => problemsOf(issue, playbookSchema)) };
  const playbook = playbookOf(read.data, version);
  const found = meaningProblems(playbook);
  const errors = found.filter((each) => each.severity === 'error');
  return errors.length > 0 ? { ok: false, problems: errors } : { ok: true, playbook, warnings: found };
}
