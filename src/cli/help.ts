/** What the command line says about itself. `contract/cli.txt` is made from it. */
import type { Command, CommandOption } from './command.ts';
import { table } from './layout.ts';

export const jsonOption: CommandOption = { type: 'boolean', help: 'print JSON' };

const exitCodes: readonly (readonly string[])[] = [
  ['Exit codes', '0', 'done'],
  ['', '1', 'a problem was found, or it failed'],
  ['', '2', 'not understood'],
  ['', '3', 'the server cannot be reached'],
  ['', '4', 'refused: the admin token is missing or may not do this'],
];
const variables: readonly (readonly string[])[] = [
  ['Environment', 'BREAKWATER_URL', 'of the server to ask; default http://127.0.0.1:4100'],
  ['', 'BREAKWATER_ADMIN_TOKEN', 'of that server'],
  ['', 'BREAKWATER_CONFIG', 'FILE in place of breakwater.yaml'],
];

const optionsOf = (command: Command): Readonly<Record<string, CommandOption>> => ({
  ...command.options,
  json: { ...jsonOption, help: command.jsonHelp ?? jsonOption.help },
});

export function commandHelp(command: Command): string {
  const options = Object.entries(optionsOf(command)).map(([name, option]) => [
    `    --${name}${option.value === undefined ? '' : ` ${option.value}`}`,
    option.help,
  ]);
  return [
    `  ${`breakwater ${command.name} ${command.usage}`.trimEnd()}`,
    `    ${command.summary}`,
    table(options),
  ].join('\n');
}

/** The same for programs. */
export function helpJson(commands: readonly Command[]): string {
  const items = commands.map((command) => ({
    name: command.name,
    usage: `breakwater ${command.name} ${command.usage}`.trimEnd(),
    summary: command.summary,
    options: Object.entries(optionsOf(command)).map(([name, { value = null, help }]) => ({
      name: `--${name}`,
      value,
      help,
    })),
  }));
  return JSON.stringify({ items, next_cursor: null }, null, 2);
}

/** One line a command. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  breakwater ${command.name}`, command.summary]);
  return [
    'Breakwater keeps AI features working when a model provider degrades.',
    '',
    table([...rows, ['  breakwater help', 'More about one: breakwater help COMMAND']]),
    '',
    table(exitCodes),
    table(variables),
  ].join('\n');
}

/** Everything. */
export function fullHelp(commands: readonly Command[]): string {
  return [overview(commands), '', ...commands.map(commandHelp)].join('\n');
}
