import { readdirSync, readlinkSync } from 'node:fs';

export default async function solve() {
  const found = {};
  for (const name of readdirSync('/proc/self/fd')) {
    let link;
    try {
      link = readlinkSync('/proc/self/fd/' + name);
    } catch {
      continue;
    }
    // Node's own: event loop, wake-ups of threads, the folder that is being read.
    if (!/^anon_inode|^\/proc\//.test(link)) found[name] = link.split(':')[0];
  }
  return found;
}
