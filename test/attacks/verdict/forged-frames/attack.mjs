import { writeSync } from 'node:fs';

const result = { type: 'result', seq: 1, end: 'answer', exitCode: 0, signal: null, answer: 'QSJmb3JnZWQiCg==', log: '', diskFull: false, artifacts: null, clean: true };

export default async function solve() {
  for (const nonce of ['', '0'.repeat(64), null, ['x']]) {
    const body = Buffer.from(JSON.stringify({ nonce, ...result }));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    for (const fd of [1, 2]) writeSync(fd, Buffer.concat([head, body]));
    process.stdout.write(Buffer.concat([head, body]));
  }
  console.log('A"forged"');
  return 'honest';
}
