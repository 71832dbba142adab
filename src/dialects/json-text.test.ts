import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readJsonObject, replaceTopLevel } from './json-text.ts';

const read = (text: string, depthMax = 8) => readJsonObject(text, { depthMax });
function problem(text: string, depthMax = 8): string {
  const result = read(text, depthMax);
  return result.kind === 'invalid' ? result.message : 'none';
}

describe('readJsonObject', () => {
  test.each([
    ['', 'The body is empty; send a JSON object.'],
    ['[1]', 'The body must be a JSON object.'],
    ['null', 'The body must be a JSON object.'],
    ['{"a":', 'The body is not valid JSON: line 1, column 6: expected a value, found the end of the text.'],
    [
      '{\n "a":1,\n}',
      'The body is not valid JSON: line 3, column 1: expected a key in double quotes, found "}".',
    ],
    ['{"a":1}}', 'The body is not valid JSON: line 1, column 8: unexpected "}" after the value.'],
    ['{"a" 1}', 'The body is not valid JSON: line 1, column 6: expected ":", found "1".'],
    [
      '{"a":"x\ny"}',
      'The body is not valid JSON: line 1, column 6: this string does not end or holds a forbidden character.',
    ],
    ['{"a":[1 2]}', 'The body is not valid JSON: line 1, column 9: expected "," or "]", found "2".'],
    ['{"a":{"b":[]}}', 'none'],
    ['{"a":{"b":[[]]}}', 'The body is nested deeper than 3 levels; make it flatter.'],
  ])('%s', (text, message) => {
    expect(problem(text, 3)).toBe(message);
  });

  test('very deep text is a value, not a crash', () => {
    expect(problem('['.repeat(500_000))).toContain('nested too deep');
    expect(problem(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)).toContain('nested deeper than 8');
  });

  test('a key given twice is refused at the top only, however it is written', () => {
    expect(read('{"model":"a","m\\u006fdel":"b"}')).toMatchObject({ kind: 'invalid', param: 'model' });
    expect(read('{"a":{"b":1,"b":2}}').kind).toBe('object');
  });

  test('spans are the text of the values', () => {
    const text = ' { "a\\"b" : "x\\\\" , "n":-1.5e3,"l" : [ "]", {"}":"\\"}"} ] , "t":true }';
    const result = read(text);
    if (result.kind !== 'object') throw new Error(result.message);
    expect([...result.spans].map(([key, span]) => [key, text.slice(span.start, span.end)])).toEqual([
      ['a"b', '"x\\\\"'],
      ['n', '-1.5e3'],
      ['l', '[ "]", {"}":"\\"}"} ]'],
      ['t', 'true'],
    ]);
  });

  test('property: spans hold exactly the values, and broken text is a value', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 });
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, '\t'), fc.nat(), (value, indent, cut) => {
        const text = JSON.stringify(value, null, indent);
        const result = read(text, 100);
        if (result.kind !== 'object') throw new Error(result.message);
        for (const [key, span] of result.spans)
          expect(JSON.parse(text.slice(span.start, span.end))).toEqual(JSON.parse(text)[key]);
        expect(result.spans.size).toBe(Object.keys(value).length);
        expect(problem(text.slice(0, cut % text.length), 100)).toStartWith('The body is');
      }),
      { numRuns: 300 },
    );
  });
});

test('replaceTopLevel adds a key that is not there', () => {
  for (const text of ['{}', ' { "a" : 1 }']) {
    const result = read(text);
    if (result.kind !== 'object') throw new Error(result.message);
    expect(JSON.parse(replaceTopLevel(text, result.spans, 'b', '2'))).toEqual({ ...JSON.parse(text), b: 2 });
  }
});
