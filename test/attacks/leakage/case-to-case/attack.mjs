import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';

const mark = 'collective-marker';
const there = (found) => (found ? 'there' : 'absent');

async function leave() {
  globalThis.marker = Object.prototype.marker = mark;
  process.env[mark] = '1';
  process.umask(0);
  process.chdir('/dev/shm');
  for (const folder of ['/work', '/dev/shm']) {
    mkdirSync(folder + '/.' + mark, { recursive: true });
    writeFileSync(folder + '/' + mark, mark);
  }
  spawn(process.execPath, ['-e', "require('node:net').createServer().listen('\\0" + mark + "', () => require('node:fs').writeFileSync('/work/ready', ''))"], { detached: true });
  while (!existsSync('/work/ready')) await new Promise((resolve) => setImmediate(resolve));
  return 'left';
}

export default async function solve(task) {
  if (task.input === 'leave') return await leave();
  const reached = await new Promise((resolve) => connect('\0' + mark, () => resolve(true)).on('error', () => resolve(false)));
  return {
    global: there(globalThis.marker),
    pollution: there({}.marker),
    environment: there(mark in process.env),
    umask: '0o' + process.umask().toString(8),
    folder: process.cwd(),
    work: there(readdirSync('/work').length > 0),
    shm: there(readdirSync('/dev/shm').length > 0),
    socket: there(reached),
    unix: there(readFileSync('/proc/net/unix', 'utf8').includes(mark)),
    arguments: there(process.argv.includes(mark)),
    options: there(process.execArgv.includes(mark)),
    modules: there(Object.keys(globalThis).includes('marker')),
    package: there(existsSync('/work/package.json')),
    next: there(existsSync('/program/' + mark)),
  };
}
