/** The admin API without a socket or a store: everything behind it made up, what it was told noted, and a way to ask it. */

import { aRun, aShelvedPlaybook } from './playbook-fixture.ts';
import { anSlaInput, reportSnapshot } from './report-fixture.ts';
import { aMessage } from './site-fixture.ts';
import { aChannel, aDelivery } from './told-fixture.ts';
import { opusAtAnthropic } from './core-fixture.ts';
import { aChange, aHold, aKey, aRecord, aRescue, aSwitch, start } from './record-fixture.ts';
import { freshCanary } from '../src/core/canary.ts';
import { continuityReport } from '../src/core/report-continuity.ts';
import { slaReport } from '../src/core/report-sla.ts';
import { controlError, done } from '../src/control/verb.ts';
import type { RequestRecord } from '../src/core/record.ts';
import { countInto, groupKey, tallyOf } from '../src/core/statistics.ts';
import type { Groups } from '../src/core/statistics.ts';
import type { KeptRecord } from '../src/store/store.ts';
import type { AdminDependencies } from '../src/http/admin-dependencies.ts';
import { adminRoutes } from '../src/http/admin-routes.ts';
import { roles } from '../src/http/roles.ts';

export type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
};

export const entry = aSwitch();

export const kept = (record: RequestRecord, index: number): KeptRecord => ({
  ...record,
  leaf: { index, hash: 'ab'.repeat(32) },
});

export const record = kept(aRescue(), 3);

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

export type FakeAdmin = {
  /** Every call of a verb, with what it was given. */
  readonly calls: unknown[][];
  readonly fake: AdminDependencies;
};

export function fakeAdmin(): FakeAdmin {
  const calls: unknown[][] = [];
  const note =
    <T>(name: string, value: T) =>
    (...given: unknown[]): T => {
      calls.push([name, ...given]);
      return value;
    };
  const fake: AdminDependencies = {
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
      snapshot: (hash) => Promise.resolve(hash === 'abc' ? { text: 'listen: x', intact: true } : null),
      check: note('check', { ok: true }),
    },
    explain: () => ({ kind: 'invalid', message: 'no feature' }),
    coverage: () => [],
  };
  return { calls, fake };
}

/** Asks the fake of the test that runs. */
export function askerOf(fake: () => AdminDependencies) {
  return async function ask(
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
    const response = await adminRoutes(fake()).handle(
      new Request(url, {
        method,
        headers: { ...(role === null ? {} : { authorization: `Bearer ${role}` }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
      new URL(url),
    );
    return {
      status: response.status,
      body: (method !== 'HEAD' &&
      response.headers.get('content-type')?.startsWith('application/json') === true
        ? await response.json()
        : {}) as Record<string, unknown>,
      headers: response.headers,
    };
  };
}

export const errorOf = (answer: Answer) => answer.body['error'] as Record<string, unknown>;
