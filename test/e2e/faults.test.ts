/** Each fault of a provider, in both dialects, streamed and whole: rescued unseen before the commit point, honest after it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import type { Fault } from '../../src/simulator/faults.ts';
import type { House, Json } from '../harness.ts';
import { callersOf, preferredOf, readStream, spoken, startFaulty } from './faults-fixture.ts';
import type { Faulty } from './faults-fixture.ts';

// A gateway of its own for each case: every case meets the fault itself, not what health remembers of the last one.
let faulty: Faulty;
let house: House;
beforeEach(async () => {
  faulty = await startFaulty();
  ({ house } = faulty);
});
afterEach(() => house.stop());

const { ask, outwait } = callersOf(() => faulty);

/** Faults that end before any content, with the class each must get. */
const early: readonly (readonly [string, Fault, string, string?])[] = [
  ['an overload', { kind: 'preset', preset: 'overloaded' }, 'overloaded'],
  ['an internal error', { kind: 'preset', preset: 'server_error' }, 'server_error'],
  ['an HTML page of the edge', { kind: 'preset', preset: 'edge_page' }, 'server_error'],
  [
    'a rate limit',
    { kind: 'preset', preset: 'rate_limited', headers: { 'retry-after': '30' } },
    'rate_limited',
  ],
  ['an exhausted quota', { kind: 'preset', preset: 'quota_exhausted' }, 'quota_exhausted'],
  ['a rejected key', { kind: 'preset', preset: 'credential_rejected' }, 'credential_rejected'],
  ['an unknown model', { kind: 'preset', preset: 'model_not_found' }, 'model_not_found'],
  ['an unknown status', { kind: 'status', status: 302 }, 'unclassified'],
  ['a reset before headers', { kind: 'cut', how: 'reset' }, 'connection_reset'],
  ['an end before headers', { kind: 'cut', how: 'fin' }, 'connection_reset'],
  ['silence before headers', { kind: 'hang', where: 'headers' }, 'headers_timeout'],
  ['an empty answer', { kind: 'empty' }, 'empty_completion'],
  ['a 200 that is no answer', { kind: 'not_json' }, 'malformed_response', 'stream_truncated'],
  ['an error event after 200', { kind: 'error_event', afterEvents: 0 }, 'overloaded'],
  [
    'an error event of another kind',
    { kind: 'error_event', afterEvents: 0, type: 'api_error' },
    'stream_error_event',
  ],
  ['an error event and then [DONE]', { kind: 'error_event', afterEvents: 0, thenDone: true }, 'overloaded'],
  ['a cut before content', { kind: 'cut', how: 'reset', afterEvents: 0 }, 'stream_truncated'],
  ['a clean end before content', { kind: 'cut', how: 'fin', afterEvents: 0 }, 'stream_truncated'],
  [
    'silence before the first token',
    { kind: 'hang', where: 'first_token' },
    'headers_timeout',
    'first_token_timeout',
  ],
];

describe.each(spoken)('before the commit point, $dialect', (how) => {
  describe.each([false, true])('stream %p', (stream) => {
    test.each(early)('%s is rescued unseen', async (_name, fault, whole, streamed = whole) => {
      house.simulator.setFault({ provider: how.provider, fault });
      const answering = ask(how, how.feature, stream);
      await outwait(how, fault, stream);
      const answer = await answering;
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
      if (stream) expect(readStream(answer.text)).toMatchObject({ ending: 'terminal', errors: 0 });
      const record = await house.record(answer.id);
      const attempts = record['attempts'] as Json[];
      expect(record['outcome']).toBe('answered');
      expect(attempts[0]!['failure']).toBe(stream ? streamed : whole);
      expect(answer.headers.get('x-breakwater-fallback')).toBe(stream ? streamed : whole);
      expect(record['served']).toBe(how.backup);
    });
  });
});

/** Faults after content has gone to the caller. */
const late: readonly (readonly [string, Fault, string])[] = [
  ['a reset', { kind: 'cut', how: 'reset', afterEvents: 3 }, 'stream_truncated'],
  ['an early end', { kind: 'cut', how: 'fin', afterEvents: 3 }, 'stream_truncated'],
  ['a stall', { kind: 'hang', where: 'after_events', events: 3 }, 'stream_stalled'],
  ['an error event', { kind: 'error_event', afterEvents: 3 }, 'overloaded'],
  ['an error event and then [DONE]', { kind: 'error_event', afterEvents: 3, thenDone: true }, 'overloaded'],
  ['a clean end without a finish', { kind: 'missing_terminal', keepFinish: false }, 'stream_truncated'],
];

describe.each(spoken)('after the commit point, $dialect', (how) => {
  test.each(late)('%s ends with the error event, never with a clean end', async (_name, fault, failure) => {
    house.simulator.setFault({ provider: how.provider, fault });
    const answering = ask(how, how.feature, true);
    await outwait(how, fault, true);
    const answer = await answering;
    expect(answer.status).toBe(200);
    const read = readStream(answer.text);
    expect(read.said.length).toBeGreaterThan(0);
    expect(read).toMatchObject({ ending: 'error', errors: 1 });
    if (how.dialect === 'anthropic-messages') expect(answer.text).toContain('event: error\n');
    const record = await house.record(answer.id);
    expect(record).toMatchObject({
      outcome: 'partial',
      served: preferredOf[how.provider],
    });
    expect((record['attempts'] as Json[]).map((attempt) => attempt['failure'])).toEqual([failure]);
  });

  test('a missing end signal after a whole answer is supplied', async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'missing_terminal', keepFinish: true },
    });
    const answer = await ask(how, how.feature, true);
    // Responses end by one signal alone, which holds the whole answer: nothing can stand in for it.
    const isSupplied = how.dialect !== 'openai-responses';
    expect(readStream(answer.text)).toMatchObject({ ending: isSupplied ? 'terminal' : 'error' });
    expect((await house.record(answer.id))['outcome']).toBe(isSupplied ? 'answered' : 'partial');
  });

  test('a malformed event is left out and counted when the rest completes', async () => {
    const plain = readStream((await ask(how, how.feature, true)).text).said;
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'malformed_event', atEvent: 2 } });
    const answer = await ask(how, how.feature, true);
    const read = readStream(answer.text);
    expect(read.ending).toBe('terminal');
    expect([...plain].length - [...read.said].length).toBe(4);
    expect(((await house.record(answer.id))['attempts'] as Json[])[0]).toMatchObject({
      outcome: 'ok',
      malformed_events: 1,
    });
  });

  test.each([
    ['one byte at a time', { kind: 'one_byte_writes' }],
    ['cut inside a character', { kind: 'split_utf8' }],
  ] as [string, Fault][])('%s arrives whole', async (_name, fault) => {
    const other = spoken.find((each) => each.provider !== how.provider && each.dialect !== 'gemini')!;
    const plain = await ask(how, how.feature, true);
    const translated = await ask(other, how.feature, true);
    house.simulator.setFault({ provider: how.provider, fault });
    expect((await ask(how, how.feature, true)).text).toBe(plain.text);
    expect(readStream((await ask(other, how.feature, true)).text)).toEqual(readStream(translated.text));
  });
});

describe.each(spoken)('a whole answer, $dialect', (how) => {
  test.each([
    ['cut in the middle', { kind: 'cut', how: 'fin', afterBytes: 40 }, 'stream_truncated'],
    ['reset in the middle', { kind: 'cut', how: 'reset', afterBytes: 40 }, 'stream_truncated'],
    ['stalled in the middle', { kind: 'hang', where: 'after_events' }, 'first_token_timeout'],
    ['an error inside a 200', { kind: 'error_event', afterEvents: 0 }, 'overloaded'],
    ['JSON that is none', { kind: 'malformed_event', atEvent: 1 }, 'malformed_response'],
  ] as [string, Fault, string][])('%s is rescued: it was not committed', async (_name, fault, failure) => {
    house.simulator.setFault({ provider: how.provider, fault });
    const answering = ask(how, how.feature, false);
    await outwait(how, fault, false);
    const answer = await answering;
    expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(answer.headers.get('x-breakwater-fallback')).toBe(failure);
  });

  test('a broken tool call is asked again once, then moves on', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'bad_tool_call' } });
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const tools =
      how.dialect === 'openai-chat'
        ? [{ type: 'function', function: { name: 'w', parameters: schema } }]
        : how.dialect === 'openai-responses'
          ? [{ type: 'function', name: 'w', parameters: schema }]
          : how.dialect === 'gemini'
            ? [{ functionDeclarations: [{ name: 'w', parametersJsonSchema: schema }] }]
            : [{ name: 'w', input_schema: schema }];
    const question = [{ role: 'user', content: 'use tool w' }];
    const body =
      how.dialect === 'gemini'
        ? { tools, contents: [{ role: 'user', parts: [{ text: 'use tool w' }] }] }
        : { tools, [how.dialect === 'openai-responses' ? 'input' : 'messages']: question };
    if (how.dialect === 'anthropic-messages') return; // its whole answers hold arguments as values, which cannot be broken text
    const answer = await ask(how, how.feature, false, body);
    expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(2);
    const alone = await ask(how, how.alone, false, body);
    expect(alone.status).toBe(200);
    expect(alone.headers.get('x-breakwater-warnings')).toContain('tool_call_invalid');
  });
});
