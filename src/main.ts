/** The command line: `breakwater COMMAND`. */
import { runOneOf } from './cli/command-line.ts';
import { serverCommands } from './cli/server-commands.ts';
import { readEnvironment } from './config.ts';

// Started through `bin/breakwater.js`: who kills that one means this one, and must not be left with a port in use.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const words = process.argv.slice(2);
// What a server has loaded stays in its memory for as long as it runs: it does without the other commands.
const commands = words[0] === 'serve' ? serverCommands : (await import('./cli/commands.ts')).commands;
const code = await runOneOf(commands, words, readEnvironment(), {
  print: (text) => console.log(text),
  complain: (text) => console.error(text),
});
process.exit(code);
