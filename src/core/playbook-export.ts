/**
 * A playbook for other eyes: as a Mermaid flow chart for people, and as an OASIS CACAO 2.0 playbook for tools that
 * exchange responses. Both are made from the same value that runs, so they cannot say something else.
 */
import { writtenShare } from './percent.ts';
import type { Condition, Playbook, Rule, Step } from './playbook.ts';
import { scopeText } from './switches.ts';
import { durationWords } from './words.ts';

export function conditionWords(condition: Condition): string {
  const { windowMs, gate, warning, failures, between } = condition;
  const compared = [
    ['requests', condition.requests, String],
    ['failure rate', condition.failureRate, writtenShare],
    ['slow answers', condition.slowRate, writtenShare],
    ['bad answers', condition.qualityRate, writtenShare],
    ['sick models', condition.sickModels, String],
    ['features affected', condition.featuresAffected, writtenShare],
  ] as const;
  const parts = compared.flatMap(([name, wanted, write]) =>
    wanted === undefined ? [] : [`${name} ${wanted.sign} ${write(wanted.value)}`],
  );
  if (gate !== undefined) parts.push(`a gate is ${gate.join(' or ')}`);
  if (warning !== undefined) parts.push(`there is a warning of ${warning.join(' or ')}`);
  if (failures !== undefined) parts.push(`counting ${failures.join(', ')}`);
  if (condition.allOut !== undefined)
    parts.push(condition.allOut ? 'every target is out' : 'some target is usable');
  if (between !== undefined) parts.push(`between ${clock(between[0])} and ${clock(between[1])} UTC`);
  return `${parts.join(', ')} within ${durationWords(windowMs)}`;
}

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

export function stepWords(step: Step): string {
  switch (step.kind) {
    case 'switch': {
      const effect =
        step.effect.kind === 'shed'
          ? `shed ${step.effect.percent} % of`
          : step.effect.kind === 'off'
            ? 'switch off'
            : 'make a last resort of';
      return `${effect} ${scopeText(step.scope)}`;
    }
    case 'incident':
      return `open an incident (${step.class})`;
    case 'notify':
      return `tell ${step.channel}`;
    case 'publish':
      return `publish "${step.stage}" after ${durationWords(step.holdDownMs)}`;
    case 'wait':
      return step.until === null
        ? `wait ${durationWords(step.ms)}`
        : `wait until ${conditionWords(step.until)}, at most ${durationWords(step.ms)}`;
    case 'ask':
      return `ask a person: ${step.question}`;
    case 'probe':
      return `probe: ${writtenShare(step.passed)} of ${step.count} must pass`;
    case 'ramp':
      return `let back in ${step.shares.map(writtenShare).join(', ')}, then all`;
    case 'restore':
      return 'restore by the plan';
    case 'drill':
      return `rehearse ${step.scenario}`;
  }
}

const label = (text: string): string => `"${text.replaceAll('"', "'")}"`;

export function mermaid(playbook: Playbook): string {
  const lines = [
    'flowchart TD',
    `  begin([${label(`${playbook.title}: ${scopeText(playbook.match.scope)}, ${conditionWords(playbook.match.when)}`)}])`,
  ];
  let before = 'begin';
  playbook.decide.forEach((rule, index) => {
    const id = `rule${index + 1}`;
    lines.push(`  ${id}{${label(rule.when === null ? 'otherwise' : conditionWords(rule.when))}}`);
    lines.push(`  ${before} ${index === 0 ? '-->' : '-- no -->'} ${id}`);
    let from = `${id} -- yes`;
    rule.steps.forEach((step, place) => {
      const stepId = `${id}s${place + 1}`;
      lines.push(`  ${stepId}[${label(stepWords(step))}]`, `  ${from} --> ${stepId}`);
      from = stepId;
    });
    before = id;
  });
  return `${lines.join('\n')}\n`;
}

type CacaoStep = Record<string, unknown>;

function cacaoRule(
  rule: Rule,
  index: number,
  next: string,
  id: (name: string) => string,
): Record<string, CacaoStep> {
  const steps = rule.steps.map((step, place): readonly [string, CacaoStep] => [
    id(`action--r${index}s${place}`),
    {
      type: 'action',
      name: stepWords(step),
      commands: [{ type: 'manual', command: stepWords(step) }],
      agent: id('individual--responder'),
      on_completion: id(place + 1 < rule.steps.length ? `action--r${index}s${place + 1}` : 'end--end'),
    },
  ]);
  const first = id(`action--r${index}s0`);
  const decision: CacaoStep =
    rule.when === null
      ? { type: 'if-condition', condition: 'true', on_true: first }
      : { type: 'if-condition', condition: conditionWords(rule.when), on_true: first, on_false: next };
  return { [id(`if-condition--r${index}`)]: decision, ...Object.fromEntries(steps) };
}

/** `uuid` names things stably: the same name gives the same id. `at` is RFC 3339. */
export function cacao(
  playbook: Playbook,
  at: string,
  uuid: (name: string) => string,
): Record<string, unknown> {
  const id = (name: string): string => {
    const kind = name.slice(0, name.lastIndexOf('--'));
    return `${kind}--${uuid(`${playbook.name}/${name}`)}`;
  };
  const workflow: Record<string, CacaoStep> = {
    [id('start--start')]: { type: 'start', on_completion: id('if-condition--r0') },
    [id('end--end')]: { type: 'end' },
  };
  playbook.decide.forEach((rule, index) => {
    const next = id(index + 1 < playbook.decide.length ? `if-condition--r${index + 1}` : 'end--end');
    Object.assign(workflow, cacaoRule(rule, index, next, id));
  });
  return {
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id: id('playbook--self'),
    name: playbook.name,
    description: playbook.title,
    playbook_types: ['mitigation'],
    playbook_activities: ['contain-system', 'restore-system'],
    created_by: id('identity--breakwater'),
    created: at,
    modified: at,
    revoked: false,
    workflow_start: id('start--start'),
    workflow,
    agent_definitions: {
      [id('individual--responder')]: {
        type: 'individual',
        name: playbook.agreed?.by.join(', ') ?? 'responder',
      },
    },
  };
}
