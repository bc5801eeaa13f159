import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CaseRun } from '../../contracts/sandbox.ts';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { benchOf, conformanceLimits } from '../conformance.ts';
import { type FakeDoor, fakeDoor, replyOf } from '../conformance-door.ts';
import { dockerDriver } from './driver.ts';
import { isSlotUid } from './hardening.ts';
import { reach, selfReport, systemCalls } from './probe-programs.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const never = () => new AbortController().signal;
const task = (input: string | null) => ({ id: 'case', input, target: 'keeper' });

const own = { asymmetricMatch: (uid: unknown) => isSlotUid(Number(uid)) };

const answerOf = (run: CaseRun): unknown => {
  if (run.kind !== 'answer') throw new Error(JSON.stringify(run));
  return run.answer;
};

const allowedEnvironment = {
  OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1',
  OPENAI_API_KEY: 'unused',
  ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080',
  ANTHROPIC_API_KEY: 'unused',
  HOME: '/work',
  USER: 'program',
  TMPDIR: '/work',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
};

describeWith('docker', engine.state, 'what a program cannot do in a container', () => {
  const { dockerHost, images } = engine;
  const driver = dockerDriver({ dockerHost, socketFolder, images, workerId: `hard-${process.pid}` });
  const python = benchOf(driver, 'python', { leftovers: async () => [] });
  const node = benchOf(driver, 'node', { leftovers: async () => [] });

  it('has no identity, capability, network or environment worth having', async () => {
    process.env.COLLECTIVE_TEST_SECRET = 'must-not-leave';
    const none = ['0000000000000000'];
    expect(answerOf(await python.once(selfReport))).toEqual({
      status: {
        Uid: Array(4).fill(own),
        Gid: Array(4).fill(own),
        Groups: [],
        CapInh: none,
        CapPrm: none,
        CapEff: none,
        CapAmb: none,
        NoNewPrivs: ['1'],
        Seccomp: ['2'],
      },
      interfaces: ['lo'],
      algSocket: 'Operation not permitted',
      writeRoot: 'Read-only file system',
      writeScratch: 'allowed',
      environment: { ...allowedEnvironment, PYTHONHASHSEED: '0' },
    });
  });

  it('gives Node programs no more', async () => {
    const source = `import { readFileSync, writeFileSync, openSync } from 'node:fs';
    const error = (action) => { try { action(); return 'allowed'; } catch (problem) { return problem.code; } };
    export default async function solve() {
      const status = Object.fromEntries(readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t')));
      const kept = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb', 'NoNewPrivs', 'Seccomp'].map((name) => status[name]);
      return { uid: process.getuid(), groups: process.getgroups(), kept, environment: process.env,
        root: error(() => writeFileSync('/x', '')), program: error(() => writeFileSync('/program/main.mjs', '')),
        runner: error(() => openSync('/proc/1/fd/1', 'w')), kill: error(() => process.kill(1, 'SIGKILL')) };
    }`;
    const none = '0000000000000000';
    expect(answerOf(await node.once(source))).toEqual({
      uid: own,
      groups: [own],
      kept: [none, none, none, none, '1', '2'],
      environment: allowedEnvironment,
      root: 'EROFS',
      program: 'EACCES',
      runner: 'EACCES',
      kill: 'EPERM',
    });
  });

  it('reaches no file, socket, address or process that is not its own', async () => {
    const tried = answerOf(await python.once(reach)) as Record<string, Record<string, string> | string | string[]>;
    const refused = /^(PermissionError (1|13)|OSError (24|30)|FileNotFoundError 2)$/;
    for (const [path, error] of Object.entries({ ...(tried.write as object), ...(tried.gateway as object) })) {
      expect(`${path}: ${error}`).toMatch(new RegExp(`^${path}: ${refused.source.slice(1)}`));
    }
    for (const path of ['/proc/1/environ', '/proc/1/fd/0', '/proc/1/mem', '/proc/1/maps']) {
      expect(tried.read).toMatchObject({ [path]: 'PermissionError 13' });
    }
    expect(Object.values(tried.sockets ?? {})).toEqual(Object.keys(tried.sockets ?? {}).map(() => 'PermissionError 1'));
    expect(tried.connect).toEqual({
      '169.254.169.254:80': 'OSError 101',
      '1.1.1.1:53': 'OSError 101',
      '172.17.0.1:22': 'OSError 101',
    });
    expect(tried.resolve).toMatch(/^gaierror/);
    expect(tried.signalRunner).toEqual(Array(3).fill('PermissionError 1'));
  });

  it.runIf(process.arch === 'x64')('is refused every dangerous system call', async () => {
    const tried = answerOf(await python.once(systemCalls)) as Record<string, string>;
    const { clone3, splice, tee, ...others } = tried;
    expect(clone3).toBe('Function not implemented');
    expect([splice, tee]).toEqual(['Invalid argument', 'Invalid argument']);
    expect(others).toEqual(Object.fromEntries(Object.keys(others).map((name) => [name, 'Operation not permitted'])));
    expect(Object.keys(others).length).toBeGreaterThan(45);
  });

  it.runIf(process.arch === 'x64')('is killed when it calls the kernel in a foreign ABI', async () => {
    // 0x40000000 marks the x32 ABI, which a filter for x86-64 alone would not look at.
    const source = 'import ctypes\ndef solve(task, target):\n    return ctypes.CDLL(None).syscall(ctypes.c_long(0x40000027))\n';
    expect(await python.once(source)).toMatchObject({ kind: 'fault', code: 'early_exit', message: expect.stringContaining('SIGSYS') });
  });

  const leave = {
    python: `import os, time
def solve(task, target):
    seen = sorted(os.listdir("/work") + os.listdir("/dev/shm")), [n for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid() and os.stat("/proc/" + n).st_uid != 0]
    os.makedirs("/work/a/b"); open("/work/a/b/c", "w").write("x"); os.symlink("/etc", "/work/link"); open("/dev/shm/s", "w").write("x")
    os.chmod("/work/a/b", 0); os.chmod("/work", 0)
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
    return seen
`,
    node: `import { mkdirSync, writeFileSync, symlinkSync, readdirSync, chmodSync, statSync } from 'node:fs';
    import { spawn } from 'node:child_process';
    export default async function solve() {
      const files = [...readdirSync('/work'), ...readdirSync('/dev/shm')];
      const others = readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && Number(name) !== process.pid && statSync('/proc/' + name).uid !== 0);
      mkdirSync('/work/a'); writeFileSync('/work/a/b', 'x'); symlinkSync('/etc', '/work/link'); writeFileSync('/dev/shm/s', 'x'); chmodSync('/work', 0);
      spawn(process.execPath, ['-e', "require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 9)'], { detached: true })"], { detached: true, stdio: 'ignore' });
      return [files, others];
    }`,
  };
  for (const bench of [python, node]) {
    const language = bench === python ? 'python' : 'node';
    it(`leaves no file and no process for the next ${language} case`, async () => {
      await using sandbox = await bench.open(leave[language]);
      for (let i = 0; i < 3; i++) expect(answerOf(await sandbox.run(task(null), never()))).toEqual([[], []]);
    });
  }

  it('reports a fork bomb as too many processes, and goes on', async () => {
    const source = 'import os\ndef solve(task, target):\n    while task["input"]:\n        os.fork()\n    return 1\n';
    // With less memory the copies of the interpreter fill that first, and memory is the limit that is met.
    await using sandbox = await python.open(source, { limits: { ...conformanceLimits, memoryBytes: 1_073_741_824 } });
    expect(await sandbox.run(task('bomb'), never())).toMatchObject({ kind: 'limit', limit: 'processes' });
    expect(await sandbox.run(task(null), never())).toMatchObject({ kind: 'answer', answer: 1 });
  });

  it('reports full scratch space, by bytes and by files', async () => {
    const bytes =
      'def solve(task, target):\n    with open("/tmp/big", "wb") as f:\n        while True:\n            f.write(b"x" * 65536)\n';
    const files = 'def solve(task, target):\n    i = 0\n    while True:\n        open("/tmp/f" + str(i), "w").close()\n        i += 1\n';
    const limits = { ...conformanceLimits, diskBytes: 1_048_576, diskInodes: 100 };
    expect(await python.once(bytes, null, { limits })).toMatchObject({ kind: 'limit', limit: 'disk' });
    expect(await python.once(files, null, { limits })).toMatchObject({ kind: 'limit', limit: 'disk' });
  });

  it('does not let a child process hide memory or processor time', async () => {
    const hidden = (body: string) =>
      `import os\ndef solve(task, target):\n    if os.fork() == 0:\n        ${body}\n    os.wait()\n    return "innocent"\n`;
    const limits = { ...conformanceLimits, wallMs: 15_000 };
    const memory = hidden('kept = []\n        while True: kept.append(b"x" * 1048576 + bytes(len(kept)))');
    expect(await python.once(memory, null, { limits: { ...limits, cpuMs: 15_000 } })).toMatchObject({ kind: 'limit', limit: 'memory' });
    expect(await python.once(hidden('while True: pass'), null, { limits })).toMatchObject({ kind: 'limit', limit: 'cpu' });
  });

  it('answers stock HTTP clients at the base URL of the environment', async () => {
    const body = '{"model": "keeper", "messages": [{"role": "user", "content": "hi"}]}';
    const door = fakeDoor();
    const byPython = `import http.client, json, os, urllib.parse
def solve(task, target):
    url = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.request("POST", url.path + "/chat/completions", '${body}', {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
    return json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]
`;
    expect(answerOf(await python.once(byPython, null, { door }))).toBe('keeper heard: hi');
    const byNode = `export default async function solve() {
      const one = async () => (await (await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', { method: 'POST', body: '${body}' })).json()).choices[0].message.content;
      return await Promise.all(Array.from({ length: 50 }, one));
    }`;
    // Answers nothing until all fifty are there: they must be carried at the same time.
    const all = Promise.withResolvers<void>();
    const crowd: FakeDoor = fakeDoor(async (request) => {
      if (crowd.requests.length === 50) all.resolve();
      await all.promise;
      return replyOf(request, 'all here');
    });
    expect(answerOf(await node.once(byNode, null, { door: crowd }))).toEqual(Array(50).fill('all here'));
    expect(crowd.mostOpen()).toBe(50);
  });
});
