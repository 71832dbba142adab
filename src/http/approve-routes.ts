/**
 * The page behind the link that a playbook's question carries into a chat: it shows what is asked, and takes one answer.
 * Opening it changes nothing, because chats open links by themselves; the answer is a form that a person sends. Whoever
 * has the link may answer, once: it is signed for one question of one run and means nothing when that is answered.
 */
import type { Result } from '../control/verb.ts';
import type { Run } from '../core/playbook-run.ts';
import { escaped } from '../site/html.ts';
import { isActorName } from './actor-name.ts';
import { approvePrefix } from './routes.ts';

export type Approvals = {
  /** The run that a token asks about, while it still asks; null otherwise. */
  readonly asking: (token: string) => Promise<Run | null>;
  readonly answer: (run: Run, input: unknown, actor: string) => Promise<Result<Run>>;
};

const bodyBytesMax = 8_192;

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
};

function page(title: string, content: string, status = 200): Response {
  const style =
    'body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}label{display:block;margin:1rem 0 .25rem}input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}button{font:inherit;padding:.6rem 1.2rem;margin:1.25rem .75rem 0 0}';
  return new Response(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head><body><main><h1>${escaped(title)}</h1>${content}</main></body></html>`,
    { status, headers },
  );
}

const over = (): Response =>
  page('Nothing is asked here', '<p>This link is not valid, or its question has been answered.</p>', 404);

function form(run: Run, problem: string | null): Response {
  const current = run.operations[run.at];
  const question = current?.kind === 'ask' ? current.question : '';
  const log = run.log.slice(-5).map(({ words }) => `<li>${escaped(words)}</li>`);
  return page(
    question,
    `${problem === null ? '' : `<p role="alert"><strong>${escaped(problem)}</strong></p>`}<p>Playbook <strong>${escaped(run.playbook)}</strong> asks, about ${escaped(run.subject.join(', '))}.</p><ul>${log.join('')}</ul><form method="post"><label for="by">Your name</label><input id="by" name="by" required maxlength="64" autocomplete="name"><label for="reason">Why</label><input id="reason" name="reason" required minlength="3" maxlength="500"><button name="answer" value="approve">Approve</button><button name="answer" value="reject">Reject</button></form>`,
    problem === null ? 200 : 400,
  );
}

async function answered(request: Request, run: Run, { answer }: Approvals): Promise<Response> {
  const text = await request.text();
  if (text.length > bodyBytesMax) return form(run, 'That is too long.');
  const given = new URLSearchParams(text);
  const by = given.get('by')?.trim() ?? '';
  if (!isActorName(by)) return form(run, 'Please give your name: letters, digits, spaces or . _ @ -');
  const result = await answer(run, { answer: given.get('answer'), reason: given.get('reason') }, by);
  if (result.kind === 'error') return form(run, `${result.message} ${result.remedy}`);
  return page(
    'Thank you',
    `<p>Your answer is written down, and playbook ${escaped(run.playbook)} goes on.</p>`,
  );
}

export function approveRoutes(approvals: Approvals): (request: Request, path: string) => Promise<Response> {
  return async (request, path) => {
    const run = await approvals.asking(path.slice(approvePrefix.length));
    if (run === null) return over();
    return request.method === 'POST' ? answered(request, run, approvals) : form(run, null);
  };
}
