/** The command line: `breakwater COMMAND`. */
import { runCommand } from './cli/commands.ts';
import { readEnvironment } from './config.ts';
import { version } from '../package.json' with { type: 'json' };

const words = process.argv.slice(2);

if (words[0] === 'version' || words[0] === '--version') {
  console.log(version);
  process.exit(0);
}

const code = await runCommand(words, readEnvironment(), {
  print: (text) => console.log(text),
  complain: (text) => console.error(text),
});
process.exit(code);
