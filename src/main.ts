/** The command line: `breakwater COMMAND`. */
import { runCommand } from './cli/commands.ts';
import { readEnvironment } from './config.ts';

// Started through `bin/breakwater.js`: who kills that one means this one, and must not be left with a port in use.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const code = await runCommand(process.argv.slice(2), readEnvironment(), {
  print: (text) => console.log(text),
  complain: (text) => console.error(text),
});
process.exit(code);
