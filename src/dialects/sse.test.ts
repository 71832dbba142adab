import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createSseParser, sseText, type SseEvent } from './sse.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
type Plain = readonly [raw: string, event: string | null, data: string | null, oversized?: true];

function plain(event: SseEvent): Plain {
  const raw = decoder.decode(event.raw);
  return event.oversized ? [raw, event.event, event.data, true] : [raw, event.event, event.data];
}

function parse(chunks: readonly Uint8Array[], eventBytesMax = 1000): readonly Plain[] {
  const parser = createSseParser({ eventBytesMax });
  const events = chunks.flatMap((chunk) => [...parser.push(chunk)]);
  const last = parser.end();
  return [...events, ...(last === null ? [] : [last])].map(plain);
}

function cut(bytes: Uint8Array, points: readonly number[]): readonly Uint8Array[] {
  const sorted = [...new Set(points.map((point) => point % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const point of [...sorted, bytes.length]) {
    chunks.push(bytes.slice(from, point));
    from = point;
  }
  return chunks;
}

describe('sse parser', () => {
  const table: readonly (readonly [name: string, input: string, expected: readonly Plain[]])[] = [
    ['one event', 'data: a\n\n', [['data: a\n\n', null, 'a']]],
    ['a named event', 'event: ping\ndata: {}\n\n', [['event: ping\ndata: {}\n\n', 'ping', '{}']]],
    ['CRLF', 'event: x\r\ndata: a\r\n\r\n', [['event: x\r\ndata: a\r\n\r\n', 'x', 'a']]],
    [
      'CR',
      'data: a\r\rdata: b\r\r',
      [
        ['data: a\r\r', null, 'a'],
        ['data: b\r\r', null, 'b'],
      ],
    ],
    [
      'mixed line ends',
      'data: a\r\n\ndata: b\n\r\n',
      [
        ['data: a\r\n\n', null, 'a'],
        ['data: b\n\r\n', null, 'b'],
      ],
    ],
    ['a byte order mark', '\uFEFFdata: a\n\n', [['\uFEFFdata: a\n\n', null, 'a']]],
    ['a byte order mark only at the start', 'data: \uFEFF\n\n', [['data: \uFEFF\n\n', null, '\uFEFF']]],
    [
      'many data lines',
      'data: a\ndata:b\ndata:  c\n\n',
      [['data: a\ndata:b\ndata:  c\n\n', null, 'a\nb\n c']],
    ],
    [
      'empty data',
      'data\n\ndata:\n\n',
      [
        ['data\n\n', null, ''],
        ['data:\n\n', null, ''],
      ],
    ],
    ['a comment', ': keep-alive\n\n', [[': keep-alive\n\n', null, null]]],
    [
      'fields that only look alike',
      'dataset: a\nevents: b\nid: 1\nretry: 2\n\n',
      [['dataset: a\nevents: b\nid: 1\nretry: 2\n\n', null, null]],
    ],
    [
      'extra blank lines',
      '\n\ndata: a\n\n',
      [
        ['\n', null, null],
        ['\n', null, null],
        ['data: a\n\n', null, 'a'],
      ],
    ],
    [
      'an unterminated block',
      'data: a\n\ndata: [DONE]',
      [
        ['data: a\n\n', null, 'a'],
        ['data: [DONE]', null, '[DONE]'],
      ],
    ],
    ['an unterminated block after a whole line', 'data: a\n', [['data: a\n', null, 'a']]],
    ['characters of four bytes', 'data: 😀é\n\n', [['data: 😀é\n\n', null, '😀é']]],
    ['nothing', '', []],
  ];
  for (const [name, input, expected] of table) {
    test(`reads ${name}, whole and byte by byte`, () => {
      const bytes = encoder.encode(input);
      expect(parse([bytes])).toEqual(expected);
      expect(parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
    });
  }

  test('a block over the limit is a value, and nothing is read after it', () => {
    const bytes = encoder.encode(`data: ok\n\ndata: ${'x'.repeat(50)}\n\ndata: later\n\n`);
    const expected: readonly Plain[] = [
      ['data: ok\n\n', null, 'ok'],
      [`data: ${'x'.repeat(14)}`, null, null, true],
    ];
    expect(parse([bytes], 20)).toEqual(expected);
    expect(
      parse(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        20,
      ),
    ).toEqual(expected);
  });

  test('raws handed out stay as they were while more arrives', () => {
    const parser = createSseParser({ eventBytesMax: 1000 });
    parser.push(encoder.encode('data: fir'));
    const [first] = parser.push(encoder.encode('st\n\ndata: sec'));
    parser.push(encoder.encode('ond\n\ndata: third\n\n'));
    expect(plain(first!)).toEqual(['data: first\n\n', null, 'first']);
  });

  const line = fc.oneof(
    fc.constantFrom(
      'data: é😀',
      'data:',
      'event: ping',
      ': note',
      'data: {"a":1}',
      '',
      '',
      'id: 4',
      '\uFEFFdata: x',
    ),
    fc.string({ maxLength: 8 }),
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
    .map((lines) => encoder.encode(lines.flat().join('')));

  test('property: every way of cutting gives the same events, and the raws are the input', () => {
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.nat(200), { maxLength: 12 }),
        fc.constantFrom(12, 1000),
        (bytes, points, limit) => {
          const whole = parse([bytes], limit);
          expect(parse(cut(bytes, points), limit)).toEqual(whole);
          const raws = whole.map(([raw]) => raw).join('');
          if (limit === 1000) expect(raws).toBe(decoder.decode(bytes));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('property: an event that comes alone in its chunk is what it is when it comes byte by byte', () => {
    const block = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\n', '\r\n')), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(
        block,
        fc.constantFrom('\n', '\n', '\r\n', ''),
        fc.constantFrom(12, 1000),
        (lines, end, limit) => {
          const bytes = encoder.encode(`${lines.flat().join('')}${end}`);
          const before = encoder.encode(': first\n\n');
          const apart = [...bytes].map((byte) => Uint8Array.of(byte));
          expect(parse([before, bytes], limit)).toEqual(parse([before, ...apart], limit));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('property: what is written is read back', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[\r]/.test(text)),
        (data) => {
          const [event] = parse([encoder.encode(sseText('delta', data))], 10_000);
          expect(event?.slice(1)).toEqual(['delta', data.toWellFormed()]);
        },
      ),
    );
  });
});
