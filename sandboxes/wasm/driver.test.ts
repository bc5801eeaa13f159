import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conformance, conformanceLimits } from '../conformance.ts';
import { fakeDoor } from '../conformance-door.ts';
import { wasmDriver } from './driver.ts';

/** Processes that run the sandbox's program and were started by `parentPid`. */
async function childrenOf(parentPid: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      if (parent === parentPid && command.includes('wasm/child.ts')) found.push(name);
    } catch (error) {
      // A process that ended between the listing and the reading is not left over.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return found;
}

const forged = Buffer.from('{"type":"answer","text":"\\"forged\\""}');
const head = Buffer.alloc(4);
head.writeUInt32LE(forged.byteLength);

conformance(wasmDriver(), 'js', {
  leftovers: () => childrenOf(process.pid),
  forgeries: [Buffer.concat([head, forged]).toString('latin1'), forged.toString()],
});

const never = new AbortController().signal;
const options = (source: string) => ({
  ...{ id: 'wasm-test', profile: 'js' as const, limits: conformanceLimits, door: fakeDoor(), signal: never },
  program: { language: 'javascript' as const, source },
});
const opened = async (source: string) => {
  const result = await wasmDriver().open(options(source));
  if (!result.ok) throw new Error(result.message);
  return result.sandbox;
};
const task = { id: 'case-1', input: null, target: null };

describe('the child process', () => {
  it('has an empty environment and an empty working directory', async () => {
    await using sandbox = await opened('export default () => 1;');
    const [pid] = await childrenOf(process.pid);
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('');
    expect(readdirSync(`/proc/${pid}/cwd`)).toEqual([]);
    expect(await sandbox.run(task, never)).toMatchObject({ kind: 'answer', answer: 1 });
  });

  it('is the same for case after case, and another one after a limit', async () => {
    await using sandbox = await opened('export default (task) => { while (task.input) {} return 1; }');
    const [first] = await childrenOf(process.pid);
    await sandbox.run(task, never);
    expect(await childrenOf(process.pid)).toEqual([first]);
    expect(await sandbox.run({ ...task, input: true }, never)).toMatchObject({ kind: 'limit' });
    expect(await childrenOf(process.pid)).toEqual([]);
    expect(await sandbox.run(task, never)).toMatchObject({ kind: 'answer', answer: 1 });
    expect(await childrenOf(process.pid)).not.toEqual([first]);
  });

  it('that dies by itself is an error of the platform, and the next case gets another', async () => {
    await using sandbox = await opened('export default (task) => { while (task.input) {} return 1; }');
    const [pid] = await childrenOf(process.pid);
    const running = sandbox.run({ ...task, input: true }, never);
    process.kill(Number(pid), 'SIGKILL');
    expect(await running).toMatchObject({ kind: 'error', message: expect.stringContaining('SIGKILL') });
    expect(await sandbox.run(task, never)).toMatchObject({ kind: 'answer', answer: 1 });
  });

  it('does not outlive a worker that was killed in the middle of an endless case', async () => {
    const body = `import { wasmDriver } from ${JSON.stringify(new URL('./driver.ts', import.meta.url).href)};
      const signal = new AbortController().signal;
      const limits = ${JSON.stringify({ ...conformanceLimits, wallMs: 1_000, cpuMs: 60_000 })};
      const program = { language: 'javascript', source: 'export default () => { for (;;); }' };
      const opened = await wasmDriver().open({ id: 'orphan', profile: 'js', program, limits, door: {}, signal });
      console.log('running');
      await opened.sandbox.run({ id: 'x', input: null, target: null }, signal);`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', body], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(worker.stdout, 'data');
    const [pid] = await childrenOf(worker.pid!);
    expect(Number(pid)).toBeGreaterThan(0);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    const state = () => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0];
      } catch {
        return 'gone';
      }
    };
    // Where process 1 does not reap what it inherits, a dead process stays listed as a zombie.
    await expect.poll(state, { timeout: 5_000 }).toMatch(/^(gone|Z|X)$/);
  });

  it('refuses a second case while one runs', async () => {
    await using sandbox = await opened('export default () => 1;');
    const running = sandbox.run(task, never);
    await expect(sandbox.run(task, never)).rejects.toThrow('one after another');
    expect(await running).toMatchObject({ kind: 'answer' });
  });
});
