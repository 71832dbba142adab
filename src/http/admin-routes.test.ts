/** The admin API without a socket or a store: who may ask, what is read, and what goes out. */
import { beforeEach, describe, expect, test } from 'bun:test';

import { aRun, aShelvedPlaybook } from '../../test/playbook-fixture.ts';
import { anSlaInput, reportSnapshot } from '../../test/report-fixture.ts';
import { aMessage } from '../../test/site-fixture.ts';
import { aChannel, aDelivery } from '../../test/told-fixture.ts';
import { opusAtAnthropic } from '../../test/core-fixture.ts';
import { aChange, aHold, aKey, aRecord, aRescue, aSwitch, start } from '../../test/record-fixture.ts';
import { freshCanary } from '../core/canary.ts';
import { continuityReport } from '../core/report-continuity.ts';
import { slaReport } from '../core/report-sla.ts';
import { attemptOf } from '../control/attempt.ts';
import { StoreUnavailable } from '../control/queries.ts';
import { controlError, done } from '../control/verb.ts';
import { instant } from '../core/ids.ts';
import { adminAnswers } from './admin-answers.ts';
import type { AnswerName } from './admin-answers.ts';
import { adminBodyBytesMax } from './admin-body.ts';
import type { RequestRecord } from '../core/record.ts';
import { countInto, groupKey, tallyOf } from '../core/statistics.ts';
import type { Groups } from '../core/statistics.ts';
import type { KeptRecord } from '../store/store.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminRouteTable } from './admin-route-table.ts';
import { adminRoutes } from './admin-routes.ts';
import { openapiDocument } from './openapi.ts';
import { mayAct, roles } from './roles.ts';
import type { Role } from './roles.ts';

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

const entry = aSwitch();
const kept = (record: RequestRecord, index: number): KeptRecord => ({
  ...record,
  leaf: { index, hash: 'ab'.repeat(32) },
});
const record = kept(aRescue(), 3);
const someGroups = (): Groups => {
  const groups: Groups = new Map();
  const facts = { outcome: 'answered', hasHop: true, durationMs: 700, firstTokenMs: 90 } as const;
  countInto(tallyOf(groups, groupKey(['notes', 'openai/gpt-5.2'])), {
    ...facts,
    inputTokens: 10,
    outputTokens: 5,
    costMicroUsd: null,
  });
  return groups;
};
let calls: unknown[][];
let fake: AdminDependencies;

beforeEach(() => {
  calls = [];
  const note =
    <T>(name: string, value: T) =>
    (...given: unknown[]): T => {
      calls.push([name, ...given]);
      return value;
    };
  fake = {
    now: () => start,
    roleOf: (token) => roles.find((role) => role === token) ?? null,
    recordRejection: note('rejection', Promise.resolve()),
    onBug: note('bug', undefined),
    store: {
      findRecord: (id) => Promise.resolve(id === record.id ? record : null),
      listRecords: note(
        'records',
        Promise.resolve({ items: [record, kept(aRecord(), 2)], nextCursor: null }),
      ),
      tallyRecords: note('tally', Promise.resolve({ groups: someGroups(), below: null, rows: 1 })),
      listChanges: note(
        'changes',
        Promise.resolve({
          items: [
            aChange({ after: entry }),
            aChange({ kind: 'gate.transition', before: 'healthy', after: 'ejected' }),
            aChange({ kind: 'key.created', after: { name: 'a', dataClassMax: null } }),
          ],
          nextCursor: 'chg_1',
        }),
      ),
      incidentsOf: () => Promise.resolve(new Map()),
      findIncident: () => Promise.resolve(null),
      listIncidents: () => Promise.resolve({ items: [], nextCursor: null }),
      listHits: () => Promise.resolve({ items: [], nextCursor: null }),
      countHits: () => Promise.resolve([]),
      loadKeys: () => Promise.resolve([aKey(), aKey({ features: null })]),
    },
    incidents: {
      read: () => Promise.resolve(null),
      open: note('open', Promise.resolve(controlError('invalid', 'no class', 'say which'))),
      update: note('update', Promise.resolve(controlError('not_found', 'no incident', 'list them'))),
      merge: note('merge', Promise.resolve(controlError('not_found', 'no incident', 'list them'))),
      split: note('split', Promise.resolve(controlError('not_found', 'no incident', 'list them'))),
      dismiss: note('dismiss', Promise.resolve(controlError('not_found', 'no incident', 'list them'))),
    },
    canaries: () => [
      {
        target: 'anthropic/opus',
        canary: { ...freshCanary, finding: { at: start, words: 'other words' } },
        dueAt: start,
      },
    ],
    insight: {
      diagnose: () => Promise.resolve(null),
      postmortem: () => Promise.resolve(null),
      whatChanged: () => Promise.resolve([]),
    },
    state: () => ({ snapshot: 'abc' }),
    reports: {
      continuity: () =>
        Promise.resolve(
          continuityReport({
            snapshot: reportSnapshot(),
            now: start,
            since: start,
            told: new Map(),
            fallbacks: new Map(),
            incidents: [],
            records: 0,
            ledger: 'fine',
          }),
        ),
      sla: () => Promise.resolve(slaReport(anSlaInput())),
    },
    playbooks: {
      list: () => [aShelvedPlaybook()],
      runs: () => [aRun()],
      save: note('save', Promise.resolve(done(aShelvedPlaybook()))),
      run: note('run', Promise.resolve(done({ kind: 'run' as const, run: aRun() }))),
      test: () => Promise.resolve([{ test: 'a test', ok: true, decisions: [], failures: [] }]),
      history: note('history', Promise.resolve({ items: [aRun()], nextCursor: null })),
      find: (id) => Promise.resolve(aRun({ id })),
      tell: note('tell', Promise.resolve(done(aRun()))),
    },
    holds: {
      list: note('holds', Promise.resolve({ items: [aHold()], nextCursor: null })),
      place: note('place', Promise.resolve(done(aHold()))),
      release: note(
        'unhold',
        Promise.resolve(done(aHold({ release: { at: start, by: 'a', reason: 'over' } }))),
      ),
    },
    content: {
      read: note(
        'look',
        Promise.resolve(
          done({
            request: record.id,
            question: { text: 'q', bytes: 1, cut: false },
            answer: { text: 'a', bytes: 9, cut: true },
          }),
        ),
      ),
      looks: note('looks', Promise.resolve({ items: [aChange({ kind: 'content.read' })], nextCursor: null })),
    },
    statusCopy: () => new Map([['index.html', '<!DOCTYPE html>']]),
    messages: {
      list: () => Promise.resolve([aMessage()]),
      preview: note(
        'preview message',
        Promise.resolve(done({ stage: 'backup', texts: aMessage().texts, nextUpdateAt: null, problems: [] })),
      ),
      publish: note('publish', Promise.resolve(done(aMessage()))),
      suppress: note(
        'suppress',
        Promise.resolve(done(aMessage({ state: 'suppressed', reason: 'why', texts: {} }))),
      ),
    },
    ledger: {
      key: 'example.com+00000000+AQ',
      standing: () => ({ kind: 'sound', words: 'fine' }),
      checkpoint: () => Promise.resolve('a note\n'),
      prove: (id) =>
        Promise.resolve(id === record.id ? { text: 'a proof\n', index: 3, erased: false } : null),
      proveConsistency: (from) => Promise.resolve(from > 9 ? null : 'old 1\n'),
      exportLedger: note('export', (async function* lines() {})()),
      acknowledge: note('acknowledge', Promise.resolve(done({ kind: 'truncated', size: 1, expected: 2 }))),
      eraseUser: note('erase', Promise.resolve(done({ contents: 0, records: 2 }))),
    },
    channels: {
      list: () => Promise.resolve([{ channel: aChannel(), goneAt: null }]),
      test: note('test', Promise.resolve(done(aDelivery({ state: 'delivered' })))),
      replay: note('replay', Promise.resolve(done(aDelivery()))),
      deliveries: note('deliveries', Promise.resolve({ items: [aDelivery()], nextCursor: null })),
    },
    switches: {
      list: () => [entry, aSwitch({ effect: { kind: 'shed', percent: 50 }, expiresAt: null })],
      find: (id) => Promise.resolve(id === entry.id ? entry : null),
      create: note('create', Promise.resolve(done(entry))),
      preview: note(
        'preview',
        Promise.resolve(
          done({ windowMs: 900_000, requests: 0, features: [], costChange: null, capacity: [] }),
        ),
      ),
      release: note('release', Promise.resolve(done({ ...entry, rev: 2 }))),
      expand: () => ['anthropic/opus'],
      acks: () => [{ replica: 'r_1', rev: 1, at: new Date(start).toISOString() }],
    },
    gates: {
      list: () => [{ target: 'anthropic/opus' }],
      view: (target) => ({ target: target.name }),
      settled: () => Promise.resolve(),
      test: note(
        'test',
        Promise.resolve(
          done({ since: start, until: start, records: 0, isCut: false, current: [], proposed: null }),
        ),
      ),
      hold: note('hold', Promise.resolve(done(opusAtAnthropic))),
      giveBack: note('giveBack', Promise.resolve(controlError('conflict', 'healthy', 'nothing'))),
    },
    keys: {
      create: note('key', Promise.resolve(done({ key: aKey(), secret: 'bw_x', warnings: [] }))),
      revoke: note('revoke', Promise.resolve(controlError('not_found', 'no key', 'list them'))),
    },
    config: {
      view: () => ({}),
      snapshot: (hash) => Promise.resolve(hash === 'abc' ? 'listen: x' : null),
      check: note('check', { ok: true }),
    },
    explain: () => ({ kind: 'invalid', message: 'no feature' }),
    coverage: () => [],
  };
});

async function ask(
  method: string,
  path: string,
  more: {
    readonly role?: string | null;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Answer> {
  const url = `http://localhost/admin/v1/${path}`;
  const { role = 'admin', body, headers } = more;
  const response = await adminRoutes(fake).handle(
    new Request(url, {
      method,
      headers: { ...(role === null ? {} : { authorization: `Bearer ${role}` }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
    new URL(url),
  );
  return {
    status: response.status,
    body: (method !== 'HEAD' && response.headers.get('content-type')?.startsWith('application/json') === true
      ? await response.json()
      : {}) as Record<string, unknown>,
    headers: response.headers,
  };
}

const errorOf = (answer: Answer) => answer.body['error'] as Record<string, unknown>;

describe('names of targets in addresses', () => {
  test.each(['openrouter/meta/llama-4', 'openrouter%2Fmeta%2Fllama-4'])('%s', async (path) => {
    const answer = await ask('POST', `gates/${path}/hold`, { body: { reason: 'drill' } });
    expect(answer.status).toBe(200);
    expect(calls.at(-1)).toEqual([
      'hold',
      { name: 'openrouter/meta/llama-4', input: { reason: 'drill' } },
      'admin',
    ]);
  });

  test('a gate that is not out cannot be given back', async () => {
    expect((await ask('POST', 'gates/a/b/return', { body: { reason: 'drill' } })).status).toBe(409);
  });
});

describe('who may ask', () => {
  test('a role stands for itself, and admin for every role', () => {
    for (const role of roles)
      expect([role, mayAct(role, role), mayAct('admin', role)]).toEqual([role, true, true]);
    expect(roles.filter((role) => mayAct(role, 'admin'))).toEqual(['admin']);
  });

  const pairs = adminRouteTable.flatMap((route) =>
    roles.map((role) => [route.method, route.path, role, route.role]),
  );
  test.each(pairs as [string, string, Role, Role][])('%s %s as %s', async (method, path, role, required) => {
    const at = path.replace('/admin/v1/', '').replace('{id}', 'x_1');
    const { status } = await ask(method, at, { role, ...(method === 'POST' ? { body: {} } : {}) });
    expect(status === 403).toBe(!mayAct(role, required));
    if (status === 403) expect(calls.map(([name]) => name)).not.toContain('create');
  });

  test.each([null, 'nobody', '', 'admin extra'])('token %p is refused, whatever is asked', async (role) => {
    for (const path of ['state', 'nothing', 'requests?nonsense=1']) {
      const answer = await ask('GET', path, { role });
      expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(calls).toEqual([]);
  });

  test.each([
    ['by its role', 'switches', 'viewer', { scope: { provider: 'anthropic' }, prompt: 'a' }],
    ['by its verb', 'switches', 'admin', { scope: { provider: 'anthropic' }, prompt: 'a' }],
    ['without the name of whom', 'audit/erase', 'viewer', { user: 'u1', reason: 'asked to' }],
  ] as const)('what was tried is known where it is refused: %s', async (_how, path, role, body) => {
    const tried: unknown[] = [];
    const note = (): void => void tried.push(attemptOf('maria'));
    fake = {
      ...fake,
      recordRejection: () => Promise.resolve(note()),
      switches: {
        ...fake.switches,
        create: () => {
          note();
          return Promise.resolve(controlError('invalid', 'no reason', 'say why'));
        },
      },
    };
    await ask('POST', path, { role, body, headers: { 'x-breakwater-actor': 'maria' } });
    const kept = path === 'switches' ? { scope: { provider: 'anthropic' } } : { reason: 'asked to' };
    const kind = path === 'switches' ? 'switch' : 'records';
    expect(tried).toEqual([{ call: `POST /admin/v1/${path}`, kind, id: null, role, body: kept }]);
  });

  test('a change that a role may not make is written down', async () => {
    await ask('POST', 'switches', { role: 'viewer', body: {}, headers: { 'x-breakwater-actor': 'maria' } });
    expect(calls).toEqual([
      ['rejection', 'This takes the role responder; yours is viewer.', { actor: 'maria', subject: 'switch' }],
    ]);
  });
});

describe('what is read', () => {
  test.each([
    ['requests?featur=notes', 'featur', 'did you mean "feature"?'],
    ['requests?feature=a&feature=b', 'feature', 'Give it once.'],
    ['state?x=1', 'x', 'This address takes none.'],
    [
      'changes?zzzzzzzz=1',
      'zzzzzzzz',
      'Known parameters are kind, actor, subject, since, until, cursor, limit.',
    ],
    ['requests?limit=0', 'limit', 'Correct the value.'],
    ['requests?limit=201', 'limit', 'Correct the value.'],
    ['requests?since=1', 'since', 'Correct the value.'],
    ['requests?until=2026-06-31T25:00:00Z', 'until', 'Correct the value.'],
    ['requests?cursor=chg_1', 'cursor', 'Correct the value.'],
    ['changes?cursor=req_1', 'cursor', 'Correct the value.'],
    ['runs?cursor=req_1', 'cursor', 'Correct the value.'],
    ['runs?limit=many', 'limit', 'Correct the value.'],
    ['reports/sla?month=0000-01', 'month', 'Correct the value.'],
    ['requests?hop=same', 'hop', 'Correct the value.'],
    ['requests?fallback=zzz', 'fallback', 'Correct the value.'],
    ['requests/stats?fallback=overload', 'fallback', 'Correct the value.'],
    ['requests/export?fallback=zzz', 'fallback', 'Correct the value.'],
    ['requests?feature=', 'feature', 'Correct the value.'],
  ])('%s is refused', async (path, field, remedy) => {
    const answer = await ask('GET', path);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid', field, remedy });
    expect(calls).toEqual([]);
  });

  test('a misspelt failure class names the nearest', async () =>
    expect(errorOf(await ask('GET', 'requests?failure=overlaoded'))['message']).toContain(
      'did you mean "overloaded"?',
    ));

  test('a filter reaches the store', async () => {
    await ask('GET', 'requests?feature=notes&since=1h&until=2026-06-07&failure=overloaded&limit=3');
    expect(calls).toEqual([
      [
        'records',
        {
          feature: 'notes',
          failure: 'overloaded',
          since: instant(start - 3_600_000),
          until: instant(Date.UTC(2026, 5, 7)),
          limit: 3,
        },
      ],
    ]);
  });

  test.each([
    ['{"scope":', 400, expect.stringContaining('The body is not valid JSON: line 1')],
    ['[]', 400, 'The body must be a JSON object.'],
    ['{"reason":"a","reason":"b"}', 400, expect.stringContaining('reason')],
    [' '.repeat(adminBodyBytesMax + 1), 413, `The body is larger than ${adminBodyBytesMax} bytes.`],
  ])('a bad body is refused and written down', async (body, status, words) => {
    const answer = await ask('POST', 'switches', { body });
    expect(answer.status).toBe(status);
    expect(calls).toEqual([['rejection', words, { actor: 'admin', subject: 'switch' }]]);
  });

  test('a body without a length is not read beyond the limit', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const url = 'http://localhost/admin/v1/explain';
    const response = await adminRoutes(fake).handle(
      new Request(url, { method: 'POST', headers: { authorization: 'Bearer admin' }, body: endless }),
      new URL(url),
    );
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(adminBodyBytesMax / 65_536 + 10);
  });

  test('bytes that are not UTF-8 are refused', async () => {
    const url = 'http://localhost/admin/v1/explain';
    const response = await adminRoutes(fake).handle(
      new Request(url, {
        method: 'POST',
        headers: { authorization: 'Bearer admin' },
        body: new Uint8Array([0x22, 0xff, 0x22]),
      }),
      new URL(url),
    );
    expect(await response.text()).toContain('The body is not UTF-8.');
  });

  test.each([
    [{ featur: 'notes' }, 'featur', 'did you mean "feature"?'],
    [{ feature: 'notes', needs: ['tool'] }, 'needs.0', 'Correct the value.'],
    [{ feature: 'notes', input_tokens: -1 }, 'input_tokens', 'Correct the value.'],
  ])('explain %j is refused', async (body, field, remedy) => {
    const answer = await ask('POST', 'explain', { body });
    expect([answer.status, errorOf(answer)['field'], errorOf(answer)['remedy']]).toEqual([
      400,
      field,
      remedy,
    ]);
  });

  test.each([
    ['application/json', '{"text":"a: 1"}'],
    ['application/yaml', 'a: 1'],
    ['text/plain; charset=utf-8', 'a: 1'],
    ['application/x-www-form-urlencoded', 'a: 1'],
    ['application/x-www-form-urlencoded', ' {"text":"a: 1"}'],
  ])('a configuration to check may come as %s', async (type, body) => {
    await ask('POST', 'config/check', { body, headers: { 'content-type': type } });
    expect(calls).toEqual([['check', 'a: 1']]);
  });

  test.each([
    ['"7"', 7],
    ['W/"7"', 7],
    ['*', null],
    ['7', Number.NaN],
  ])('if-match %s', async (text, rev) => {
    await ask('POST', 'switches/sw_1/release', { body: { reason: 'fine' }, headers: { 'if-match': text } });
    expect(calls).toEqual([['release', { id: 'sw_1', input: { reason: 'fine' }, rev }, 'admin']]);
  });

  test.each(['', ' x'.repeat(40), 'ma\u00efa', 'a;b', '-'])(
    'actor %j is refused, not replaced',
    async (actor) => {
      const answer = await ask('POST', 'switches', { body: {}, headers: { 'x-breakwater-actor': actor } });
      expect(errorOf(answer)['field']).toBe('x-breakwater-actor');
      expect(calls.map(([name]) => name)).toEqual(['rejection']);
    },
  );
});

describe('a look at captured content', () => {
  test.each([
    ['without a reason', 'auditor', `requests/${record.id}/content`],
    ['without the role', 'operator', `requests/${record.id}/content?reason=curious`],
  ])('%s is refused, and written down', async (_what, held, path) => {
    const answer = await ask('GET', path, { role: held as Role });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(calls).toEqual([
      ['rejection', expect.any(String), { actor: 'admin', subject: record.id, kind: 'content.refused' }],
    ]);
  });
});

describe('what is not there', () => {
  test('an address', async () => expect((await ask('GET', 'nothing')).status).toBe(404));
  test('a method', async () => {
    const answer = await ask('DELETE', 'switches');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });
  test.each(['requests/req_0', 'switches/sw_0', 'switches/sw_0/acks'])('%s', async (path) =>
    expect((await ask('GET', path)).status).toBe(404),
  );
});

describe('trouble', () => {
  test('of the store is 503 and no bug', async () => {
    fake = {
      ...fake,
      store: { ...fake.store, listRecords: () => Promise.reject(new StoreUnavailable('failed', 'gone')) },
    };
    expect((await ask('GET', 'requests')).status).toBe(503);
    expect(calls).toEqual([]);
  });

  test('of our own is 500, counted, and tells nothing', async () => {
    fake = {
      ...fake,
      state: () => {
        throw new Error('secret detail');
      },
    };
    const answer = await ask('GET', 'state');
    expect([answer.status, errorOf(answer)['code']]).toEqual([500, 'internal_error']);
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
    expect(calls.map(([name]) => name)).toEqual(['bug']);
  });
});

describe('what goes out', () => {
  test.each([
    ['GET', 'switches', 'SwitchList', 200],
    ['POST', 'switches', 'Switch', 201],
    ['GET', `switches/${entry.id}`, 'Switch', 200],
    ['GET', `switches/${entry.id}/acks`, 'AckList', 200],
    ['POST', `switches/${entry.id}/release`, 'Switch', 200],
    ['GET', 'requests', 'RecordList', 200],
    ['GET', 'requests/stats?by=feature,target&since=1h', 'RequestStatistics', 200],
    ['GET', 'requests/stats?by=feature,targte', 'Error', 400],
    ['GET', 'reports/continuity', 'ContinuityReport', 200],
    ['GET', 'reports/sla?month=2026-06', 'SlaReport', 200],
    ['GET', 'reports/sla?month=2026-13', 'Error', 400],
    ['GET', `requests/${record.id}`, 'ExplainedRecord', 200],
    ['GET', 'changes', 'ChangeList', 200],
    ['GET', 'keys', 'KeyList', 200],
    ['POST', 'keys', 'KeyCreated', 201],
    ['GET', 'incidents/inc_1/messages', 'MessageList', 200],
    ['POST', 'incidents/inc_1/messages/preview', 'MessageDraft', 200],
    ['POST', 'incidents/inc_1/messages/publish', 'Message', 201],
    ['POST', 'incidents/inc_1/messages/suppress', 'Message', 201],
    ['GET', 'status/export', 'StatusCopy', 200],
    ['GET', 'channels', 'ChannelList', 200],
    ['POST', 'channels/hook/test', 'Delivery', 200],
    ['GET', 'deliveries?state=dead', 'DeliveryList', 200],
    ['POST', 'deliveries/dlv_1/replay', 'Delivery', 200],
    ['GET', 'config/snapshots/abc', 'ConfigSnapshot', 200],
    ['GET', 'config/snapshots/xyz', 'Error', 404],
    ['GET', 'audit', 'LedgerStanding', 200],
    ['POST', 'audit/acknowledge', 'LedgerStanding', 200],
    ['POST', 'audit/erase', 'RecordsErased', 200],
    ['GET', 'audit/proof/req_2', 'Error', 404],
    ['GET', 'audit/consistency?from=10', 'Error', 404],
    ['GET', `requests/${record.id}/content?reason=a+complaint`, 'Content', 200],
    ['GET', `requests/${record.id}/content`, 'Error', 400],
    ['GET', 'content/looks', 'LookList', 200],
    ['GET', 'holds', 'HoldList', 200],
    ['POST', 'holds', 'Hold', 201],
    ['POST', 'holds/hold_1/release', 'Hold', 200],
    ['GET', 'nothing', 'Error', 404],
  ] as [string, string, AnswerName, number][])(
    '%s %s has the shape %s',
    async (method, path, name, status) => {
      const answer = await ask(method, path, method === 'POST' ? { body: {} } : {});
      expect(answer.status).toBe(status);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(adminAnswers[name].parse(answer.body)).toEqual(answer.body as never);
    },
  );

  test('a switch carries its revision', async () =>
    expect((await ask('GET', `switches/${entry.id}`)).headers.get('etag')).toBe('"1"'));

  test('HEAD says as much as GET, without the body', async () => {
    const url = `http://localhost/admin/v1/switches/${entry.id}`;
    const headers = { authorization: 'Bearer viewer' };
    const answer = await adminRoutes(fake).handle(
      new Request(url, { method: 'HEAD', headers }),
      new URL(url),
    );
    // The server leaves the body out, and tells its length.
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect((await ask('HEAD', 'nothing')).status).toBe(404);
    expect((await ask('HEAD', 'state', { role: null })).status).toBe(401);
    expect((await ask('HEAD', 'explain')).status).toBe(405);
  });

  test('neither hashes of keys nor core types leave', async () => {
    const keys = JSON.stringify((await ask('GET', 'keys')).body);
    expect(keys).not.toContain('hash');
    const { items } = (await ask('GET', 'changes')).body as { items: Record<string, unknown>[] };
    expect(items[0]?.['after']).toMatchObject({ created_at: '2026-06-07T09:00:00.000Z', effect: 'off' });
    expect(items[1]).toMatchObject({ before: 'healthy', after: 'ejected' });
    expect(items[2]?.['after']).toEqual({ name: 'a', data_class_max: null });
  });
});

describe('the OpenAPI file', () => {
  const document = openapiDocument('1') as {
    paths: Record<string, Record<string, { 'x-role': string; responses: object }>>;
    components: { schemas: object };
  };
  test('has every route with its role', () => {
    for (const { method, path, role } of adminRouteTable)
      expect([path, document.paths[path]?.[method.toLowerCase()]?.['x-role']]).toEqual([path, role]);
  });
  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(adminRouteTable.length);
    for (const [, name = ''] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });
});
