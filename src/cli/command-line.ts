/** The way from words to one of the commands. */
import { parseArgs } from 'node:util';

import type { Environment } from '../config.ts';
import { nearest } from '../core/nearest.ts';
import { usageError } from './command.ts';
import type { Command, ExitCode } from './command.ts';
import { commandHelp, helpJson, jsonOption, overview } from './help.ts';

type Found = { readonly command: Command; readonly rest: readonly string[] };

function find(commands: readonly Command[], words: readonly string[]): Found | null {
  for (const length of [2, 1]) {
    const command = commands.find((each) => each.name === words.slice(0, length).join(' '));
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return null;
}

/** Commands that begin with a word: all of `switch`. */
function group(commands: readonly Command[], word: string | undefined): readonly Command[] {
  return word === undefined ? [] : commands.filter((command) => command.name.startsWith(`${word} `));
}

export type Terminal = { readonly print: (text: string) => void; readonly complain: (text: string) => void };

const isOption = (word: string): boolean => word.startsWith('-');

function unknown(commands: readonly Command[], words: readonly string[], terminal: Terminal): ExitCode {
  const named = words.filter((word) => !isOption(word)).slice(0, 2);
  const siblings = group(commands, named[0]);
  const names = (siblings.length > 0 ? siblings : commands).map((command) => command.name);
  const name = named.join(' ');
  const meant = nearest(name, names) ?? nearest(named[0] ?? '', names);
  const known = siblings.length > 0 ? `There are: ${names.join(', ')}.` : 'See: breakwater help';
  return usageError(
    { ...terminal, json: words.includes('--json') },
    `There is no command "${name}". ${meant === null ? known : `Did you mean "breakwater ${meant}"?`}`,
  );
}

function help(commands: readonly Command[], words: readonly string[], terminal: Terminal): ExitCode {
  const named = words.filter((word) => !isOption(word));
  const json = words.includes('--json');
  if (named.length === 0) {
    terminal.print(json ? helpJson(commands) : overview(commands));
    return 0;
  }
  const found = find(commands, named);
  const shown = found === null ? (named.length === 1 ? group(commands, named[0]) : []) : [found.command];
  if (shown.length === 0) return unknown(commands, words, terminal);
  terminal.print(json ? helpJson(shown) : shown.map(commandHelp).join('\n\n'));
  return 0;
}

/** What is wrong with the options, with the nearest name there is. */
function optionProblem(error: Error, command: Command): string {
  const given = /--([\w-]+)/.exec(error.message)?.[1];
  const names = [...Object.keys(command.options), 'json', 'help'];
  const meant = given === undefined || names.includes(given) ? null : nearest(given, names);
  const [problem = error.message] = error.message.split('. ');
  const hint = meant === null ? `See: breakwater help ${command.name}` : `Did you mean --${meant}?`;
  return `${problem.replace(/\.$/, '')}. ${hint}`;
}

async function run(
  { command, rest }: Found,
  environment: Environment,
  terminal: Terminal,
): Promise<ExitCode> {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, json: jsonOption }).map(([name, { type }]) => [name, { type }]),
  );
  const json = rest.includes('--json');
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return usageError({ ...terminal, json }, optionProblem(error, command));
  }
  const surplus = parsed.positionals[command.wordsMax];
  if (surplus !== undefined)
    return usageError(
      { ...terminal, json },
      `"${surplus}" is one word too many. Usage: ${`breakwater ${command.name} ${command.usage}`.trimEnd()}`,
    );
  const values = parsed.values as Readonly<Record<string, string | boolean | undefined>>;
  return command.run({ words: parsed.positionals, options: values, environment, json, ...terminal });
}

/** Runs one command line, of the commands given. */
export async function runOneOf(
  commands: readonly Command[],
  words: readonly string[],
  environment: Environment,
  terminal: Terminal,
): Promise<ExitCode> {
  const [first] = words;
  if (first === undefined) return help(commands, [], terminal);
  if (first === 'help' || first === '--help' || first === '-h')
    return help(commands, words.slice(1), terminal);
  if (words.includes('--help') || words.includes('-h')) return help(commands, words, terminal);
  const found = find(
    commands,
    first === '--version' || first === '-v' ? ['version', ...words.slice(1)] : words,
  );
  return found === null ? unknown(commands, words, terminal) : run(found, environment, terminal);
}
