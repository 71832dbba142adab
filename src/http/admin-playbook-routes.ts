/** Playbooks: read, hand in, test, run; and what people say to a run. */
import { z } from 'zod';

import { answerInput, playbookInput, runInput, wordInput } from '../control/playbooks.ts';
import type { Action } from '../control/playbooks.ts';
import type { Run } from '../core/playbook-run.ts';
import { cacao, mermaid } from '../core/playbook-export.ts';
import { momentText } from '../core/moment.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { json } from './admin-error.ts';
import { cursor, limit, pageSize, word } from './admin-query.ts';
import { notFound, revisionOf, sent, tagOf } from './admin-route.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { plannedToWire, playbookToWire, runToWire, testedToWire } from './playbook-view.ts';
import { listToWire } from './wire.ts';

const runQuery = z.strictObject({
  playbook: word.optional(),
  cursor: cursor('run').optional(),
  limit: limit.optional(),
});

const wordRoute = (action: 'pause' | 'resume' | 'skip' | 'abort', summary: string): AdminRoute => ({
  method: 'POST',
  path: `/admin/v1/runs/{id}/${action}`,
  role: 'responder',
  summary,
  body: wordInput,
  changes: 'playbook',
  answer: 'Run',
  handle: (call, { playbooks }) => tell(action, call, playbooks),
});

const shownRun = (run: Run, status = 200): Response => json(runToWire(run), status, { etag: `"${run.rev}"` });

async function tell(
  action: Action,
  { parameters, body: input, actor, request }: AdminCall,
  playbooks: AdminDependencies['playbooks'],
): Promise<Response> {
  const given = { input, actor, rev: revisionOf(request) };
  return sent(await playbooks.tell(parameters['id'] ?? '', action, given), (run) => shownRun(run));
}

export const playbookRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/playbooks',
    role: 'viewer',
    summary: 'Playbooks, who agreed to them, and which run',
    answer: 'PlaybookList',
    handle: (_call, { playbooks, now }) =>
      Promise.resolve(
        json(listToWire(playbooks.list().map((each) => playbookToWire(each, playbooks.runs(), now())))),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/playbooks',
    role: 'operator',
    summary: 'Hand in a playbook; one of the same name is replaced',
    body: playbookInput,
    takesText: true,
    changes: 'playbook',
    answer: 'Playbook',
    status: 201,
    handle: async ({ body: input, actor, request }, dependencies) =>
      sent(
        await dependencies.playbooks.save({ input, actor, version: tagOf(request) }),
        ({ playbook: { name } }) => shown(name, dependencies, 201),
      ),
  },
  {
    method: 'GET',
    path: '/admin/v1/playbooks/{name}',
    role: 'viewer',
    summary: 'One playbook: its text, as a picture, and as CACAO 2.0',
    answer: 'Playbook',
    handle: ({ parameters }, dependencies) => Promise.resolve(shown(parameters['name'] ?? '', dependencies)),
  },
  {
    method: 'POST',
    path: '/admin/v1/playbooks/{name}/run',
    role: 'responder',
    summary: 'Begin a run now; with dry_run, only what it would do',
    body: runInput,
    changes: 'playbook',
    answer: 'RunOrPlan',
    status: [200, 201],
    handle: async ({ parameters, body, actor }, { playbooks }) => {
      const name = parameters['name'] ?? '';
      return sent(await playbooks.run(name, body, actor), (started) =>
        started.kind === 'run' ? shownRun(started.run, 201) : json(plannedToWire(name, started.plan)),
      );
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/playbooks/{name}/test',
    role: 'viewer',
    summary: "Play the playbook's own tests against the configuration in force; nothing is changed",
    answer: 'PlaybookTested',
    handle: async ({ parameters }, { playbooks }) => {
      const name = parameters['name'] ?? '';
      const results = await playbooks.test(name);
      return results === null ? notFound('such playbook') : json(testedToWire(name, results));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/runs',
    role: 'viewer',
    summary: 'Runs of playbooks, newest first',
    query: runQuery,
    answer: 'RunList',
    handle: async ({ query }, { playbooks }) => {
      const page = await playbooks.history(
        query['playbook'] ?? null,
        query['cursor'] ?? null,
        pageSize(query['limit']),
      );
      return json(listToWire(page.items.map(runToWire), page.nextCursor));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/runs/{id}',
    role: 'viewer',
    summary: 'One run, step by step',
    answer: 'Run',
    handle: async ({ parameters }, { playbooks }) => {
      const run = await playbooks.find(parameters['id'] ?? '');
      return run === null ? notFound('such run') : shownRun(run);
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/runs/{id}/answer',
    role: 'responder',
    summary: 'Answer what a run asks',
    body: answerInput,
    changes: 'playbook',
    answer: 'Run',
    handle: (call, { playbooks }) => tell('answer', call, playbooks),
  },
  wordRoute('pause', 'Stop a run where it is'),
  wordRoute('resume', 'Let a paused run go on'),
  wordRoute('skip', 'Pass over the step under way'),
  wordRoute('abort', 'End a run; what it switched stays until it expires or is released'),
];

function shown(name: string, { playbooks, now }: AdminDependencies, status: 200 | 201 = 200): Response {
  const found = playbooks.list().find(({ playbook }) => playbook.name === name);
  if (found === undefined) return notFound('such playbook');
  const at = momentText(found.playbook.agreed?.on ?? now());
  return json(
    {
      ...playbookToWire(found, playbooks.runs(), now()),
      text: found.text,
      mermaid: mermaid(found.playbook),
      cacao: cacao(found.playbook, at, (text) => Bun.randomUUIDv5(text, 'url')),
    },
    status,
    { etag: `"${found.playbook.version}"` },
  );
}
