/** The command line: `breakwater COMMAND`. */
import { runCommand } from './cli/commands.ts';
import { readEnvironment } from './config.ts';

const code = await runCommand(process.argv.slice(2), readEnvironment(), {
  print: (text) => console.log(text),
  complain: (text) => console.error(text),
});
process.exit(code);
