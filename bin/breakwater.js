#!/usr/bin/env node
// Finds the Bun that `npm install` brought and runs Breakwater with it.
import { spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bunEnvironment, findBun } from './find-bun.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const child = spawn(findBun(root), [join(root, 'src', 'main.ts'), ...process.argv.slice(2)], {
  // The channel closes when this process dies, however it dies; the server then ends as well.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { ...bunEnvironment(process.argv[2]), ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Bun could not be started (${error.message}). Run npm install first.`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
