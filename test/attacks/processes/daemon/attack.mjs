import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';

const daemon = `require('node:net').createServer().listen(9000, '127.0.0.1');
setInterval(() => require('node:fs').writeFileSync('/work/alive', 'alive'), 1);`;

export default async function solve(task) {
  if (task.input === 'look') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    const others = pids.filter((pid) => existsSync('/proc/' + pid) && statSync('/proc/' + pid).uid === process.getuid());
    const reached = await new Promise((resolve) => connect(9000, '127.0.0.1', () => resolve('reached')).on('error', () => resolve('refused')));
    return [others, readdirSync('/work'), reached];
  }
  spawn(process.execPath, ['-e', daemon], { detached: true, stdio: 'ignore' }).unref();
  while (!existsSync('/work/alive')) await new Promise((resolve) => setImmediate(resolve));
  return 'left behind';
}
