#!/usr/bin/env node
// Runs every test with the Bun that `npm install` brought and ends with one plain line: "N passed, N failed".
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bunEnvironment, findBun } from './find-bun.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const paths = process.argv.slice(2);
const child = spawn(
  findBun(root),
  ['test', '--timeout', '180000', ...(paths.length > 0 ? paths : ['./src', './test'])],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...bunEnvironment('test'), ...process.env },
  },
);
let text = '';
child.stderr.on('data', (chunk) => {
  text += chunk;
  process.stderr.write(chunk);
});
child.on('exit', (code) => {
  const count = (word) =>
    Number([...text.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'))].at(-1)?.[1] ?? 0);
  const failed = count('fail') + count('error');
  console.log(`${count('pass')} passed, ${failed} failed`);
  process.exit(code === 0 && failed === 0 && count('pass') > 0 ? 0 : 1);
});
