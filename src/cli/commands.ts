/** All commands, their help, and the way from words to one of them. */
import { parseArgs } from 'node:util';

import type { Environment } from '../config.ts';
import { nearest } from '../core/nearest.ts';
import type { Command, CommandOption, ExitCode } from './command.ts';
import { keyCommands } from './key-commands.ts';
import { queryCommands } from './query-commands.ts';
import { serverCommands } from './server-commands.ts';
import { switchCommands } from './switch-commands.ts';

export const commands: readonly Command[] = [
  ...serverCommands,
  ...switchCommands,
  ...queryCommands,
  ...keyCommands,
];

const jsonOption: CommandOption = { type: 'boolean', help: 'print JSON' };

function optionLines(command: Command): readonly string[] {
  const entries = Object.entries({ ...command.options, json: jsonOption }).map(
    ([name, option]): [string, string] => [
      `    --${name}${option.value === undefined ? '' : ` ${option.value}`}`,
      option.help,
    ],
  );
  return entries.map(([left, help]) => `${left.padEnd(32)}${help}`);
}

export function commandHelp(command: Command): string {
  return [
    `  ${`breakwater ${command.name} ${command.usage}`.trimEnd()}`,
    `    ${command.summary}`,
    ...optionLines(command),
  ].join('\n');
}

const exitCodes =
  'Exit codes: 0 done · 1 a problem was found, or it failed · 2 not understood · 3 the server cannot be reached · 4 refused';
const variables =
  'Environment: BREAKWATER_CONFIG, BREAKWATER_ADMIN_TOKEN, BREAKWATER_URL (for commands that ask a running server)';

/** One line a command. */
export function overview(): string {
  const lines = commands.map((command) => `  ${`breakwater ${command.name}`.padEnd(26)}${command.summary}`);
  return [
    'Breakwater keeps AI features working when a model provider degrades.',
    '',
    ...lines,
    '',
    'More: breakwater help COMMAND',
    exitCodes,
    variables,
  ].join('\n');
}

/** Everything, for `contract/cli.txt`. */
export function fullHelp(): string {
  return [overview(), '', ...commands.map(commandHelp)].join('\n');
}

type Found = { readonly command: Command; readonly rest: readonly string[] };

function find(words: readonly string[]): Found | null {
  for (const length of [2, 1]) {
    const command = commands.find((each) => each.name === words.slice(0, length).join(' '));
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return null;
}

export type Terminal = { readonly print: (text: string) => void; readonly complain: (text: string) => void };

function unknown(words: readonly string[], terminal: Terminal): ExitCode {
  const name = words.slice(0, 2).join(' ');
  const group = commands.filter((command) => command.name.startsWith(`${words[0] ?? ''} `));
  if (group.length > 0) {
    terminal.complain(group.map(commandHelp).join('\n'));
    return 2;
  }
  const names = commands.map((command) => command.name);
  const meant = nearest(name, names) ?? nearest(words[0] ?? '', names);
  terminal.complain(
    `There is no command "${name}".${meant === null ? '' : ` Did you mean "breakwater ${meant}"?`} See: breakwater help`,
  );
  return 2;
}

function help(words: readonly string[], terminal: Terminal): ExitCode {
  const found = find(words);
  terminal.print(found === null ? overview() : commandHelp(found.command));
  return 0;
}

/** The message of a problem with options, with the nearest name there is. */
function optionProblem(error: unknown, command: Command): string {
  const message = error instanceof Error ? error.message : String(error);
  const given = /--([\w-]+)/.exec(message)?.[1];
  const meant = given === undefined ? null : nearest(given, Object.keys(command.options));
  return `${message.split('. ')[0] ?? message}.${meant === null || meant === given ? '' : ` Did you mean --${meant}?`}\n${commandHelp(command)}`;
}

/** Runs one command line. */
export async function runCommand(
  words: readonly string[],
  environment: Environment,
  terminal: Terminal,
): Promise<ExitCode> {
  const [first] = words;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h')
    return help(words.slice(1), terminal);
  const found = find(words);
  if (found === null) return unknown(words, terminal);
  if (words.includes('--help')) return help(words, terminal);
  const { command, rest } = found;
  try {
    const options = Object.fromEntries(
      Object.entries({ ...command.options, json: jsonOption }).map(([name, { type }]) => [name, { type }]),
    );
    const parsed = parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
    const values = parsed.values as Readonly<Record<string, string | boolean | undefined>>;
    return await command.run({
      words: parsed.positionals,
      options: values,
      environment,
      json: values['json'] === true,
      ...terminal,
    });
  } catch (error) {
    if (!(error instanceof TypeError) || !('code' in error)) throw error;
    terminal.complain(optionProblem(error, command));
    return 2;
  }
}
