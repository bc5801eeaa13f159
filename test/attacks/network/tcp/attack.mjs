import { connect } from 'node:net';

const hosts = ['1.1.1.1', '169.254.169.254', '172.17.0.1', '10.0.0.1', '2606:4700:4700::1111', 'fd00:ec2::254', '::1', '127.0.0.3'];
const attempt = (host, port) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    socket.on('connect', () => resolve('connected'));
    socket.on('timeout', () => resolve('timed out: a packet left'));
    socket.on('error', (error) => resolve(error.code));
  });

export default async function solve() {
  const results = {};
  for (const host of hosts) for (const port of [22, 80, 2375, 5432, 6379]) results[host + ' ' + port] = await attempt(host, port);
  return results;
}
