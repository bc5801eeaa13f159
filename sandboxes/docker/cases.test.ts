import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CaseRun } from '../../contracts/sandbox.ts';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { benchOf, conformanceLimits } from '../conformance.ts';
import { dockerDriver } from './driver.ts';
import { labels } from './hardening.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const never = () => new AbortController().signal;
const task = (input: string | null) => ({ id: 'case', input, target: 'keeper' });
const answerOf = (run: CaseRun): unknown => {
  if (run.kind !== 'answer') throw new Error(JSON.stringify(run));
  return run.answer;
};
const artifactsOf = (run: CaseRun): string[][] => {
  if (run.kind !== 'answer') throw new Error(JSON.stringify(run));
  return (run.artifacts ?? []).map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]);
};

describeWith('docker', engine.state, 'cases in a container', () => {
  const { dockerHost, images, docker } = engine;
  const workerId = `cases-${process.pid}`;
  const driver = dockerDriver({ dockerHost, socketFolder, images, workerId, poolBytes: 134_217_728 });
  const python = benchOf(driver, 'python', { leftovers: async () => [] });
  const node = benchOf(driver, 'node', { leftovers: async () => [] });

  const counting = {
    python: `import os
count = 0
def solve(task, target):
    global count
    count += 1
    print("case", count)
    open("/work/seen", "a").write("x")
    if task["input"] == "loop":
        while True: pass
    if task["input"] == "exit":
        os._exit(3)
    return [count, os.path.getsize("/work/seen")]
`,
    node: `import { appendFileSync, statSync } from 'node:fs';
    let count = 0;
    export default async function solve(task) {
      count += 1;
      console.log('case', count);
      appendFileSync('/work/seen', 'x');
      if (task.input === 'loop') for (;;);
      if (task.input === 'exit') process.exit(3);
      return [count, statSync('/work/seen').size];
    }`,
  };
  for (const bench of [python, node]) {
    const language = bench === python ? 'python' : 'node';
    it(`keep nothing of the last one in ${language}, unless the rubric lets them share a process`, async () => {
      await using alone = await bench.open(counting[language]);
      for (let i = 0; i < 3; i++) expect(await alone.run(task(null), never())).toMatchObject({ answer: [1, 1], log: 'case 1\n' });
      // Wall time enough that on a busy machine processor time is what runs out.
      await using shared = await bench.open(counting[language], { cases: 'shared', limits: { ...conformanceLimits, wallMs: 20_000 } });
      for (let i = 1; i <= 3; i++) expect(await shared.run(task(null), never())).toMatchObject({ answer: [i, i], log: `case ${i}\n` });
      expect(await shared.run(task('loop'), never())).toMatchObject({ kind: 'limit', limit: 'cpu' });
      expect(answerOf(await shared.run(task(null), never()))).toEqual([1, 1]);
      expect(await shared.run(task('exit'), never())).toMatchObject({ kind: 'fault', code: 'early_exit' });
      expect((await shared.run(task(null), never())).kind).toBe('answer');
    });
  }

  it('use processor time also between them where they share a process', async () => {
    const source = `import threading, time
def burn():
    while True: pass
def solve(task, target):
    if task["input"] == "burn":
        threading.Thread(target=burn, daemon=True).start()
    return 1
`;
    await using shared = await python.open(source, { cases: 'shared', limits: { ...conformanceLimits, cpuMs: 500 } });
    expect(await shared.run(task('burn'), never())).toMatchObject({ kind: 'answer' });
    // The program burns while nobody asks it anything, as it would while a grader thinks.
    const until = performance.now() + 4_000;
    await expect.poll(() => performance.now() > until, { timeout: 8_000 }).toBe(true);
    expect(await shared.run(task(null), never())).toMatchObject({ kind: 'limit', limit: 'cpu' });
  });

  it('find no trace of the last one in the times of their folders', async () => {
    const source = `import os
def solve(task, target):
    seen = [os.stat(p).st_mtime_ns for p in ("/work", "/dev/shm")]
    for p in ("/work", "/dev/shm"):
        os.utime(p, ns=(85555547, 85555547))
    return seen
`;
    await using sandbox = await python.open(source);
    const first = answerOf(await sandbox.run(task(null), never()));
    expect(answerOf(await sandbox.run(task(null), never()))).toEqual(first);
    expect(first).toEqual([0, 0]);
  });

  it('come from a container that waited, and each evaluation has its own clock', async () => {
    const slow = 'import time\ndef solve(task, target):\n    time.sleep(1)\n    return 1\n';
    expect((await python.once(slow, null, { limits: { ...conformanceLimits, wallMs: 10_000 } })).kind).toBe('answer');
    const idle = async () => (await docker.listContainers({ filters: { label: [`${labels.worker}=${workerId}`] } })).length;
    await expect.poll(idle, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await python.once(slow, null, { limits: { ...conformanceLimits, wallMs: 300 } })).toMatchObject({
      kind: 'limit',
      limit: 'wall',
    });
  });

  it('leave artifacts, and only what is an ordinary file within the bounds', async () => {
    const source = `import os
def solve(task, target):
    os.makedirs("/work/artifacts/sub/deeper")
    os.chdir("/work/artifacts")
    open("a.txt", "w").write("hello")
    open("sub/b.txt", "w").write("there")
    open("sub/deeper/c.txt", "w").write("too deep")
    os.symlink("/etc/passwd", "link")
    os.symlink("/etc", "folder")
    os.link("a.txt", "again")
    os.mkfifo("pipe")
    open("holes", "wb").truncate(10**7)
    open("odd\\nname", "w").write("x")
    return 1
`;
    const limits = { ...conformanceLimits, artifacts: { files: 5, bytes: 1_000, depth: 1 }, diskBytes: 16_777_216 };
    const run = await python.once(source.replace('    os.link("a.txt", "again")\n', ''), null, { limits });
    expect(artifactsOf(run)).toEqual([
      ['a.txt', 'hello'],
      ['sub/b.txt', 'there'],
    ]);
    expect(run.kind === 'answer' && run.log).toContain('6 entries of the folder artifacts were not kept');
    // A file with two names may be one that lies elsewhere.
    expect(artifactsOf(await python.once(source, null, { limits })).map(([path]) => path)).toEqual(['sub/b.txt']);
    expect(artifactsOf(await python.once(source, null))).toEqual([]);
    const byNode = `import { mkdirSync, writeFileSync } from 'node:fs';
      export default async function solve() { mkdirSync('/work/artifacts'); writeFileSync('/work/artifacts/n', 'from node'); return 1; }`;
    expect(artifactsOf(await node.once(byNode, null, { limits }))).toEqual([['n', 'from node']]);
  });

  it('have all files of the program beside its entry, and cannot change them', async () => {
    const files = [
      { path: 'helper.py', bytes: Buffer.from('WORD = "from a helper"\n') },
      { path: 'data/words.txt', bytes: Buffer.from('one two') },
    ];
    const source = `import helper
def solve(task, target):
    try:
        open("/program/helper.py", "w")
    except OSError as error:
        return [helper.WORD, open("/program/data/words.txt").read(), type(error).__name__]
`;
    const program = { language: 'python' as const, source, files };
    expect(answerOf(await python.once('', null, { program }))).toEqual(['from a helper', 'one two', 'PermissionError']);
  });

  it.each(['../x.py', '/x.py', 'a/../../x', '.hidden', 'a\\b', 'main.py', ''])('refuse a program with a file named %j', async (path) => {
    const program = { language: 'python' as const, source: 'x', files: [{ path, bytes: Buffer.from('x') }] };
    const opened = await driver.open({
      ...{ id: 'x', profile: 'python', limits: conformanceLimits, door: null as never },
      program,
      signal: never(),
    });
    expect(opened).toMatchObject({ ok: false, fault: 'participant' });
  });

  it('print no faster than they may, and open no more files than they may', async () => {
    const chatty =
      'import time\ndef solve(task, target):\n    started = time.monotonic()\n    print("x" * 180000)\n    return time.monotonic() - started\n';
    const limits = { ...conformanceLimits, wallMs: 10_000, outputBytes: 1_000_000, outputBytesPerSecond: 50_000 };
    const run = await python.once(chatty, null, { limits });
    // The first burst and what a pipe holds pass at once; the rest waits for its second.
    expect(answerOf(run)).toBeGreaterThan(0.5);
    expect(run.kind === 'answer' && run.log.length).toBe(180_001);
    const opening = `def solve(task, target):
    kept = []
    try:
        while True: kept.append(open("/dev/null"))
    except OSError as error:
        return [len(kept) < 64, error.errno]
`;
    expect(answerOf(await python.once(opening, null, { limits: { ...conformanceLimits, openFiles: 64 } }))).toEqual([true, 24]);
  });

  it('leave no container and no socket when the driver is closed', async () => {
    await driver[Symbol.asyncDispose]();
    expect(await docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${workerId}`] } })).toEqual([]);
  });
});
