#!/usr/bin/env node
// Finds the Bun that `npm install` brought and runs Breakwater with it. Bun's limit on open calls has to be raised
// before it starts: the default of 256 would let the 257th stream wait without a word.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..');

function findBun() {
  const folders = [];
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) folders.push(join(folder, 'node_modules'));
  for (const modules of folders) {
    // The platform packages carry the binary even when npm was told to run no install scripts.
    const scope = join(modules, '@oven');
    if (existsSync(scope)) {
      for (const name of readdirSync(scope)) {
        for (const binary of ['bun', 'bun.exe']) {
          const path = join(scope, name, 'bin', binary);
          if (existsSync(path)) return path;
        }
      }
    }
  }
  return 'bun';
}

const child = spawn(findBun(), [join(root, 'src', 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { BUN_CONFIG_MAX_HTTP_REQUESTS: '65336', ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Bun could not be started (${error.message}). Run npm install first.`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
