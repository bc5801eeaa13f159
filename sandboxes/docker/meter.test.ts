import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { expect, it } from 'vitest';
import { meterOf } from './meter.ts';

const id = 'c'.repeat(64);
const container = new Docker({ socketPath: '/nonexistent' }).getContainer(id);

async function mounted(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'collective-cgroup-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

it.each([
  [
    'version 2, systemd naming',
    {
      [`system.slice/docker-${id}.scope/cpu.stat`]: 'usage_usec 1234567\nuser_usec 1000000\n',
      [`system.slice/docker-${id}.scope/memory.events`]: 'low 0\noom 3\noom_kill 2\noom_group_kill 0\n',
      [`system.slice/docker-${id}.scope/memory.current`]: '4096\n',
      [`system.slice/docker-${id}.scope/pids.events`]: 'max 7\n',
    },
  ],
  [
    'version 1, engine naming',
    {
      [`cpu,cpuacct/docker/${id}/cpuacct.usage`]: '1234567000\n',
      [`memory/docker/${id}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      [`memory/docker/${id}/memory.usage_in_bytes`]: '4096\n',
      [`pids/docker/${id}/pids.events`]: 'max 7\n',
    },
  ],
])('reads control groups of %s', async (_name, files) => {
  const root = await mounted(files);
  using meter = meterOf(container, 5_000, 25, root);
  expect(await meter.read()).toEqual({ cpuMs: 1234.567, oomKills: 2, refusedTasks: 7, memoryBytes: 4096 });
  await rm(root, { recursive: true });
});
