import type { Profile } from '../../../contracts/sandbox.ts';

type Attacked = Exclude<Profile, 'image'>;

const python = `import hashlib, json, os
def solve(task, target):
    seen = {}
    for folder in ("/work", "/dev/shm", "/program", "/dev/mqueue", "/tmp", "/var/tmp", "/run", "/run/lock", "/opt/collective", "/sys/fs/cgroup"):
        seen[folder] = sorted(os.listdir(folder)) if os.path.isdir(folder) else None
    files = ("/etc/passwd", "/etc/group", "/usr/bin/python3", json.__file__, os.__file__)
    hashes = [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in files]
    unix = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
    said = target.chat([{"role": "user", "content": "hello"}])
    return {"score": sum(task["input"]), "seen": seen, "hashes": hashes, "environment": sorted(os.environ), "unix": unix, "said": said}
`;
const node = `import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
export default async function solve(task, target) {
  const folders = ['/work', '/dev/shm', '/program', '/tmp', '/var/tmp', '/run', '/opt/collective', '/sys/fs/cgroup'];
  const seen = Object.fromEntries(folders.map((path) => [path, existsSync(path) ? readdirSync(path).sort() : null]));
  const hashes = ['/etc/passwd', '/etc/group', '/usr/bin/python3'].map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));
  const said = await target.chat([{ role: 'user', content: 'hello' }]);
  const score = task.input.reduce((sum, one) => sum + one, 0);
  return { score, seen, hashes, environment: Object.keys(process.env).sort(), polluted: Object.keys(Object.prototype), said };
}
`;
const js = `export default async function solve(task, target) {
  const said = await target.chat([{ role: 'user', content: 'hello' }]);
  const names = Object.getOwnPropertyNames(globalThis).sort();
  return { score: task.input.reduce((sum, one) => sum + one, 0), names, random: Math.random(), said };
}
`;

/**
 * The submission of somebody else, run after every attack on the same driver. Besides its score it tells what it finds
 * around itself, so that anything an attack left within reach of the next program makes another answer.
 */
export const honest: Record<Attacked, { source: string; input: number[] }> = {
  python: { source: python, input: [3, 5, 7] },
  node: { source: node, input: [3, 5, 7] },
  js: { source: js, input: [3, 5, 7] },
};
