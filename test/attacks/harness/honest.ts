import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../contracts/json.ts';
import type { Limits, Profile, SandboxDriver } from '../../../contracts/sandbox.ts';
import { openDoor } from './door.ts';
import { shortly } from './judge.ts';

export type Attacked = Exclude<Profile, 'image'>;

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
const honest: Record<Attacked, { source: string; input: number[] }> = {
  python: { source: python, input: [3, 5, 7] },
  node: { source: node, input: [3, 5, 7] },
  js: { source: js, input: [3, 5, 7] },
};

/** Problems with the next honest submission; the first time for a profile its answer is taken as the usual one. */
export type HonestRun = (driver: SandboxDriver, profile: Attacked, limits: Limits) => Promise<string[]>;

export function honestRunner(): HonestRun {
  const usual = new Map<Attacked, { answer: Json; log: string }>();
  return async (driver, profile, limits) => {
    const { source, input } = honest[profile];
    await using gateway = await openDoor('honest');
    const language = profile === 'python' ? 'python' : 'javascript';
    const signal = AbortSignal.timeout(30_000);
    const roomy = {
      ...limits,
      wallMs: 10_000,
      cpuMs: 5_000,
      outputBytes: 16_384,
      answerBytes: 65_536,
      processes: Math.max(limits.processes, 16),
    };
    const opened = await driver.open({
      ...{ id: 'honest', profile, signal },
      program: { language, source },
      limits: roomy,
      door: gateway.door,
    });
    if (!opened.ok) return [`the next honest submission did not open: ${opened.message}`];
    await using sandbox = opened.sandbox;
    const run = await sandbox.run({ id: 'honest', input, target: 'keeper' }, signal);
    if (run.kind !== 'answer') return [`the next honest submission ended as ${shortly(run)}`];
    const kept = { answer: run.answer, log: run.log };
    const before = usual.get(profile);
    if (before === undefined) usual.set(profile, kept);
    const same = before === undefined || isDeepStrictEqual(before, kept);
    return same ? [] : [`the next honest submission gave another answer: ${JSON.stringify(kept)} instead of ${JSON.stringify(before)}`];
  };
}
