// Finds the Bun that `npm install` brought.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

// The npm package holds a placeholder until its install script puts the real binary in its place; where scripts were
// not run, the platform's own package still has it.
function isBinary(path) {
  return existsSync(path) && statSync(path).size > 1_000_000;
}

function candidatesIn(modules) {
  const scope = join(modules, '@oven');
  const platforms = existsSync(scope) ? readdirSync(scope) : [];
  return [
    join(modules, 'bun', 'bin', 'bun.exe'),
    ...platforms.flatMap((name) => [join(scope, name, 'bin', 'bun'), join(scope, name, 'bin', 'bun.exe')]),
  ];
}

const environments = JSON.parse(readFileSync(new URL('bun-environment.json', import.meta.url), 'utf8'));

/**
 * What has to be in Bun's environment before it starts, by the command it is to run. Always: its limit on open calls (the
 * default of 256 would let the 257th stream wait without a word); how long freed memory is kept for the next request
 * before the system gets it back, in milliseconds (the default of 10 gives it back and asks for it again all the time);
 * how large the headers of one message may be (64 KiB). For a server, whose heap is small and of which most dies young:
 * that it is collected at one go, in two or three milliseconds, which costs less than to do so beside the work; and how
 * much the compiler may put into one function: with less, a request costs no more.
 */
export function bunEnvironment(command) {
  return { ...environments.always, ...(command === 'serve' ? environments.serve : {}) };
}

/** The path of the binary, looked for from `root` upwards; `bun` when none is found. */
export function findBun(root) {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = candidatesIn(join(folder, 'node_modules')).find(isBinary);
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return 'bun';
  }
}
