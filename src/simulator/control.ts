/** The faults and the calls over HTTP, at `/_simulator/` on every provider's port, for drills from another process. */
import type { CallLog } from './call-log.ts';
import { readFaultRule } from './fault-rule.ts';
import type { FaultBook, NewFaultRule } from './faults.ts';
import { sendWhole } from './provider-simulation.ts';
import type { WireReply } from './wire-server.ts';
import type { WireRequest } from './wire-request.ts';

export const controlPath = '/_simulator/';

type Reply = { readonly status: number; readonly body: unknown };

const problem = (status: number, message: string): Reply => ({ status, body: { error: { message } } });

function addFault(request: WireRequest, set: (rule: NewFaultRule) => string): Reply {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(request.body));
  } catch {
    return problem(400, 'the body is not JSON');
  }
  const read = readFaultRule(value);
  if (read.kind === 'not_understood') return problem(400, read.problem);
  try {
    return { status: 201, body: { id: set(read.rule) } };
  } catch (error) {
    return problem(400, error instanceof Error ? error.message : String(error));
  }
}

function replyTo(
  request: WireRequest,
  faults: FaultBook,
  calls: CallLog,
  set: (rule: NewFaultRule) => string,
): Reply {
  const path = request.path.slice(controlPath.length);
  switch (`${request.method} ${path}`) {
    case 'GET calls':
      return { status: 200, body: calls.shown() };
    case 'DELETE calls':
      calls.forget();
      return { status: 200, body: [] };
    case 'GET faults':
      return { status: 200, body: faults.list() };
    case 'POST faults':
      return addFault(request, set);
    case 'DELETE faults':
      faults.clear();
      return { status: 200, body: [] };
  }
  const id = /^faults\/(.+)$/.exec(path)?.[1];
  if (request.method === 'DELETE' && id !== undefined && faults.remove(decodeURIComponent(id)))
    return { status: 200, body: faults.list() };
  return problem(404, 'there is no such thing');
}

export function serveControl(
  request: WireRequest,
  reply: WireReply,
  faults: FaultBook,
  calls: CallLog,
  set: (rule: NewFaultRule) => string,
): Promise<void> {
  const { status, body } = replyTo(request, faults, calls, set);
  return sendWhole(reply, status, body);
}
