import { describe, expect, test } from 'bun:test';

import { createFaultBook, delaysOf } from './faults.ts';
import type { CallFacts, Fault } from './faults.ts';

const call: CallFacts = { provider: 'openai', model: 'gpt-5.2', key: 'key-o' };
const fault: Fault = { kind: 'empty' };

describe('which calls a rule hits', () => {
  test.each([
    [{}, true],
    [{ provider: 'openai', model: 'gpt-5.2', key: 'key-o' }, true],
    [{ provider: 'anthropic' }, false],
    [{ key: 'key-p' }, false],
    [{ model: 'gpt-5' }, false],
    [{ model: 'gpt-*' }, true],
    [{ model: '*5*' }, true],
    [{ model: 'g*-*2' }, true],
    [{ model: 'claude-*' }, false],
    [{ model: '*5*5*' }, false],
    [{ model: 'gpt-5.2*2' }, false],
  ])('%p: %p', (conditions, hits) => {
    const book = createFaultBook(1);
    book.set({ ...conditions, fault });
    expect(book.hit(call)).toEqual(hits ? [fault] : []);
  });

  test('a call without a key is not hit by a rule for a key', () => {
    const book = createFaultBook(1);
    book.set({ key: '*', fault });
    expect(book.hit({ ...call, key: null })).toEqual([]);
  });

  test('only so many times', () => {
    const book = createFaultBook(1);
    book.set({ times: 2, fault });
    expect([1, 2, 3, 4].map(() => book.hit(call).length)).toEqual([1, 1, 0, 0]);
  });
});

const pattern = (seed: number, otherRule: boolean): string => {
  const book = createFaultBook(seed);
  if (otherRule) book.set({ id: 'other', rate: 0.5, fault: { kind: 'delay', betweenTokensMs: 1 } });
  book.set({ id: 'one', rate: 0.3, fault });
  return Array.from({ length: 1_000 }, () => (book.hit(call).includes(fault) ? 'x' : '.')).join('');
};

describe('chance', () => {
  test('about its share of calls, the same for the same seed', () => {
    const hits = pattern(7, false).replaceAll('.', '').length;
    expect(hits).toBeGreaterThan(250);
    expect(hits).toBeLessThan(350);
    expect(pattern(7, false)).toBe(pattern(7, false));
    expect(pattern(8, false)).not.toBe(pattern(7, false));
  });

  test('another rule does not change whom a rule hits', () => {
    expect(pattern(7, true)).toBe(pattern(7, false));
  });
});

describe('several rules', () => {
  test('the first that ends the call wins; the rest combine', () => {
    const book = createFaultBook(1);
    book.set({ fault: { kind: 'delay', betweenTokensMs: 5 } });
    book.set({ fault: { kind: 'one_byte_writes' } });
    book.set({ fault: { kind: 'hang', where: 'headers' } });
    book.set({ fault: { kind: 'delay', betweenTokensMs: 7, beforeHeadersMs: 2 } });
    book.set({ fault: { kind: 'preset', preset: 'overloaded' } });
    const hit = book.hit(call);
    expect(hit.map(({ kind }) => kind)).toEqual(['delay', 'one_byte_writes', 'hang', 'delay']);
    expect(delaysOf(hit)).toEqual({ beforeFirstTokenMs: 0, betweenTokensMs: 12 });
  });

  test('a rule of the same id takes the place of the old one; removal and clearing', () => {
    const book = createFaultBook(1);
    book.set({ id: 'one', provider: 'anthropic', fault });
    const id = book.set({ id: 'one', fault: { kind: 'refusal' } });
    expect(book.list()).toEqual([{ id, fault: { kind: 'refusal' } }]);
    expect([book.remove('one'), book.remove('one')]).toEqual([true, false]);
    book.set({ fault });
    book.clear();
    expect(book.hit(call)).toEqual([]);
  });

  test('who waits for a fault is told when its rule is gone, replaced or cleared', async () => {
    const book = createFaultBook(1);
    const over: string[] = [];
    const waiting = ['removed', 'replaced', 'cleared'].map(async (id) => {
      book.set({ id, fault: { kind: 'delay', beforeHeadersMs: 9 } });
      await book.lifted(book.hit(call).at(-1) ?? fault);
      over.push(id);
    });
    await book.lifted({ kind: 'refusal' });
    expect(over).toEqual([]);
    book.remove('removed');
    book.set({ id: 'replaced', fault });
    await Promise.all(waiting.slice(0, 2));
    expect(over).toEqual(['removed', 'replaced']);
    book.clear();
    await Promise.all(waiting);
  });

  test('there is a limit', () => {
    const book = createFaultBook(1);
    for (let made = 0; made < 1_000; made++) book.set({ id: `rule ${made}`, fault });
    expect(() => book.set({ fault })).toThrow('more than 1000 fault rules');
    expect(book.set({ id: 'rule 7', fault })).toBe('rule 7');
  });
});
