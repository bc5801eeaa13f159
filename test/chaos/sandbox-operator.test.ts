import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Limits } from '../../contracts/sandbox.ts';
import { programsFor } from '../../sandboxes/conformance-programs.ts';
import type { LimitMaxima } from '../../sandboxes/docker/options.ts';
import { testEngine } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';
import { runOne, sandboxOf, sandboxRig } from '../setup/sandbox-rig.ts';

/** Faults of an operator's machine and settings: full and read-only folders, maxima below what a rubric asks for. */
const engine = await testEngine();
const programs = programsFor('python');

/** A small file system of its own; permissions alone would not stop a test that runs as root. */
function mounted(options: string): Disposable & { folder: string; again(options: string): void } {
  const folder = mkdtempSync(join(tmpdir(), 'small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  return {
    folder,
    again: (more) => void execFileSync('mount', ['-o', `remount,${more}`, folder], { stdio: 'pipe' }),
    [Symbol.dispose]: () => {
      execFileSync('umount', [folder], { stdio: 'pipe' });
      rmSync(folder, { recursive: true });
    },
  };
}

function canMount(): typeof engine.state {
  if (!engine.state.available) return engine.state;
  try {
    mounted('size=64k')[Symbol.dispose]();
    return { available: true };
  } catch (error) {
    return { available: false, reason: `this test mounts a small file system, which is refused here: ${(error as Error).message}` };
  }
}

describeWith('docker', canMount(), 'a folder for sockets', () => {
  // The file system's own root, the worker's folder and the socket in it that shows it lives take three.
  it.each([
    ['without room for the worker', 'size=64k,nr_inodes=1', 'ENOSPC', 'nr_inodes=100'],
    ['without room for one more container', 'size=64k,nr_inodes=3', 'ENOSPC', 'nr_inodes=100'],
    ['that is read-only', 'size=64k,ro', 'EROFS', 'rw'],
  ])('%s: says so and what to set, and works as soon as that is mended', async (_title, options, code, mended) => {
    using small = mounted(options);
    await using rig = await sandboxRig(engine, { socketFolder: small.folder });
    const opened = await rig.open(programs.echoInput);
    expect(opened).toMatchObject({ ok: false, message: expect.stringMatching(new RegExp(`${code}.*SANDBOX_SOCKETS`, 's')) });
    expect(opened).not.toHaveProperty('fault', 'participant');
    expect(await rig.leftovers()).toEqual([]);
    small.again(mended);
    {
      await using sandbox = sandboxOf(await rig.open(programs.echoInput));
      expect(await runOne(sandbox, 'mended')).toMatchObject({ kind: 'answer', answer: 'mended' });
    }
    await expect.poll(rig.leftovers).toEqual([]);
  });

  it('that fills up between two cases costs no result of a program that runs already', async () => {
    using small = mounted('size=64k,nr_inodes=20');
    await using rig = await sandboxRig(engine, { socketFolder: small.folder });
    const sandbox = sandboxOf(await rig.open(programs.echoInput));
    small.again('nr_inodes=6');
    expect(await runOne(sandbox, 1)).toMatchObject({ kind: 'answer', answer: 1 });
    await sandbox[Symbol.asyncDispose]();
    await expect.poll(rig.leftovers).toEqual([]);
  });
});

const mebibyte = 1_048_576;
const fillMemory = 'kept = []\ndef solve(task, target):\n    while True:\n        kept.append(b"x" * 1048576)\n';
const fillDisk =
  'def solve(task, target):\n    with open("/work/file", "wb") as file:\n        for _ in range(8):\n            file.write(b"x" * 1048576)\n    return 1\n';
const manyFiles = 'def solve(task, target):\n    for i in range(500):\n        open(f"/work/{i}", "w").close()\n    return 1\n';
const manyProcesses =
  'import os, time\ndef solve(task, target):\n    for _ in range(40):\n        if os.fork() == 0:\n            time.sleep(20)\n            os._exit(0)\n    return 1\n';
const modest = 'def solve(task, target):\n    print("modest")\n    open("/work/file", "w").write("x")\n    return sum(range(1000))\n';

const generous = Limits.parse({ cpuMs: 8_000, wallMs: 8_000, memoryBytes: 256 * mebibyte, diskBytes: 64 * mebibyte, diskInodes: 2_000 });
const cases: [keyof LimitMaxima, number, string, string][] = [
  ['cpuMs', 300, 'cpu', 'def solve(task, target):\n    while True:\n        pass\n'],
  ['wallMs', 400, 'wall', 'import time\ndef solve(task, target):\n    time.sleep(30)\n'],
  ['memoryBytes', 32 * mebibyte, 'memory', fillMemory],
  ['processes', 8, 'processes', manyProcesses],
  ['outputBytes', 2_048, 'output', 'def solve(task, target):\n    print("x" * 30000)\n    return 1\n'],
  ['diskBytes', mebibyte, 'disk', fillDisk],
  ['diskInodes', 32, 'disk', manyFiles],
];

describeWith('docker', engine.state, "an operator's maximum below the rubric's limit", () => {
  it.each(cases)('of %s %d: a case that meets it is an error that names it, not the limit "%s"', async (name, most, limit, source) => {
    await using rig = await sandboxRig(engine, { maxima: { [name]: most } });
    await using sandbox = sandboxOf(await rig.open(source, { limits: generous }));
    const message = expect.stringMatching(new RegExp(`${name} ${generous[name]}.*${most}.*SANDBOX_MAXIMA`, 's'));
    expect(await runOne(sandbox)).toMatchObject({ kind: 'error', message });
    // The same number in the rubric is the participant's business.
    await using strict = sandboxOf(await rig.open(source, { limits: { ...generous, [name]: most } }));
    expect(await runOne(strict)).toMatchObject({ kind: 'limit', limit });
  });

  it('of answerBytes: a longer answer is an error that names it, and an invalid one where the rubric says so', async () => {
    const source = 'def solve(task, target):\n    return "x" * 5000\n';
    await using rig = await sandboxRig(engine, { maxima: { answerBytes: 1_024 } });
    await using sandbox = sandboxOf(await rig.open(source, { limits: generous }));
    const message = expect.stringMatching(/answerBytes 65536.*1024.*SANDBOX_MAXIMA/s);
    expect(await runOne(sandbox)).toMatchObject({ kind: 'error', message });
    await using strict = sandboxOf(await rig.open(source, { limits: { ...generous, answerBytes: 1_024 } }));
    expect(await runOne(strict)).toMatchObject({ kind: 'fault', code: 'invalid_output' });
  });

  it('changes nothing for a program that stays below it', async () => {
    const maxima = { ...Object.fromEntries(cases.map(([name, most]) => [name, most])), wallMs: 4_000, answerBytes: 1_024 };
    await using rig = await sandboxRig(engine, { maxima });
    await using sandbox = sandboxOf(await rig.open(modest, { limits: generous }));
    expect(await runOne(sandbox)).toMatchObject({ kind: 'answer', answer: 499_500, log: 'modest\n' });
  });
});
