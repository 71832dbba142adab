/** `breakwater playbook run | list | runs | show | approve …`: what needs a running server. */
import { callAdmin, complain, items, show } from './client.ts';
import type { Json, Reply } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { table, textOf, timeOf } from './layout.ts';

const reasonOption = { reason: { type: 'string', value: 'WHY', help: 'kept with the decision' } } as const;

function runText(run: Json): string {
  const steps = items({ items: run['steps'] }).map((step) => {
    const mark = { done: '✓', current: '▶', pending: ' ' }[textOf(step['state'])] ?? ' ';
    return `  ${mark} ${textOf(step['n'])}. ${textOf(step['words'])}`;
  });
  const log = items({ items: run['log'] }).map(
    (entry) => `  ${timeOf(entry['at'])}  ${textOf(entry['by'])}: ${textOf(entry['words'])}`,
  );
  const question = run['question'] === null ? [] : [`It asks: ${textOf(run['question'])}`];
  return [
    `${textOf(run['id'])}: playbook ${textOf(run['playbook'])}, ${textOf(run['state'])}`,
    `It is about ${(run['subject'] as readonly string[]).join(', ') || 'nothing in particular'}.`,
    ...question,
    ...steps,
    '',
    ...log,
  ].join('\n');
}

function planText(plan: Json): string {
  if (plan['rule'] === null)
    return 'No rule of it holds now: a run would wait, and end when what it watches is over.';
  const steps = items({ items: plan['steps'] }).map(
    (step) =>
      `  ${textOf(step['n'])}. ${textOf(step['words'])}${step['forbidden'] === null ? '' : ` (passed over: ${textOf(step['forbidden'])})`}`,
  );
  return [`Nothing is done. Rule ${textOf(plan['rule'])} holds; a run would:`, ...steps].join('\n');
}

const shownRun = (call: Call, reply: Reply): ExitCode =>
  show(call, reply, (value) => (value['dry_run'] === true ? planText(value) : runText(value)));

async function run(call: Call): Promise<ExitCode> {
  const [name] = call.words;
  if (name === undefined)
    return usageError(call, 'Name the playbook: breakwater playbook run vendor-off --reason "…"');
  const isDry = call.options['dry-run'] === true;
  const reason = textOption(call, 'reason') ?? (isDry ? 'a look at the plan' : null);
  if (reason === null) return usageError(call, 'Say why: --reason "…"');
  const body = { reason, ...(isDry ? { dry_run: true } : {}) };
  return shownRun(call, await callAdmin(call, 'POST', `playbooks/${encodeURIComponent(name)}/run`, body));
}

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'playbooks'), (value) => {
    const rows = items(value).map((each) => [
      textOf(each['name']),
      textOf(each['title']),
      each['run'] === null
        ? each['automatic'] === true
          ? 'watches'
          : 'waits for a person'
        : textOf(each['run']),
      each['stale'] === null ? 'agreed' : textOf(each['stale']),
    ]);
    return rows.length === 0
      ? 'There is no playbook. Name their files in the configuration: playbooks: ./playbooks/*.yaml'
      : table([['PLAYBOOK', 'TITLE', 'RUN', 'AGREEMENT'], ...rows]);
  });
}

async function runs(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id !== undefined) return shownRun(call, await callAdmin(call, 'GET', `runs/${encodeURIComponent(id)}`));
  return show(call, await callAdmin(call, 'GET', 'runs'), (value) => {
    const rows = items(value).map((each) => [
      textOf(each['id']),
      textOf(each['playbook']),
      textOf(each['state']),
      timeOf(each['started_at']),
      each['question'] === null ? '' : textOf(each['question']),
    ]);
    return rows.length === 0
      ? 'No playbook has run yet.'
      : table([['RUN', 'PLAYBOOK', 'STATE', 'BEGAN (UTC)', 'ASKS'], ...rows]);
  });
}

async function save(call: Call): Promise<ExitCode> {
  const [path] = call.words;
  if (path === undefined) return usageError(call, 'Name the file: breakwater playbook save vendor-off.yaml');
  const file = Bun.file(path);
  if (!(await file.exists())) return usageError(call, `There is no file ${path}.`);
  return show(
    call,
    await callAdmin(call, 'POST', 'playbooks', { text: await file.text() }),
    (value) => `Playbook ${textOf(value['name'])} is kept.`,
  );
}

async function word(call: Call, action: string, body: Json = {}): Promise<ExitCode> {
  const [id] = call.words;
  const reason = textOption(call, 'reason');
  if (id === undefined) return usageError(call, 'Name the run; see: breakwater playbook runs');
  if (reason === null) return usageError(call, 'Say why: --reason "…"');
  const reply = await callAdmin(call, 'POST', `runs/${encodeURIComponent(id)}/${action}`, {
    ...body,
    reason,
  });
  return reply.ok ? shownRun(call, reply) : complain(call, reply);
}

async function answer(call: Call): Promise<ExitCode> {
  const [, said] = call.words;
  if (said !== 'approve' && said !== 'reject')
    return usageError(call, 'Say approve or reject: breakwater playbook answer run_… approve --reason "…"');
  return word(call, 'answer', { answer: said });
}

const wordCommand = (action: string, summary: string): Command => ({
  name: `playbook ${action}`,
  usage: 'RUN',
  wordsMax: 1,
  summary,
  options: { ...reasonOption, as: asOption },
  run: (call) => word(call, action),
});

export const playbookRunCommands: readonly Command[] = [
  {
    name: 'playbook list',
    usage: '',
    wordsMax: 0,
    summary: 'Playbooks, who agreed, and which run',
    options: {},
    run: list,
  },
  {
    name: 'playbook run',
    usage: 'NAME',
    wordsMax: 1,
    summary: 'Begin a run now',
    options: {
      ...reasonOption,
      'dry-run': { type: 'boolean', help: 'only say what it would do' },
      as: asOption,
    },
    run,
  },
  {
    name: 'playbook runs',
    usage: '[RUN]',
    wordsMax: 1,
    summary: 'Runs, or one of them step by step',
    options: {},
    run: runs,
  },
  {
    name: 'playbook answer',
    usage: 'RUN approve|reject',
    wordsMax: 2,
    summary: 'Answer what a run asks',
    options: { ...reasonOption, as: asOption },
    run: answer,
  },
  wordCommand('pause', 'Stop a run where it is'),
  wordCommand('resume', 'Let a paused run go on'),
  wordCommand('skip', 'Pass over the step under way'),
  wordCommand('abort', 'End a run; its switches stay'),
  {
    name: 'playbook save',
    usage: 'FILE',
    wordsMax: 1,
    summary: 'Hand a playbook to the server',
    options: { as: asOption },
    run: save,
  },
];
