/** From words to a command, without a server. What a command does with one is in `test/cli.test.ts`. */
import { describe, expect, test } from 'bun:test';

import { readEnvironment } from '../config.ts';
import { commands, runCommand } from './commands.ts';
import { fullHelp } from './help.ts';
import { columnsMax, entries, harmless, paragraph, table, wrap } from './layout.ts';

async function run(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  // Nothing listens on port 1: a command that asks a server ends with 3.
  const environment = readEnvironment({ BREAKWATER_URL: 'http://127.0.0.1:1' });
  const exit = await runCommand(words, environment, {
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

describe('help', () => {
  test.each([[], ['help'], ['--help'], ['-h']])('%j lists every command', async (...words) => {
    const { exit, out } = await run(...(words as string[]));
    expect(exit).toBe(0);
    for (const { name } of commands) expect(out).toContain(`breakwater ${name}`);
  });

  test.each([
    ['help', 'switch', 'off'],
    ['switch', 'off', '--help'],
    ['help', 'switch'],
    ['switch', '-h'],
  ])('%s %s %s', async (...words) => {
    const { exit, out } = await run(...(words as string[]));
    expect(exit).toBe(0);
    expect(out).toContain('--in-flight WORD');
  });

  test('for programs, of all commands and of some', async () => {
    const items = async (...words: string[]): Promise<{ name: string }[]> =>
      (JSON.parse((await run(...words)).out) as { items: { name: string }[] }).items;
    expect((await items('help', '--json')).map(({ name }) => name)).toEqual(commands.map(({ name }) => name));
    expect(await items('help', 'switch', 'list', '--json')).toMatchObject([
      { name: 'switch list', usage: 'breakwater switch list', options: [{ name: '--json', value: null }] },
    ]);
    expect(JSON.parse((await run('nonsense', '--json')).err)).toMatchObject({ error: { code: 'usage' } });
  });

  test('of something that is not there is an error', async () =>
    expect(await run('help', 'swich')).toMatchObject({ exit: 2, out: '' }));

  test('fits a terminal, and every command has --json', () => {
    const help = fullHelp(commands);
    expect(help.split('\n').filter((line) => line.length > columnsMax)).toEqual([]);
    expect(help.match(/--json/g)?.length).toBe(commands.length);
  });
});

test.each([
  [['swich', 'off'], 'Did you mean "breakwater switch off"?'],
  [['switch', 'offf', 'provider:x'], 'Did you mean "breakwater switch off"?'],
  [['switch'], 'There are: switch off, switch preview, switch on, switch list.'],
  [['keys', 'nonsense'], 'There are: keys create, keys list, keys revoke.'],
  [['something', 'else', 'entirely'], 'See: breakwater help'],
  [['state', 'now'], '"now" is one word too many. Usage: breakwater state'],
  [['keys', 'create', 'a', 'b'], '"b" is one word too many.'],
  [['requests', '--featur', 'x'], 'Did you mean --feature?'],
  [['requests', '--feature'], 'See: breakwater help requests'],
  [['switch', 'off', '--reason', 'x'], 'Name what to switch'],
  [['switch', 'off', 'provider:anthropic'], 'Say why with --reason'],
  [['switch', 'off', 'providr:anthropic', '--reason', 'x'], 'did you mean "provider"?'],
  [['switch', 'off', 'anthropic', '--reason', 'x'], 'is not a scope'],
  [['switch', 'off', 'provider:', '--reason', 'x'], 'names nothing'],
  [['switch', 'off', 'provider:a', 'provider:b', '--reason', 'x'], 'provider is named twice'],
  [['switch', 'off', 'provider:a', '--reason', 'x', '--as', 'a;b'], '--as takes a name'],
  [['switch', 'on'], 'Name what to switch'],
  [['explain'], 'Name one request'],
  [['explain', 'req_1', '--feature', 'notes'], 'Name one request'],
  [['keys', 'create'], 'Name the key'],
  [['keys', 'create', 'a', '--rpm', 'many'], '--rpm takes a number'],
  [['keys', 'create', 'a', '--rpm', '0'], '--rpm takes a number'],
  [['keys', 'create', 'a', '--features', 'a,,b'], '--features takes names'],
  [['keys', 'revoke'], 'Name the key'],
])('%j is not understood, and says what to do', async (words, hint) => {
  const { exit, out, err } = await run(...words);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toContain(hint);
});

test('with --json a complaint is JSON too', async () => {
  const { exit, err } = await run('state', 'now', '--json');
  expect(exit).toBe(2);
  expect(JSON.parse(err)).toMatchObject({ error: { code: 'usage' } });
});

test.each([['version'], ['--version'], ['-v']])('%s', async (word) =>
  expect((await run(word)).out).toMatch(/^\d+\.\d+\.\d+$/),
);

describe('layout', () => {
  test('wraps between words and keeps long ones whole', () => {
    expect(wrap('aaa bbb cccccccccc d', 7)).toEqual(['aaa bbb', 'cccccccccc', 'd']);
    expect(wrap('')).toEqual(['']);
    expect(paragraph('x'.repeat(60).concat(' ', 'y'.repeat(30)))).toBe(
      `${'x'.repeat(60)}\n  ${'y'.repeat(30)}`,
    );
  });

  test('the last column wraps below itself', () => {
    const text = table([
      ['a', 'bb', 'word '.repeat(20).trim()],
      ['aaa', 'b', 'x'],
    ]);
    const lines = text.split('\n');
    expect(lines.every((line) => line.length <= columnsMax)).toBe(true);
    expect(lines[1]).toStartWith('         word');
    expect(lines.at(-1)).toBe('aaa  b   x');
  });

  test('entries line up', () =>
    expect(
      entries([
        { head: ['a', 'bb'], body: 'one' },
        { head: ['aaa', 'b'], body: 'two' },
      ]),
    ).toBe('a    bb\n  one\naaa  b\n  two'));

  test('what a caller named cannot steer the terminal', () =>
    expect(harmless('a\u001b[2Jb\nc\u009bd')).toBe('a·[2Jb\nc·d'));
});
