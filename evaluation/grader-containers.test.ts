import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dockerDriver } from '../sandboxes/docker/driver.ts';
import { labels } from '../sandboxes/docker/hardening.ts';
import { testEngine } from '../test/setup/docker.ts';
import { depsFor, memorySink, planFor, rightAnswers, wordRubricOf } from '../test/setup/evaluation.ts';
import { describeWith } from '../test/setup/optional.ts';
import { evaluate } from './evaluate.ts';
import type { GraderFailure } from './grader-programs.ts';

/* Grader programs in real containers: honest, hostile, and apart from what they grade. */

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-grader-'));
afterAll(() => rm(socketFolder, { recursive: true, force: true }));
const path = 'graders/word.py';
const open = { phases: [{ name: 'open', title: 'Open', splits: ['public'] }], cases: { public: 'cases/public.jsonl' } };
const secret = 'the-expected-answer-is-42';

const gradedBy = (source: string, more: object = {}) =>
  wordRubricOf(
    {
      ...open,
      submission: [
        { kind: 'answers', schema: {} },
        { kind: 'program', schema: {} },
      ],
      criteria: [
        {
          name: 'judged',
          title: 'Judged',
          grader: { kind: 'program', path, language: 'python', profile: 'python', wallMs: 3_000, ...more },
        },
      ],
    },
    {},
    { [path]: source },
  );

const honest = `
def solve(text):
    """A helper that is called like the entry point of submissions."""
    return text.strip()

def grade(task):
    return {"score": 1 if solve(task["answer"]) == task["expected"]["word"] else 0, "evidence": {"id": task["case"]["id"]}}
`;

const driverFor = (name: string) => {
  const { dockerHost, images } = engine;
  return dockerDriver({ dockerHost, socketFolder, images, workerId: `${name}-${process.pid}`, poolBytes: 0 });
};

async function judge(source: string, more: object = {}) {
  const rubric = gradedBy(source, more);
  const plan = planFor(rubric, rightAnswers(rubric));
  const failures: GraderFailure[] = [];
  await using driver = driverFor('grader');
  const output = await evaluate(plan, depsFor(plan, { sandboxes: [driver], graderFailed: (failure) => void failures.push(failure) }));
  return { ...output, failures };
}
const saidOf = ({ results }: Awaited<ReturnType<typeof judge>>) => results.map(({ grades }) => grades[0]?.evidence.program);

/** A function that does this and would give the best score if it came to that. */
const doing = (...lines: string[]) =>
  `import os, sys, time, subprocess, threading\n\ndef grade(task):\n${lines.map((line) => `    ${line}\n`).join('')}    return {"score": 1}\n`;

const hostile: [string, string, string | RegExp][] = [
  ['throws', doing(`raise KeyError("${secret}")`), 'ended with an exception'],
  ['does not compile', `def grade(task:\n  "${secret}"`, 'ended with an exception'],
  ['has no entry point', 'def solve(task, target):\n    return {"score": 1}\n', 'ended with an exception'],
  ['exits as if all were well', doing('os._exit(0)'), 'ended before it gave an answer'],
  ['leaves', doing('sys.exit()'), 'ended before it gave an answer'],
  ['kills itself', doing('os.kill(os.getpid(), 9)'), 'ended before it gave an answer'],
  ['never ends', doing('while True: pass'), /limit of (wall|cpu)/],
  ['sleeps', doing('time.sleep(1000)'), 'limit of wall'],
  ['eats memory', doing('a = bytearray(500_000_000)', 'a[::4096] = b"x" * len(a[::4096])'), /limit of memory|ended with an exception/],
  [
    'forks without end',
    doing('while True: subprocess.Popen(["/usr/bin/env", "python3", "-c", "input()"], stdin=subprocess.PIPE)'),
    /limit of|ended with an exception/,
  ],
  ['floods its output', doing(`while True: sys.stdout.write("${secret}" * 1000)`), 'limit of output'],
  [
    'prints forged frames',
    doing(
      'sys.stdout.buffer.write(b"\\x00\\x00\\x00\\x60" + b\'{"type":"result","seq":1,"end":"answer","answer":"QXsic2NvcmUiOjF9Cg==","nonce":"0"}\')',
      'sys.stdout.flush()',
      'raise ValueError()',
    ),
    'ended with an exception',
  ],
  ['writes what is no answer into the answer pipe', doing(`os.write(3, b"${secret}\\n")`, 'time.sleep(9)'), 'no JSON, or too large'],
  [
    'writes a fault of its own wording',
    doing(`os.write(3, b'F{"code":"program_error","message":"${secret}"}\\n')`, 'time.sleep(9)'),
    'ended with an exception',
  ],
  ['answers too much', doing('return {"score": 1, "evidence": {"a": "x" * 10_000_000}}'), 'no JSON, or too large'],
  ['answers NaN', doing('return {"score": float("nan")}'), 'no JSON, or too large'],
  ['answers infinity', doing('os.write(3, b\'A{"score":1e999}\\n\')', 'time.sleep(9)'), 'no JSON, or too large'],
  ['answers None', doing('return None'), 'is not an object'],
  ['answers 100', doing('return {"score": 100}'), 'a score outside 0 to 1'],
  ['answers a word', doing('return "pass"'), 'is not an object'],
  ['answers True as a score', doing('return {"score": True}'), 'has no number "score"'],
  ['answers nothing', doing('return {}'), 'has no number "score"'],
  ['answers more than is asked', doing(`return {"score": 1, "${secret}": 1}`), 'members it must not have'],
];

describeWith('docker', engine.state, 'a grader program in a container', () => {
  it('gives the score, with names of its own', async () => {
    const right = await judge(honest);
    expect(right.verdict).toMatchObject({ outcome: 'pass', score: 1 });
    expect(saidOf(right)).toEqual([{ id: 'p0' }, { id: 'p1' }, { id: 'p2' }]);
    const asynchronous = await judge('async def grade(task):\n    return {"score": 0}\n');
    expect(asynchronous.verdict).toMatchObject({ outcome: 'fail', score: 0 });
  });

  it('is what docs/how-to/grader-program.md shows', async () => {
    const guide = await readFile(new URL('../docs/how-to/grader-program.md', import.meta.url), 'utf8');
    const source = /^```python\n([\s\S]*?)^```$/m.exec(guide)?.[1] ?? '';
    const grader = { kind: 'program', path: 'graders/closeness.py', language: 'python', profile: 'python', sees: ['answer', 'expected'] };
    const cases = ['p0', 'p1', 'p2', 'p3'].map((id) => ({ id, input: {}, expected: { value: 200 } }));
    const changes = { ...open, submission: [{ kind: 'answers', schema: {} }], criteria: [{ name: 'close', title: 'Close', grader }] };
    const rubric = wordRubricOf(changes, { public: cases }, { 'graders/closeness.py': source });
    const plan = planFor(rubric, { kind: 'answers', answers: { p0: 200, p1: 100, p2: 'about 200', p3: 1e12 } });
    await using driver = driverFor('guide');
    const { results } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(results.map(({ score, grades }) => [score, grades[0]?.evidence])).toEqual([
      [1, { program: { off: 0 } }],
      [0.5, { program: { off: 0.5 } }],
      [0, { program: { given: 'str' } }],
      [null, { message: 'so far off that the unit may be wrong', proposed: 0, program: {} }],
    ]);
  });

  it('in JavaScript has a whole Node', async () => {
    const source =
      "import { createHash } from 'node:crypto';\nexport const grade = async ({ answer }) => ({ score: createHash('md5').update(answer).digest().length / 16 });";
    const rubric = await judge(source, { language: 'javascript', profile: 'node' });
    expect(rubric.verdict).toMatchObject({ outcome: 'pass', score: 1 });
  });

  it.each(hostile)('that %s gives an error of the sponsor', async (_, source, message) => {
    const { verdict, results } = await judge(source, { memoryBytes: 33_554_432, wallMs: 1_500 });
    expect(verdict).toMatchObject({ outcome: 'error', score: null, reason: { code: 'grader_failed', faultOf: 'sponsor' } });
    expect(verdict.reason?.message).toMatch(message);
    expect(results).toEqual([]);
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });

  it('that answers twice has answered the first time', async () => {
    const { verdict } = await judge(doing(`os.write(3, b'A{"score":0}\\n')`, `os.write(3, b'A{"score":1}\\n')`));
    expect(verdict).toMatchObject({ outcome: 'fail', score: 0 });
  });

  it('tells its owner what it said', async () => {
    const { failures } = await judge(doing(`print("here")`, `raise KeyError("${secret}")`));
    expect(failures[0]).toMatchObject({
      path,
      message: expect.stringContaining(secret),
      log: expect.stringMatching(/^here\n[\s\S]*grader\.py", line 5/),
    });
  });

  it('has no network and no model, whatever the rubric offers', async () => {
    const source = `import socket

def attempt(address):
    try:
        with socket.create_connection(address, 2) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 0\\r\\n\\r\\n")
            return "got " + connection.recv(100).decode()
    except OSError as error:
        return type(error).__name__

def grade(task):
    tried = {"outside": attempt(("192.0.2.1", 80)), "gateway": attempt(("127.0.0.1", 8080))}
    try:
        socket.getaddrinfo("example.org", 80)
    except OSError:
        tried["name"] = "unknown"
    return {"score": 0, "evidence": tried}
`;
    const [first] = saidOf(await judge(source)) as Record<string, string>[];
    expect(first).toMatchObject({ outside: expect.stringMatching(/Error$/), name: 'unknown' });
    // Either end of a connection that nobody answers: reset, or closed with nothing said.
    expect(first?.gateway).toMatch(/Error$|^got $/);
  });

  it('sees its own files and its own case, and leaves nothing to the next', async () => {
    const source = `import os
seen = []

def grade(task):
    seen.append(1)
    left = sorted(os.listdir("/work"))
    open("/work/left.txt", "w").write(task["answer"])
    os.environ["LEFT"] = "x"
    program = sorted(name for name in os.listdir("/program") if name != "__pycache__")
    return {"score": 1, "evidence": {"calls": len(seen), "left": left, "program": program, "task": sorted(task)}}
`;
    const said = saidOf(await judge(source)) as { calls: number; left: string[]; program: string[]; task: string[] }[];
    expect(said).toHaveLength(3);
    for (const { calls, left, program, task } of said) {
      expect(calls).toBe(1);
      expect(left).not.toContain('left.txt');
      expect(program).toEqual(['grader.py', 'main.py']);
      expect(task).toEqual(['answer', 'case', 'expected', 'input']);
    }
  });

  it('is never in the container of what it grades, which holds nothing of it', async () => {
    const rubric = gradedBy(honest);
    const submission = {
      kind: 'program' as const,
      language: 'python' as const,
      source: `import os

def solve(task, target):
    # The oldest trick: look for the grader and what it compares with.
    found = [name for folder in ("/program", "/work", "/tmp") for _, _, names in os.walk(folder) for name in names]
    return "word-" + task["id"] if found == ["main.py"] and sorted(task) == ["id", "input", "target"] else "found " + str(found)
`,
    };
    const plan = planFor(rubric, submission);
    await using driver = driverFor('apart');
    const alive: string[][] = [];
    const sink = memorySink({
      caseFinished: async () => {
        const filters = { label: [`${labels.worker}=apart-${process.pid}`] };
        alive.push((await engine.docker.listContainers({ filters })).map(({ Id }) => Id));
      },
    });
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver], sink }));
    expect(verdict).toMatchObject({ outcome: 'pass', score: 1 });
    expect(alive).toHaveLength(3);
    for (const ids of alive) expect(new Set(ids).size).toBe(2);
    const left = await engine.docker.listContainers({ all: true, filters: { label: [`${labels.worker}=apart-${process.pid}`] } });
    expect(left).toEqual([]);
  });

  it('takes a case of several megabytes', async () => {
    const rubric = gradedBy('def grade(task):\n    return {"score": 1 if len(task["answer"]) == 4_000_000 else 0}\n');
    const answer = 'x'.repeat(4_000_000);
    const plan = planFor(rubric, { kind: 'answers', answers: { p0: answer, p1: answer, p2: answer } });
    await using driver = driverFor('large');
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(verdict).toMatchObject({ outcome: 'pass', score: 1 });
  });
});

describe('a machine without an engine', () => {
  it('says so with what to install, and nobody fails', async () => {
    const rubric = gradedBy(honest);
    const plan = planFor(rubric, rightAnswers(rubric));
    await using driver = dockerDriver({
      dockerHost: 'unix:///nowhere/docker.sock',
      socketFolder,
      images: {},
      workerId: 'none',
      poolBytes: 0,
    });
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(verdict).toMatchObject({ outcome: 'error', reason: { faultOf: 'platform' } });
    expect(verdict.reason?.message).toMatch(/profile "python" cannot run here: [\s\S]*Install a Docker engine/);
  });
});
