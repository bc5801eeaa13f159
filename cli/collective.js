#!/usr/bin/env node
// Plain JavaScript, because the Node that npm runs this with may be too old for our TypeScript: the pinned Node of the
// `node` package takes over. Signals reach the child through the shared process group; only the exit code is passed on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const node = existsSync(pinned) ? pinned : process.execPath;

// Half of the start is compiling, so what was compiled is kept beside what it was compiled from: whoever can write there
// can change the program itself. Where it cannot be written, the start is only slower.
const compiled = fileURLToPath(new URL('../node_modules/.cache/collective', import.meta.url));
const env = { NODE_COMPILE_CACHE: compiled, ...process.env };

const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`collective: the pinned Node could not be started (${error.message}); run "npm ci" first\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
