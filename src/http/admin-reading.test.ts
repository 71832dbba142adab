/** What the admin API reads: parameters, bodies, and the names in headers; each refusal says where and what to do. */
import { beforeEach, describe, expect, test } from 'bun:test';

import { start } from '../../test/record-fixture.ts';
import { instant } from '../core/ids.ts';
import { adminBodyBytesMax } from './admin-body.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminRoutes } from './admin-routes.ts';
import { askerOf, errorOf, fakeAdmin } from '../../test/admin-fixture.ts';

let calls: unknown[][];
let fake: AdminDependencies;
beforeEach(() => {
  ({ calls, fake } = fakeAdmin());
});

const ask = askerOf(() => fake);

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
